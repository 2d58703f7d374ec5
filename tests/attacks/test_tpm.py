"""Attack cases TPM-01 to TPM-23: each changes one thing of a good request, and the check it names refuses it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from assay.appraise import appraise, parse_evidence
from assay.errors import BindingMismatch, EndorsementUnavailable
from assay.evidence.base import Challenge, Grounds, PlatformRules
from assay.policy import stored_policy
from assay.simulator.tpm.boots import FirmwareForm, WindowsForm, firmware_boot, windows_boot
from assay.simulator.tpm.certificates import AIK_FORM
from assay.simulator.tpm.event_log import EVENT_TAG, IPL, LEGACY, LoggedEvent, encode_log, variable, with_data
from assay.simulator.tpm.machine import CERTIFIED, MACHINE
from assay.simulator.tpm.request import BASIC, ENCLAVE, RequestForm
from assay.simulator.tpm.structures import RSAPSS, SHA1, SHA256, SHA384, AttestForm, whole_selection
from tests.appraisals import AT, SIMULATED, judge
from tests.tpm_cases import LIVE, PERMIT, TOLERANT, accepted, case, offered, refused, with_machine, with_quote

if TYPE_CHECKING:
    from collections.abc import Callable

BOOT = windows_boot()
CERTIFY = replace(BASIC, binding="tpm_certify")
RESUMED = replace(BASIC, boot=MACHINE)


def members(**changes: object) -> Callable[[dict[str, Any]], None]:
    return lambda fields: fields.update(changes)


def attestation(change: Callable[[dict[str, Any]], object]) -> RequestForm:
    """A request whose current attestation is edited before it is signed."""
    return replace(BASIC, change=lambda fields: change(fields["tpm_att_data"]["current_attestation"]))


def values(attested: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = attested["pcrs"][0]["values"]
    return found


REFUSED: dict[str, tuple[RequestForm, str]] = {
    "TPM-01 no TPM wrote it": (with_quote(attest=AttestForm(magic=0xFF544348)), "evidence.form"),
    "TPM-02 a certification in place of a quote": (with_quote(as_certification=True), "evidence.form"),
    "TPM-03 no PCR": (with_quote(selection=((SHA256, ()),)), "quote.banks"),
    "TPM-03 fewer PCRs than required": (
        with_quote(selection=whole_selection(SHA256, indices=range(8))),
        "quote.pcrs",
    ),
    "TPM-04 SHA-1 quoted, SHA-256 sent": (
        replace(
            with_quote(selection=whole_selection(SHA1, SHA256)),
            change=lambda fields: fields["tpm_att_data"]["current_attestation"]["pcrs"].pop(0),
        ),
        "quote.selection",
    ),
    "TPM-05 an index twice": (attestation(lambda it: values(it).append(values(it)[-1])), "evidence.form"),
    "TPM-05 a bank twice in the selection": (
        with_quote(selection=((SHA256, tuple(range(23))), (SHA256, (23,)))),
        "evidence.form",
    ),
    "TPM-05 values in another order": (attestation(lambda it: values(it).reverse()), "evidence.form"),
    "TPM-06 a quoted PCR left out": (with_quote(left_out=frozenset({7})), "quote.selection"),
    "TPM-06 a value that was not quoted": (
        replace(
            with_quote(selection=whole_selection(SHA256, indices=range(23))),
            change=lambda fields: values(fields["tpm_att_data"]["current_attestation"]).append(
                {"index": 23, "digest": "A" * 43}
            ),
        ),
        "quote.selection",
    ),
    "TPM-07 no nonce": (with_quote(nonce=b""), "quote.nonce"),
    "TPM-07 a part of the nonce": (with_quote(replace(BASIC, binding=""), nonce=b"simulated"), "quote.nonce"),
    "TPM-07 the nonce in a longer value": (
        with_quote(replace(BASIC, binding=""), nonce=b"simulated nonce.\0"),
        "quote.nonce",
    ),
    "TPM-07 the challenge without the key": (with_quote(nonce=b"simulated nonce."), "quote.nonce"),
    "TPM-09 the quote of another key": (with_quote(signed_by="tpm other ak"), "quote.signature"),
    "TPM-10 the certificate of another key": (with_machine(certified_key="tpm other ak"), "aik_certificate.key"),
    "TPM-11 a self-made authority": (
        with_machine(certificate=replace(AIK_FORM, signed_by="forger")),
        "aik_certificate.chain",
    ),
    "TPM-11 the certificate of no attestation key": (
        with_machine(certificate=replace(AIK_FORM, purposes=("1.3.6.1.5.5.7.3.2",))),
        "aik_certificate.profile",
    ),
    "TPM-11 an expired certificate": (
        with_machine(certificate=replace(AIK_FORM, not_after=AT - timedelta(days=1))),
        "aik_certificate.validity",
    ),
    "TPM-11 no certificate": (with_machine(certificate=None), "aik_certificate.present"),
    "TPM-12 another session's challenge": (replace(BASIC, challenge=b"another session."), "challenge.value"),
    "TPM-18 the log ends early": (with_machine(logged=BOOT[:-1]), "log.replay"),
    "TPM-18 all events of a PCR left out": (
        with_machine(logged=tuple(event for event in BOOT if event.pcr != 14)),
        "log.replay",
    ),
    "TPM-18 an event more": (with_machine(logged=(*BOOT, LoggedEvent(4, IPL, b"more"))), "log.replay"),
    "TPM-18 two events swapped": (with_machine(logged=(BOOT[0], BOOT[2], BOOT[1], *BOOT[3:])), "log.replay"),
    "TPM-18 an event changed with its digest": (
        with_machine(logged=(*BOOT[:1], variable("SecureBoot", b"\x00"), *BOOT[2:])),
        "log.replay",
    ),
    "TPM-18 the log of SHA-1 alone": (
        with_machine(raw_log=encode_log(firmware_boot(), LEGACY)),
        "log.replay",
    ),
    "TPM-21 another cold boot": (
        replace(BASIC, boot=replace(MACHINE, quote=replace(MACHINE.quote, attest=AttestForm(reset_count=6)))),
        "boot.cycle",
    ),
    "TPM-21 a later resume": (
        replace(BASIC, boot=replace(MACHINE, quote=replace(MACHINE.quote, attest=AttestForm(restart_count=1)))),
        "boot.cycle",
    ),
    "TPM-21 another key at boot": (replace(BASIC, boot=replace(MACHINE, key="tpm other ak")), "boot.key"),
    "TPM-22 SHA-1": (with_quote(hash=SHA1), "quote.signature"),
    "the SHA-1 bank alone": (with_quote(selection=whole_selection(SHA1)), "quote.banks"),
    "a changed value": (with_quote(values={(SHA256, 7): bytes(32)}), "quote.composite"),
    "a composite of other values": (with_quote(pcr_digest=bytes(32)), "quote.composite"),
    "octets after the quote": (with_quote(attest=AttestForm(trailing=b"\0")), "evidence.form"),
    "another key signs the request": (replace(BASIC, signed_by="tpm other request"), "request.signature"),
    "another salt": (replace(BASIC, salt=20), "request.signature"),
    "another algorithm": (replace(BASIC, header={"alg": "RS256"}), "evidence.form"),
    "no algorithm": (replace(BASIC, header={"alg": "none"}), "evidence.form"),
    "a key in the header": (replace(BASIC, header={"jwk": {}}), "evidence.form"),
    "a critical member in the header": (replace(BASIC, header={"crit": ["x"]}), "evidence.form"),
    "a short request key": (
        replace(BASIC, change=lambda it: it["request_key"]["jwk"].update(n="AQAB")),
        "evidence.form",
    ),
    "an even exponent": (replace(BASIC, change=lambda it: it["request_key"]["jwk"].update(e="AQAA")), "evidence.form"),
    "a certification for another challenge": (
        replace(CERTIFY, certified=replace(CERTIFIED, nonce=b"another session.")),
        "request_key.binding",
    ),
    "a certification of another name": (
        replace(CERTIFY, certified=replace(CERTIFIED, name=b"\x00\x0b" + bytes(32))),
        "request_key.binding",
    ),
    "a certification by another key": (
        replace(CERTIFY, certified=replace(CERTIFIED, signed_by="tpm other ak")),
        "request_key.binding",
    ),
    "a certification of another key": (
        replace(CERTIFY, certified=replace(CERTIFIED, public_of="tpm other request")),
        "request_key.binding",
    ),
    "another key, certified by a stranger": (
        replace(BASIC, other_keys=(("tpm ephemeral", replace(CERTIFIED, signed_by="tpm other ak")),)),
        "other_keys.binding",
    ),
    "a custom claim with the service's name": (
        replace(BASIC, custom_claims=({"name": "secureBootEnabled", "value": True, "value_type": "boolean"},)),
        "evidence.form",
    ),
    "a cold boot whose quote a stranger signed": (
        replace(BASIC, boot=replace(MACHINE, quote=replace(MACHINE.quote, signed_by="tpm other ak"))),
        "boot_quote.signature",
    ),
    "a cold boot of SHA-1 alone": (
        replace(BASIC, boot=replace(MACHINE, quote=replace(MACHINE.quote, selection=whole_selection(SHA1)))),
        "boot_quote.banks",
    ),
    "a cold boot without a quoted value": (
        replace(BASIC, boot=replace(MACHINE, quote=replace(MACHINE.quote, left_out=frozenset({3})))),
        "boot_quote.selection",
    ),
    "a cold boot with another value": (
        replace(BASIC, boot=replace(MACHINE, quote=replace(MACHINE.quote, values={(SHA256, 3): bytes(32)}))),
        "boot_quote.composite",
    ),
    "a cold boot with another log": (replace(BASIC, boot=replace(MACHINE, logged=BOOT[:-1])), "boot_log.replay"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_attack_is_refused_by_its_check(name: str) -> None:
    form, check = REFUSED[name]
    assert refused(form).check.name == check


CONTROLS: dict[str, RequestForm] = {
    "basic": BASIC,
    "a bare envelope": replace(BASIC, wrapped=False),
    "a certified request key": CERTIFY,
    "a request key that nothing binds": replace(BASIC, binding=""),
    "a resumed machine": RESUMED,
    "another certified key and a bare one": replace(
        BASIC, other_keys=(("tpm ephemeral", CERTIFIED), ("tpm other request", None))
    ),
    "version 1": replace(BASIC, version=1),
    "version 1, resumed": replace(BASIC, version=1, boot=MACHINE),
    "OK-14 two banks, the policy reads one": with_quote(selection=whole_selection(SHA1, SHA256)),
    "PSS by the attestation key": with_quote(scheme=RSAPSS),
    "SHA-384 by the attestation key": with_quote(hash=SHA384),
    "custom claims": replace(
        BASIC,
        custom_claims=(
            {"name": "text", "value": "v", "value_type": "string"},
            {"name": "flag", "value": "true", "value_type": "Boolean"},
            {"name": "count", "value": 7, "value_type": "Integer"},
        ),
    ),
}


@pytest.mark.parametrize("name", CONTROLS)
def test_a_control_is_accepted(name: str) -> None:
    result = accepted(CONTROLS[name])
    assert offered(result)["aikValidated"] is True
    assert result.marks == ("simulator",)


def judged_with(challenge: Challenge) -> Any:
    one = case()
    grounds = Grounds(AT, SIMULATED, challenge=challenge)
    evidence = parse_evidence(one.kind, one.submission)
    return appraise(one.kind, evidence, one.submission, grounds, stored_policy(PERMIT))


def test_tpm_12_a_context_that_does_not_open_is_refused() -> None:
    assert judged_with(LIVE).marks == ("simulator",)
    with pytest.raises(BindingMismatch) as caught:
        judged_with(Challenge(problem="altered, or sealed for another provider or under another key"))
    assert caught.value.check == "challenge.context"


def test_tpm_12_the_services_challenge_counts_and_not_the_callers() -> None:
    with pytest.raises(BindingMismatch) as caught:
        judged_with(replace(LIVE, nonce=b"another session."))
    assert caught.value.check == "challenge.value"


def test_without_a_challenge_nothing_is_decided() -> None:
    one = case()
    submission = replace(one.submission, nonce=None)
    with pytest.raises(EndorsementUnavailable):
        appraise(
            one.kind, parse_evidence(one.kind, submission), submission, Grounds(AT, SIMULATED), stored_policy(PERMIT)
        )


def test_tpm_13_an_event_whose_type_was_changed_gives_the_same_claims() -> None:
    """The type is not measured: a boot variable called a separator stays the boot variable."""
    changed = tuple(replace(event, kind=EVENT_TAG) if event.kind == 0x80000001 else event for event in BOOT)
    assert offered(accepted(with_machine(logged=changed))) == offered(accepted())


def test_tpm_14_data_that_its_digest_does_not_cover_gives_no_claim() -> None:
    lying = tuple(
        with_data(event, variable("SecureBoot", b"\x00").data) if event is BOOT[1] else event for event in BOOT
    )
    assert offered(accepted())["secureBootEnabled"] is True
    assert offered(accepted(with_machine(logged=lying)))["secureBootEnabled"] is False


def test_tpm_15_events_that_are_never_extended_give_no_claim() -> None:
    off = windows_boot(WindowsForm(firmware=FirmwareForm(secure_boot=None)))
    lying = (*off[:2], replace(variable("SecureBoot", b"\x01"), kind=3), *off[2:])
    assert offered(accepted(with_machine(events=off, logged=lying)))["secureBootEnabled"] is False


def test_tpm_17_what_is_not_quoted_gives_no_claim() -> None:
    policy = (
        'version=1.1; configurationrules { => issueproperty(type="required_pcr_mask", value=15); };'
        " authorizationrules { => permit(); };"
    )
    form = with_quote(selection=whole_selection(SHA256, indices=range(4)))
    claims = offered(accepted(form, policy))
    assert [name for name, value in claims.items() if value is True] == ["aikValidated"]
    assert '"EVENT_TRUSTBOUNDARY"' not in str(offered(accepted(form, policy), "1.2")["events"])


def test_tpm_19_secure_boot_after_the_separator_is_not_taken() -> None:
    off = windows_boot(WindowsForm(firmware=FirmwareForm(secure_boot=None)))
    late = (*off, variable("SecureBoot", b"\x01"))
    assert offered(accepted(with_machine(events=late)))["secureBootEnabled"] is False


def test_tpm_23_a_log_without_end_is_refused() -> None:
    huge = encode_log(BOOT) + b"\x01\x00\x00\x00\x06\x00\x00\x00\x01\x00\x00\x00\x0b\x00" + bytes(32) + b"\xff" * 4
    assert refused(with_machine(raw_log=huge)).check.name == "evidence.form"


def test_an_unknown_key_is_tolerated_only_where_the_policy_says_so() -> None:
    form = with_machine(certificate=replace(AIK_FORM, signed_by="forger"))
    result = accepted(form, TOLERANT)
    assert offered(result)["aikValidated"] is False
    assert offered(accepted(with_machine(certificate=None), TOLERANT))["aikValidated"] is False
    expired = with_machine(certificate=replace(AIK_FORM, not_after=AT - timedelta(days=1)))
    assert offered(accepted(expired, TOLERANT))["aikValidated"] is False


def test_the_machine_of_an_enclave_is_judged_as_any_other() -> None:
    for form, check in (
        (with_quote(ENCLAVE, signed_by="tpm other ak"), "quote.signature"),
        (with_machine(ENCLAVE, logged=ENCLAVE.machine.events[:-1]), "log.replay"),
        (replace(ENCLAVE, challenge=b"another session."), "challenge.value"),
    ):
        assert refused(form).check.name == check


def test_tpm_14_an_event_hidden_behind_another_data_is_refused_under_strict_only() -> None:
    place = next(index for index, event in enumerate(BOOT) if event.pcr == 7 and event.data)
    hidden = replace(BOOT[place], data=bytes(len(BOOT[place].data)), measured=BOOT[place].data)
    form = with_machine(events=(*BOOT[:place], hidden, *BOOT[place + 1 :]))
    assert accepted(form).verdict.decisive is None
    assert refused(form, PlatformRules(strict=True)).check.name == "log.hidden"
    # Control: the log as it was written.
    assert judge(case(BASIC), PlatformRules(strict=True), policy=stored_policy(PERMIT)).verdict.decisive is None

"""Guests of Azure: each negative is refused by the check that its attack case names, and the control is accepted.

AZ-03 and AZ-04 have no challenge to be judged against in this protocol: official clients send none (tpm-and-guest 3.1).
What stands in their place is that a quote without qualifying data, or with any, says nothing about freshness, and that
the answer is sealed to a key bound to the quoted state.
"""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from assay.endorsements.anchors import trust_anchors
from assay.errors import BindingMismatch, EndorsementUnavailable, MalformedEvidence
from assay.evidence.base import HeldData, HeldDataType, PlatformRules
from assay.policy import stored_policy
from assay.simulator.amd.report import REPORT
from assay.simulator.azure_guest import Guest, encode_runtime_claims, mint_snp_proof
from assay.simulator.rsa_keys import derive_rsa_key
from assay.simulator.tpm.boots import FIRMWARE, WindowsForm, windows_boot
from assay.simulator.tpm.event_log import IPL, LoggedEvent, signature_list, tagged, with_data
from assay.simulator.tpm.structures import ATTESTATION_FORM, NULL, RSAPSS, RSASSA, SHA1, AttestForm
from tests.appraisals import AT, PRODUCTION, judge, refusal
from tests.guests import LINUX, PERMIT, SNP, TDX, WINDOWS, case_of, guest_case, judge_guest, members_of

BASES = {"linux": LINUX, "windows": WINDOWS, "snp": SNP, "tdx": TDX, "version 1.0": replace(LINUX, version="1.0")}
CERTIFICATE = LINUX.certificate
STRICT = PlatformRules(strict=True)


@pytest.mark.parametrize("base", BASES.values(), ids=BASES)
def test_the_control_without_any_change_is_accepted(base):
    result = judge_guest(base)
    assert result.verdict.decisive is None
    assert result.marks == ("simulator",)
    assert result.statement.recipient is not None


def without_restriction(attributes: int) -> Guest:
    return replace(LINUX, ak_form=replace(ATTESTATION_FORM, attributes=attributes))


def shown(*changed: LoggedEvent, keep: slice = slice(None)) -> Guest:
    return replace(LINUX, log_events=(*LINUX.booted[keep], *changed))


def pcr(index: int, value: bytes | None) -> Guest:
    values = {**LINUX.values}
    if value is None:
        del values[index]
    else:
        values[index] = value
    return replace(LINUX, sent_pcrs=values)


REFUSED = {
    # TPM-08: a key that signs what it is given.
    "ak not restricted": (without_restriction(0x00040472), "attestation_key.attributes"),
    "ak that decrypts": (without_restriction(0x00070472), "attestation_key.attributes"),
    "ak not fixed to its tpm": (without_restriction(0x00050470), "attestation_key.attributes"),
    "ak not fixed to its parent": (without_restriction(0x00050462), "attestation_key.attributes"),
    "ak from outside": (without_restriction(0x00050452), "attestation_key.attributes"),
    "ak that does not sign": (without_restriction(0x00010472), "attestation_key.attributes"),
    "ak named by sha-1": (
        replace(LINUX, ak_form=replace(ATTESTATION_FORM, name_algorithm=SHA1)),
        "attestation_key.attributes",
    ),
    # TPM-22: another scheme than the key's.
    "ak of another scheme": (
        replace(LINUX, ak_form=replace(ATTESTATION_FORM, scheme=RSAPSS)),
        "attestation_key.scheme",
    ),
    "certificate of another key": (replace(LINUX, certified="tpm other ak"), "aik_certificate.key"),
    "certificate of a stranger": (
        replace(LINUX, certificate=replace(CERTIFICATE, signed_by="forger")),
        "aik_certificate.chain",
    ),
    "certificate of another issuer": (
        replace(LINUX, certificate=replace(CERTIFICATE, issuer="Somebody", signed_by="forger")),
        "aik_certificate.chain",
    ),
    "certificate of a server": (
        replace(LINUX, certificate=replace(CERTIFICATE, purposes=("1.3.6.1.5.5.7.3.1",))),
        "aik_certificate.profile",
    ),
    "certificate without purpose": (
        replace(LINUX, certificate=replace(CERTIFICATE, purposes=())),
        "aik_certificate.profile",
    ),
    "certificate of an authority": (
        replace(LINUX, certificate=replace(CERTIFICATE, ca=True)),
        "aik_certificate.profile",
    ),
    "certificate that may not sign": (
        replace(LINUX, certificate=replace(CERTIFICATE, digital_signature=False)),
        "aik_certificate.profile",
    ),
    "certificate expired": (
        replace(LINUX, certificate=replace(CERTIFICATE, not_after=AT - timedelta(seconds=1))),
        "aik_certificate.validity",
    ),
    "certificate not yet valid": (
        replace(LINUX, certificate=replace(CERTIFICATE, not_before=AT + timedelta(seconds=1))),
        "aik_certificate.validity",
    ),
    "quote by another key": (replace(LINUX, signer="tpm other ak"), "tpm_quote.signature"),
    # AZ-07: PCRs that differ from the quote's digest, that are missing, that were not quoted.
    "pcr value changed": (pcr(4, bytes(32)), "tpm_quote.composite"),
    "pcr value missing": (pcr(4, None), "tpm_quote.selection"),
    "pcr value that was not quoted": (pcr(9, bytes(32)), "tpm_quote.selection"),
    "pcr missing in the set": (replace(LINUX, pcr_set=tuple(range(7))), "tpm_quote.pcr_set"),
    "pcr too many in the set": (replace(LINUX, pcr_set=tuple(range(9))), "tpm_quote.pcr_set"),
    "pcr 7 not quoted": (replace(LINUX, pcrs=tuple(range(7))), "tpm_quote.cover"),
    "pcr 0 not quoted": (replace(LINUX, pcrs=tuple(range(1, 8))), "tpm_quote.cover"),
    "windows without pcr 12": (replace(WINDOWS, pcrs=(*range(8), 11, 13)), "tpm_quote.cover"),
    "windows with the pcrs of linux": (replace(WINDOWS, pcrs=tuple(range(8))), "tpm_quote.cover"),
    # Certify confusion (tpm-and-guest 6).
    "certification by another key": (replace(LINUX, certifier="tpm other ak"), "encryption_key.certification"),
    "certification of another key": (replace(LINUX, certified_key="tpm other ak"), "encryption_key.name"),
    "encryption key that a password opens": (
        replace(LINUX, encryption_attributes=0x00020472),
        "encryption_key.attributes",
    ),
    "encryption key that signs": (replace(LINUX, encryption_attributes=0x00060432), "encryption_key.attributes"),
    "encryption key that is restricted": (
        replace(LINUX, encryption_attributes=0x00030432),
        "encryption_key.attributes",
    ),
    "encryption key that leaves its tpm": (
        replace(LINUX, encryption_attributes=0x00020430),
        "encryption_key.attributes",
    ),
    "encryption key from outside": (replace(LINUX, encryption_attributes=0x00020412), "encryption_key.attributes"),
    "encryption key with a signing scheme": (replace(LINUX, encryption_scheme=RSASSA), "encryption_key.attributes"),
    "encryption key without policy": (replace(LINUX, encryption_policy=b""), "encryption_key.policy"),
    "encryption key for another state": (replace(LINUX, encryption_policy=bytes(32)), "encryption_key.policy"),
    # TPM-18 and the log truncation of tpm-and-guest 6.
    "log without its last events": (shown(keep=slice(None, -5)), "log.replay"),
    "log without the events of pcr 7": (
        replace(LINUX, log_events=tuple(event for event in LINUX.booted if event.pcr != 7)),
        "log.replay",
    ),
    "log with one event more": (shown(LoggedEvent(4, IPL, b"more")), "log.replay"),
    "log of another order": (replace(LINUX, log_events=LINUX.booted[::-1]), "log.replay"),
    # AZ-01: runtime claims changed by one octet, or of another machine.
    "runtime claims changed": (
        replace(TDX, sent_runtime_claims=TDX.stated_claims.replace(b"true", b"True", 1)),
        "evidence.form",
    ),
    "runtime claims with another setting": (
        replace(
            TDX, sent_runtime_claims=TDX.stated_claims.replace(b'"console-enabled":true', b'"console-enabled":null')
        ),
        "isolation.runtime_claims",
    ),
    "runtime claims with a space more": (
        replace(TDX, sent_runtime_claims=TDX.stated_claims + b" "),
        "isolation.runtime_claims",
    ),
    "runtime claims of an SNP machine changed": (
        replace(SNP, sent_runtime_claims=SNP.stated_claims + b" "),
        "isolation.runtime_claims",
    ),
    # SNP-17: a report that the guest asked for, not its paravisor.
    "report of another privilege level": (
        replace(SNP, mint_proof=lambda data: mint_snp_proof(data, AT, replace(REPORT, vmpl=2))),
        "isolation.vmpl",
    ),
    # AZ-02: the hash is right, and another key quotes than the one in the claims.
    "runtime claims of another key": (
        replace(TDX, runtime_claims=encode_runtime_claims(derive_rsa_key("tpm other ak").public_key())),
        "isolation.attestation_key",
    ),
    # AZ-06: two keys of one name.
    "runtime claims with two attestation keys": (
        replace(TDX, runtime_claims=TDX.stated_claims.replace(b"HCLEkPub", b"HCLAkPub")),
        "evidence.form",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_negative_is_refused_by_the_check_of_its_attack_case(name):
    guest, check = REFUSED[name]
    assert refusal(guest_case(guest))[1].check.name == check


def test_a_key_bound_to_no_scheme_is_accepted():
    assert judge_guest(replace(LINUX, ak_form=replace(ATTESTATION_FORM, scheme=NULL))).verdict.decisive is None


def test_az_07_a_quote_of_another_bank_is_refused():
    """The values that are sent are of SHA-256; the quote is over SHA-1."""
    guest = replace(LINUX, bank=SHA1, sent_pcrs=LINUX.values)
    assert refusal(guest_case(guest))[1].check.name == "tpm_quote.banks"


def test_az_04_any_qualifying_data_is_accepted_since_none_is_asked_for():
    assert judge_guest(replace(LINUX, quote=AttestForm(extra_data=b"a nonce of the Go client"))).marks == ("simulator",)


FOREIGN = AttestForm(magic=0x12345678)


@pytest.mark.parametrize("guest", [replace(LINUX, quote=FOREIGN), replace(LINUX, certification=FOREIGN)])
def test_what_the_tpm_did_not_generate_is_refused(guest):
    """TPM-01: the same octets without TPM_GENERATED."""
    error, decisive = refusal(guest_case(guest))
    assert (error.code, decisive.check.name) == ("NotTpmGenerated", "evidence.form")


def test_another_machines_hardware_report_is_refused():
    """The report of a machine that is genuine, for claims that are not its own."""
    members, other = members_of(TDX), members_of(replace(TDX, ak="tpm other ak"))
    members["IsolationInfo"]["Evidence"]["Proof"] = other["IsolationInfo"]["Evidence"]["Proof"]
    error, decisive = refusal(case_of(json.dumps(members).encode()))
    assert isinstance(error, BindingMismatch)
    assert decisive.check.name == "isolation.runtime_claims"


def test_a_hardware_report_that_was_changed_is_refused_under_a_name_of_its_own():
    members = members_of(TDX)
    proof = bytearray(base64.b64decode(members["IsolationInfo"]["Evidence"]["Proof"]))
    proof[48 + 136] ^= 1  # MRTD
    members["IsolationInfo"]["Evidence"]["Proof"] = base64.b64encode(proof).decode()
    error, decisive = refusal(case_of(json.dumps(members).encode()))
    assert decisive.check.name == "isolation.tdx.quote.signature"
    assert error.message.startswith("isolation.tdx.quote.signature: ")


def test_an_snp_report_that_was_changed_is_refused_under_a_name_of_its_own():
    members = members_of(SNP)
    envelope = json.loads(base64.b64decode(members["IsolationInfo"]["Evidence"]["Proof"]))
    report = bytearray(base64.urlsafe_b64decode(envelope["SnpReport"] + "=="))
    report[0x90] ^= 1  # the measurement
    envelope["SnpReport"] = base64.urlsafe_b64encode(report).decode().rstrip("=")
    members["IsolationInfo"]["Evidence"]["Proof"] = base64.b64encode(json.dumps(envelope).encode()).decode()
    error, decisive = refusal(case_of(json.dumps(members).encode()))
    assert decisive.check.name == "isolation.snp.report.signature"
    assert error.message.startswith("isolation.snp.report.signature: ")


def test_a_proof_may_be_an_object():
    """rest-api 7.5: the Go client's nesting."""
    members = members_of(SNP)
    evidence = members["IsolationInfo"]["Evidence"]
    evidence["Proof"] = json.loads(base64.b64decode(evidence["Proof"]))
    assert judge(case_of(json.dumps(members).encode()), policy=PERMIT).verdict.decisive is None


def test_missing_endorsements_of_the_hardware_are_named():
    case = replace(guest_case(TDX), documents={})
    error, decisive = refusal(case)
    assert isinstance(error, EndorsementUnavailable)
    assert decisive.check.name == "isolation.tdx.endorsements.available"
    assert any("tcb_info.json" in document for document in error.documents)


def test_no_document_is_asked_for_before_the_evidence_itself_holds():
    """ADR 0002: a stranger cannot spend the vendor's quota with a guest that is none."""
    from assay.appraise import needs_of, parse_evidence
    from assay.errors import VerificationFailed
    from assay.evidence.base import Grounds

    for guest in (replace(TDX, signer="tpm other ak"), REFUSED["runtime claims of another key"][0]):
        case = guest_case(guest)
        evidence = parse_evidence(case.kind, case.submission)
        with pytest.raises(VerificationFailed):
            needs_of(case.kind, evidence, Grounds(AT, case.anchors))
    good = guest_case(TDX)
    assert len(needs_of(good.kind, parse_evidence(good.kind, good.submission), Grounds(AT, good.anchors))) == 4
    launch = guest_case(LINUX)
    assert needs_of(launch.kind, parse_evidence(launch.kind, launch.submission), Grounds(AT, launch.anchors)) == ()


@pytest.mark.parametrize("hash_name", ["sha384", "sha512"])
def test_longer_hashes_of_the_runtime_claims_bind_too(hash_name):
    guest = replace(TDX, hash_name=hash_name)
    assert judge_guest(guest).verdict.decisive is None
    changed = replace(guest, sent_runtime_claims=guest.stated_claims + b" ")
    assert refusal(guest_case(changed))[1].check.name == "isolation.runtime_claims"


@pytest.mark.parametrize("base", BASES.values(), ids=BASES)
def test_production_refuses_the_simulators_guests(base):
    case = replace(guest_case(base), anchors=PRODUCTION)
    assert refusal(case)[1].check.name == "aik_certificate.chain"


STRANGER = replace(CERTIFICATE, signed_by="forger")


def test_a_policy_may_let_the_hardware_alone_vouch_for_the_key():
    """`require_valid_aik_cert` false: for confidential VMs, whose key the hardware proves (ADR 0045)."""
    waived = {"require_valid_aik_cert": False}
    result = judge(guest_case(replace(TDX, certificate=STRANGER)), configuration=waived, policy=PERMIT)
    assert result.marks == ("simulator",)
    for guest, configuration in (
        (replace(LINUX, certificate=STRANGER), waived),
        (replace(TDX, certificate=STRANGER), {"require_valid_aik_cert": True}),
        (replace(TDX, certificate=STRANGER), {"require_valid_aik_cert": "false"}),
        (replace(TDX, certificate=STRANGER), {"require_valid_aik_cert": 0}),
    ):
        with pytest.raises(Exception, match=r"aik_certificate\.chain"):
            judge(guest_case(guest), configuration=configuration, policy=PERMIT)


def test_the_certificate_of_another_key_is_refused_even_where_none_is_required():
    guest = replace(TDX, certified="tpm other ak")
    with pytest.raises(BindingMismatch, match=r"aik_certificate\.key"):
        judge(guest_case(guest), configuration={"require_valid_aik_cert": False}, policy=PERMIT)


def test_held_data_that_nothing_binds_is_refused():
    case = guest_case(LINUX)
    held = HeldData(b"{}", HeldDataType.JSON, {})
    for submission in (
        replace(case.submission, runtime_data=held),
        replace(case.submission, init_time_data=held),
    ):
        assert refusal(replace(case, submission=submission))[1].check.name == "held_data.absent"


@pytest.mark.parametrize("base", [LINUX, TDX], ids=["linux", "tdx"])
def test_every_flipped_bit_of_what_the_tpm_signed_is_refused(base):
    """Not of AikPub: a bit of it that nothing reads (noDA) is bound by the signer's name alone, a rule of --strict."""
    members = members_of(base)
    tpm = members["TpmInfo"]
    names = ("PcrQuote", "PcrSignature", "EncKeyPub", "EncKeyCertifyInfo", "EncKeyCertifyInfoSignature")
    for name in names:
        content = base64.b64decode(tpm[name])
        for offset in range(0, len(content), 7):
            flipped = bytearray(content)
            flipped[offset] ^= 1 << offset % 8
            changed = {**members, "TpmInfo": {**tpm, name: base64.b64encode(flipped).decode()}}
            refusal(case_of(json.dumps(changed).encode()))


def test_the_public_area_of_the_key_that_quoted_is_bound_where_the_operator_is_strict():
    """tpm-and-guest 0.1: the qualified signer names it, of a primary key of the endorsement hierarchy."""
    other = replace(LINUX, quote=AttestForm(signer=b"\x00\x0b" + bytes(32)))
    assert judge_guest(other).verdict.decisive is None
    assert refusal(guest_case(other), STRICT)[1].check.name == "tpm_quote.signer"
    assert judge(guest_case(LINUX), STRICT, policy=PERMIT).verdict.decisive is None


@pytest.mark.parametrize("variable", ["pk", "kek", "db", "dbx"])
def test_secure_boot_keys_that_no_machine_comes_with_are_refused_where_the_operator_is_strict(variable):
    guest = replace(LINUX, firmware=replace(FIRMWARE, **{variable: signature_list(b"a stranger's key")}))
    assert judge_guest(guest).verdict.decisive is None
    _, decisive = refusal(guest_case(guest), STRICT)
    assert decisive.check.name == "secure_boot.keys"


def test_a_guest_that_leaves_out_its_log_is_refused():
    with pytest.raises(MalformedEvidence):
        judge(case_of(json.dumps({**members_of(LINUX), "TcgLogs": ""}).encode()), policy=PERMIT)


def test_a_certificate_that_the_operator_pinned_is_believed_whoever_issued_it():
    from assay.pki.certificate import parse_certificate
    from assay.simulator.tpm.certificates import mint_tpm_certificate

    leaf = parse_certificate(mint_tpm_certificate(derive_rsa_key("tpm ak").public_key(), STRANGER))
    pinned = trust_anchors(pinned_leaves=[leaf], allow_simulator=True)
    case = replace(guest_case(replace(LINUX, certificate=STRANGER)), anchors=pinned)
    assert judge(case, policy=PERMIT).verdict.decisive is None


def test_an_edited_property_of_the_boot_says_nothing_and_a_strict_operator_refuses_it():
    """Attack case TPM-14: Windows was debugged, and the log says otherwise under the digest of the truth."""
    booted = windows_boot(WindowsForm(kernel_debugging=True))
    truth = next(place for place, event in enumerate(booted) if tagged(0x00050001, b"\1") in event.data)
    lie = with_data(booted[truth], booted[truth].data.replace(tagged(0x00050001, b"\1"), tagged(0x00050001, b"\0")))
    guest = replace(WINDOWS, events=booted, log_events=(*booted[:truth], lie, *booted[truth + 1 :]))
    members = judge_guest(guest).statement.members
    assert members["x-ms-azurevm-debuggersdisabled"] is False
    assert refusal(guest_case(guest), STRICT)[1].check.name == "log.hidden"
    assert judge(guest_case(replace(WINDOWS, events=booted)), STRICT, policy=PERMIT).verdict.decisive is None


def test_the_policy_itself_says_that_no_certificate_is_required():
    text = """version=1.1;
configurationrules{ => issueproperty(type="require_valid_aik_cert", value=false); };
authorizationrules{ => permit(); };
issuancerules{};"""
    policy = stored_policy(text)
    guest = guest_case(replace(SNP, certificate=STRANGER))
    assert judge(guest, configuration=policy.configuration, policy=policy).verdict.decisive is None
    assert refusal(guest)[1].check.name == "aik_certificate.chain"

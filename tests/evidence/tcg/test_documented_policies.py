"""The policies of the documentation on the claims of whole logs: Windows, Linux with IMA, and golden PCRs."""

from __future__ import annotations

import base64
import json

import pytest

from assay.claims import Claim, ClaimSet
from assay.errors import PolicyDenied
from assay.evidence._tcg.algorithms import HashAlgorithm
from assay.evidence._tcg.boot_claims import boot_claims, idks_values
from assay.evidence._tcg.event_log import join_event_logs, parse_event_log
from assay.evidence._tcg.evidence_claims import EVENTS, PCRS, events_claim, pcrs_claim
from assay.evidence._tcg.ima import parse_ima_log
from assay.evidence._tcg.ima_replay import describe_ima, prove_ima
from assay.evidence._tcg.measured import MeasuredLog, measure
from assay.evidence._tcg.pcrs import PcrBank, pcr_bank
from assay.evidence._tcg.replay import seen_replay
from assay.evidence._tcg.sipa import parse_tagged
from assay.evidence._tcg.tagged_json import describe_event, describe_tagged
from assay.formats import base64url
from assay.policy import compile_policy, issued_members
from assay.simulator.tpm import boots
from assay.simulator.tpm.certificates import mint_tpm_root
from assay.simulator.tpm.event_log import encode_log, pcr_values, tagged
from assay.simulator.tpm.ima import Measurement, encode_binary, ima_pcr
from assay.simulator.tpm.structures import SHA256
from tests.shared_vectors import shared_path


def issued(policy: str, *claims: Claim) -> dict[str, object]:
    text = shared_path(f"spec/policies/{policy}.policy").read_bytes().decode()
    return dict(issued_members(compile_policy(text).evaluate(ClaimSet(claims)).issued))


def windows(form: boots.WindowsForm) -> MeasuredLog:
    events = boots.windows_boot(form)
    return measure(parse_event_log(encode_log(events)), [PcrBank(HashAlgorithm.SHA256, pcr_values(events)[SHA256])])


def health(form: boots.WindowsForm = boots.WINDOWS) -> dict[str, object]:
    return issued("tpm-csp-12-windows-health", Claim(EVENTS, events_claim(windows(form))))


HEALTHY = {
    "WindowsDefenderElamDriverLoaded": True,
    "bitlockerEnabled": True,
    "bitlockerEnabledValue": 4,
    "bootAppSvn": 1,
    "bootDebuggingDisabled": True,
    "bootMgrSvn": 1,
    "bootRevListInfo": base64url.encode(boots.WINDOWS.boot_revocations),
    "codeIntegrityEnabled": True,
    "codeIntegrityPolicy": base64url.encode(boots.WINDOWS.policies[0]),
    "depPolicy": 0,
    "flightSigningNotEnabled": True,
    "hvciEnabled": True,
    "iommuEnabled": True,
    "notSafeMode": True,
    "notWinPE": True,
    "osKernelDebuggingDisabled": True,
    "osRevListInfo": base64url.encode(boots.WINDOWS.os_revocations),
    "secureBootEnabled": True,
    "testSigningDisabled": True,
    "vbsEnabled": True,
}


def test_a_synthetic_windows_has_the_claims_of_the_published_token() -> None:
    assert health() == HEALTHY
    published = json.loads(shared_path("vectors/tpm/tokens/tpm-docs-sample-claims.json").read_text("utf-8"))
    assert set(HEALTHY) <= set(published)


@pytest.mark.parametrize(
    ("form", "changed"),
    [
        (boots.WindowsForm(code_integrity=False), {"codeIntegrityEnabled": False}),
        (boots.WindowsForm(kernel_debugging=True), {"osKernelDebuggingDisabled": False}),
        (boots.WindowsForm(test_signing=True), {"testSigningDisabled": False}),
        (boots.WindowsForm(flight_signing=None), {"flightSigningNotEnabled": False}),
        (boots.WindowsForm(hvci_policy=0), {"hvciEnabled": False}),
        (boots.WindowsForm(dep=3), {"depPolicy": 3}),
        (boots.WindowsForm(boot_manager_svn=7), {"bootMgrSvn": 7}),
        (boots.WindowsForm(boot_application_svn=9), {"bootAppSvn": 9}),
        (boots.WindowsForm(policies=(b"one", b"two")), {"codeIntegrityPolicy": ["b25l", "dHdv"]}),
        (boots.WindowsForm(firmware=boots.FirmwareForm(secure_boot=b"\0")), {"secureBootEnabled": False}),
    ],
)
def test_a_measured_property_changes_its_claim(form: boots.WindowsForm, changed: dict[str, object]) -> None:
    assert health(form) == {**HEALTHY, **changed}


def test_the_documented_linux_policy_reads_boot_variables_and_ima() -> None:
    events = boots.linux_boot()
    measured = (
        Measurement("/usr/bin/init", b"init"),
        Measurement("kernel_version", b"6.1.0-assay", buffer=True),
        Measurement(".builtin_trusted_keys", mint_tpm_root(), buffer=True),
    )
    bank = PcrBank(HashAlgorithm.SHA256, {**pcr_values(events)[SHA256], 10: ima_pcr(measured)})
    log = parse_event_log(encode_log(events))
    proof = prove_ima(log, parse_ima_log(encode_binary(measured)), [bank])
    text = events_claim(measure(log, [bank]), describe_ima(proof))
    found = issued("tpm-docs-12-linux-ima", Claim(EVENTS, text), Claim("aikValidated", True))
    keys = found.pop("builtintrustedkeys")
    assert isinstance(keys, str)
    assert keys.startswith("CN=Assay Simulator TPM Root CA")
    assert found == {
        "bootOrder": base64url.encode(boots.FIRMWARE.boot_order),
        "secureBootEnabled": True,
        "platformKey": base64url.encode(boots.FIRMWARE.pk),
        "keyExchangeKey": base64url.encode(boots.FIRMWARE.kek),
        "keyDatabase": base64url.encode(boots.FIRMWARE.db),
        "forbiddenSignatures": base64url.encode(boots.FIRMWARE.dbx),
        "kernelVersions": "6.1.0-assay",
    }


def test_golden_values_of_pcrs_are_compared() -> None:
    golden = shared_path("spec/policies/tpm-docs-12-pcr-golden.policy").read_text("utf-8")
    values = [text for text in golden.split("'") if len(text) == 64]
    sha256 = pcr_bank(HashAlgorithm.SHA256, [(pcr, bytes.fromhex(value)) for pcr, value in enumerate(values)])
    sha1 = pcr_bank(HashAlgorithm.SHA1, [(pcr, bytes(20)) for pcr in range(4)])
    assert issued("tpm-docs-12-pcr-golden", Claim(PCRS, pcrs_claim([sha1, sha256]))) == {}
    other = PcrBank(HashAlgorithm.SHA256, {**sha256.values, 2: bytes(32)})
    with pytest.raises(PolicyDenied):
        issued("tpm-docs-12-pcr-golden", Claim(PCRS, pcrs_claim([sha1, other])))


def test_the_pcrs_claim_has_the_documented_form() -> None:
    banks = [
        pcr_bank(HashAlgorithm.SHA1, [(0, b"\xab" * 20)]),
        pcr_bank(HashAlgorithm.SHA256, [(1, b"\xcd" * 32), (0, bytes(32))]),
    ]
    assert json.loads(pcrs_claim(banks)) == {
        "PCRs": [
            {"Index": 0, "Digests": {"SHA1": "ab" * 20, "SHA256": "00" * 32}},
            {"Index": 1, "Digests": {"SHA256": "cd" * 32}},
        ]
    }


@pytest.mark.parametrize("name", ["basic", "vbs"])
def test_the_log_of_a_two_round_exchange_gives_its_expected_claims(name: str) -> None:
    exchange = json.loads(shared_path(f"vectors/tpm/tpm_rest/synthetic-attReqV2-{name}.json").read_text("utf-8"))
    envelope = json.loads(_decode(exchange["request"]["data"]))
    payload = json.loads(_decode(envelope["payload"]["request"].split(".")[1]))
    fields = payload["att_data"]
    attestation = fields.get("report_signed", fields)["tpm_att_data"]["current_attestation"]
    log = join_event_logs(parse_event_log(_decode(one["log"])) for one in attestation["logs"])
    banks = [
        pcr_bank(HashAlgorithm(bank["algorithm"]), [(one["index"], _decode(one["digest"])) for one in bank["values"]])
        for bank in attestation["pcrs"]
    ]
    seen_replay(log, banks)
    measured = measure(log, [bank for bank in banks if bank.algorithm.is_strong])
    claims = dict(boot_claims(measured).members())
    for claim in ("secureBootEnabled", "vbsEnabled", "iommuEnabled"):
        assert claims[claim] is exchange["expected"][claim]
    found = issued("tpm-csp-12-windows-health", Claim(EVENTS, events_claim(measured)))
    assert found["bitlockerEnabledValue"] == exchange["expected"]["bitlockerEnabledValue"]
    assert len(idks_values(measured, 12)) == 1


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_logs_of_one_boot_are_numbered_through() -> None:
    first, second = (parse_event_log(encode_log(events)) for events in (boots.firmware_boot(), boots.linux_boot()))
    joined = join_event_logs([first, second])
    assert [event.sequence for event in joined.events] == list(range(len(first.events) + len(second.events)))
    assert join_event_logs([first]) is first


def test_a_value_that_is_measured_twice_with_other_content_is_a_list() -> None:
    """So that a rule about one value does not hold (tpm-and-guest 5.6)."""
    once = tagged(0x00020009, b"\1\0\0\0")
    twice = once + tagged(0x00020009, b"\2\0\0\0")
    assert describe_tagged(parse_tagged(once + once)) == {"EVENT_APPLICATION_SVN": 1}
    assert describe_tagged(parse_tagged(twice)) == {"EVENT_APPLICATION_SVN": [1, 2]}


def test_values_are_written_as_documented() -> None:
    module = tagged(0x40010003, tagged(0x00070001, "a\0".encode("utf-16-le")))
    event = (
        tagged(0x000C0002, b"\3\0\0\0")
        + module
        + tagged(0x40010001, tagged(0x00020005, b"\5\0\0\0") + tagged(0x0005000F, b"p") + tagged(0x000C0001, b"blob"))
        + tagged(0x40010001, tagged(0x00050002, b"\0\0\1") + tagged(0x00020009, bytes(9)) + tagged(0x0F0F0F0F, b""))
    )
    assert describe_event(parse_tagged(event)) == {
        "EVENT_DRTM_SMM": {"String": "3", "Value": 3},
        "EVENT_LOADEDMODULE_AGGREGATION": [{"EVENT_FILEPATH": "a"}],
        "EVENT_TRUSTBOUNDARY": {
            "EVENT_BITLOCKER_UNLOCK": {"String": "CACHED|TPM", "Value": 5},
            "EVENT_SI_POLICY": [{"RawData": "cA"}],
            "EVENT_DRTM_STATE_AUTH": {"SignatureValid": False},
            "EVENT_CODEINTEGRITY": True,
            "EVENT_APPLICATION_SVN": {"RawData": "AAAAAAAAAAAA"},
        },
    }

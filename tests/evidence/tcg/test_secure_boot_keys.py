"""The secure boot keys of machines against the references: genuine defaults are known, and what differs is named."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest

from assay.errors import ConfigurationError, MalformedEvidence
from assay.evidence._tcg.algorithms import HashAlgorithm
from assay.evidence._tcg.efi import parse_signature_lists
from assay.evidence._tcg.event_log import parse_event_log
from assay.evidence._tcg.measured import MeasuredLog, measure
from assay.evidence._tcg.pcrs import PcrBank
from assay.evidence._tcg.replay import replay
from assay.evidence._tcg.secure_boot_keys import classify_secure_boot_keys, extend_references
from assay.evidence._tcg.secure_boot_references import LEAST_FORBIDDEN, REFERENCES
from assay.simulator.tpm import boots
from assay.simulator.tpm.event_log import SHA256_SIGNATURE, encode_log, pcr_values, signature_list, variable
from assay.simulator.tpm.structures import SHA256
from tests.shared_vectors import shared_path

OWN = boots.FIRMWARE


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def certificate(variable_content: bytes) -> str:
    (entry,) = parse_signature_lists(variable_content)
    return sha256(entry.content)


OPERATOR = extend_references(
    {
        "PK": [certificate(OWN.pk)],
        "KEK": [certificate(OWN.kek)],
        "db": [certificate(OWN.db)],
        "dbx": [sha256(OWN.dbx)],
    }
)


def simulated(form: boots.FirmwareForm) -> MeasuredLog:
    events = boots.firmware_boot(form)
    return measure(parse_event_log(encode_log(events)), [PcrBank(HashAlgorithm.SHA256, pcr_values(events)[SHA256])])


@pytest.mark.parametrize("name", ["linux-v1", "windows-v2"])
def test_a_genuine_default_machine_of_azure_has_known_keys(name: str) -> None:
    path = shared_path(f"evidence/azureguest/azureguest-trustedlaunch-{name}/attestation_info.json")
    octets = base64.b64decode(json.loads(path.read_text("utf-8"))["TcgLogs"] + "==")
    log = parse_event_log(octets)
    keys = classify_secure_boot_keys(measure(log, [replay(log, HashAlgorithm.SHA256)]))
    assert keys.are_defaults
    assert keys.dbx.is_known
    assert keys.differing == ()


def test_the_simulators_own_keys_are_unknown_until_an_operator_names_them() -> None:
    measured = simulated(OWN)
    keys = classify_secure_boot_keys(measured)
    assert not any(finding.is_known for finding in keys)
    assert [text.split(":")[0] for text in keys.differing] == ["PK", "KEK", "db", "dbx"]
    assert certificate(OWN.db) in keys.differing[2]
    assert classify_secure_boot_keys(measured, OPERATOR).are_defaults
    assert classify_secure_boot_keys(measured, OPERATOR).dbx.is_known


@pytest.mark.parametrize("name", ["PK", "KEK", "db"])
def test_one_more_certificate_in_a_variable_is_named(name: str) -> None:
    intruder = b"an intruder's certificate"
    content = {"PK": OWN.pk, "KEK": OWN.kek, "db": OWN.db}
    content[name] += signature_list(intruder)
    keys = classify_secure_boot_keys(
        simulated(boots.FirmwareForm(pk=content["PK"], kek=content["KEK"], db=content["db"])), OPERATOR
    )
    assert not keys.are_defaults
    assert keys.differing == (f"{name}: unknown certificate {sha256(intruder)}",)


@pytest.mark.parametrize("content", [b"", b"no signature list", OWN.db[:-1]])
def test_a_database_that_is_empty_or_unreadable_is_not_known(content: bytes) -> None:
    keys = classify_secure_boot_keys(simulated(boots.FirmwareForm(db=content)), OPERATOR)
    assert not keys.db.is_known
    assert keys.pk.is_known


def test_a_newer_dbx_is_known_when_it_forbids_what_it_must() -> None:
    forbidden = [bytes.fromhex(one) for one in LEAST_FORBIDDEN]
    newer = signature_list(*forbidden, hashlib.sha256(b"newly revoked").digest(), kind=SHA256_SIGNATURE)
    older = signature_list(*forbidden[1:], kind=SHA256_SIGNATURE)
    assert classify_secure_boot_keys(simulated(boots.FirmwareForm(dbx=newer))).dbx.is_known
    finding = classify_secure_boot_keys(simulated(boots.FirmwareForm(dbx=older))).dbx
    assert not finding.is_known
    assert finding.differing == (f"1 of {len(LEAST_FORBIDDEN)} images that must be forbidden are not",)


def test_a_list_whose_header_would_hide_entries_is_refused() -> None:
    """Attack case TPM-16."""
    hidden = signature_list(bytes(32), kind=SHA256_SIGNATURE, header=bytes(48))
    with pytest.raises(MalformedEvidence):
        parse_signature_lists(hidden)


def test_a_variable_that_is_measured_twice_is_not_known() -> None:
    events = (*boots.firmware_boot()[:2], variable("PK", OWN.pk), *boots.firmware_boot()[2:])
    bank = PcrBank(HashAlgorithm.SHA256, pcr_values(events)[SHA256])
    keys = classify_secure_boot_keys(measure(parse_event_log(encode_log(events)), [bank]), OPERATOR)
    assert keys.pk.differing == ("measured 2 times",)


@pytest.mark.parametrize("added", [{"pk": ["0" * 64]}, {"db": ["0" * 63]}, {"db": ["A" * 64]}])
def test_an_operators_references_must_be_digests_of_a_variable(added: dict[str, list[str]]) -> None:
    with pytest.raises(ConfigurationError):
        extend_references(added)


def test_each_reference_stands_once() -> None:
    named = [(reference.variable, reference.sha256) for reference in REFERENCES]
    assert len(set(named)) == len(named)
    assert {reference.variable for reference in REFERENCES} == {"PK", "KEK", "db", "dbx"}

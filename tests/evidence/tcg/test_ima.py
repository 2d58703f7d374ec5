"""IMA lists: each form parsed, replayed to PCR 10, and believed as far as the quote goes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest

from assay.errors import AssayError, LimitExceeded, MalformedEvidence, UnsupportedEvidence
from assay.evidence._tcg.algorithms import HashAlgorithm
from assay.evidence._tcg.event_log import parse_event_log
from assay.evidence._tcg.evidence_claims import events_claim
from assay.evidence._tcg.ima import ImaEntry, parse_ima_log
from assay.evidence._tcg.ima_replay import describe_ima, prove_ima, seen_ima
from assay.evidence._tcg.measured import measure
from assay.evidence._tcg.pcrs import PcrBank
from assay.simulator.tpm import boots
from assay.simulator.tpm.certificates import mint_tpm_root
from assay.simulator.tpm.event_log import encode_log, pcr_values
from assay.simulator.tpm.ima import Measurement, boot_aggregate, encode_ascii, encode_binary, ima_pcr
from assay.simulator.tpm.structures import SHA1, SHA256
from assay.verdict import Mismatch
from tests.shared_vectors import shared_path

BOOT = boots.linux_boot()
VALUES = pcr_values(BOOT)
LOG = parse_event_log(encode_log(BOOT))
LIST = (
    boot_aggregate([VALUES[SHA256][pcr] for pcr in range(10)]),
    Measurement("/usr/bin/init", b"init"),
    Measurement("/usr/bin/busy", b"", violation=True),
    Measurement("kernel_version", b"6.1.0-assay", buffer=True),
    Measurement("/usr/bin/later", b"later", signature=b"\x03\x02\x04"),
)


def banks(measured: tuple[Measurement, ...] = LIST, *, padded: bool = False) -> list[PcrBank]:
    sha256 = {**VALUES[SHA256], 10: ima_pcr(measured, SHA256, padded=padded)}
    sha1 = {**VALUES[SHA1], 10: ima_pcr(measured, SHA1)}
    return [PcrBank(HashAlgorithm.SHA1, sha1), PcrBank(HashAlgorithm.SHA256, sha256)]


def entries(measured: tuple[Measurement, ...] = LIST) -> tuple[ImaEntry, ...]:
    return parse_ima_log(encode_binary(measured))


def test_both_forms_of_a_list_say_the_same() -> None:
    assert parse_ima_log(encode_ascii(LIST)) == entries()
    assert [(one.path, one.is_violation) for one in entries()] == [(one.path, one.violation) for one in LIST]


def test_an_empty_signature_may_have_lost_the_space_before_it() -> None:
    stripped = b"\n".join(line.rstrip() for line in encode_ascii(LIST).split(b"\n"))
    assert parse_ima_log(stripped) == entries()


@pytest.mark.parametrize("padded", [False, True])
def test_a_list_is_proven_by_every_quoted_bank(padded: bool) -> None:
    proof = prove_ima(LOG, entries(), banks(padded=padded))
    assert proof.entries == entries()
    assert proof.is_aggregate_checked
    assert proof.violations == 1
    assert seen_ima(LOG, entries(), banks(padded=padded)).observed == (
        "23 PCRs of SHA1",
        "23 PCRs of SHA256",
        "5 of 5 IMA entries",
    )


def test_entries_after_the_quote_prove_nothing() -> None:
    proof = prove_ima(LOG, entries(), banks(LIST[:2]))
    assert [one.path for one in proof.entries] == ["boot_aggregate", "/usr/bin/init"]
    assert proof.violations == 0


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(LIST[1:], id="first entry left out"),
        pytest.param(LIST[:-1], id="last entry left out"),
        pytest.param((*LIST[:2], LIST[3], LIST[2], LIST[4]), id="order"),
        pytest.param((LIST[0], replace(LIST[1], content=b"evil"), *LIST[2:]), id="another file"),
        pytest.param((*LIST[:2], replace(LIST[2], violation=False), *LIST[3:]), id="a violation made good"),
        pytest.param((LIST[0], replace(LIST[1], violation=True), *LIST[2:]), id="an entry made a violation"),
    ],
)
def test_an_edited_list_is_refused(changed: tuple[Measurement, ...]) -> None:
    with pytest.raises(Mismatch):
        prove_ima(LOG, entries(changed), banks())


def test_a_boot_aggregate_of_other_pcrs_is_refused() -> None:
    other = (boot_aggregate([bytes(32)] * 8), *LIST[1:])
    with pytest.raises(Mismatch):
        prove_ima(LOG, entries(other), banks(other))


def test_a_boot_aggregate_over_pcrs_that_are_not_quoted_is_not_checked() -> None:
    quoted = PcrBank(HashAlgorithm.SHA256, {10: ima_pcr(LIST)})
    assert not prove_ima(LOG, entries(), [quoted]).is_aggregate_checked


def test_banks_that_end_at_different_entries_are_refused() -> None:
    sha1, _ = banks(LIST)
    _, sha256 = banks(LIST[:2])
    with pytest.raises(Mismatch):
        prove_ima(LOG, entries(), [sha1, sha256])


def test_a_pcr_that_is_not_quoted_proves_no_list() -> None:
    with pytest.raises(Mismatch):
        prove_ima(LOG, entries(), [PcrBank(HashAlgorithm.SHA256, {0: VALUES[SHA256][0]})])


def test_other_pcrs_are_still_compared_with_the_log() -> None:
    sha1, sha256 = banks()
    altered = PcrBank(HashAlgorithm.SHA256, {**sha256.values, 8: bytes(32)})
    with pytest.raises(Mismatch):
        seen_ima(LOG, entries(), [sha1, altered])


def test_proven_entries_are_events_after_those_of_the_boot() -> None:
    measured = (*LIST, Measurement(".builtin_trusted_keys", mint_tpm_root(), buffer=True))
    proof = prove_ima(LOG, entries(measured), banks(measured))
    log = measure(LOG, banks(measured))
    listed = json.loads(events_claim(log, describe_ima(proof)))["Events"]
    ima = listed[len(LOG.events) :]
    assert [one["EventSeq"] for one in ima] == list(range(len(LOG.events), len(LOG.events) + 6))
    assert {(one["PcrIndex"], one["EventTypeString"]) for one in ima} == {(10, "IMA_MEASUREMENT_EVENT")}
    assert ima[1]["ProcessedData"] == {
        "FilePath": "/usr/bin/init",
        "FileHash": f"sha256:{hashlib.sha256(b'init').hexdigest()}",
    }
    assert ima[2]["ProcessedData"] == {}
    assert ima[3]["ProcessedData"] == {"KernelVersion": "6.1.0-assay"}
    assert ima[5]["ProcessedData"]["Keyring"] == ".builtin_trusted_keys"
    assert "Root CA" in ima[5]["ProcessedData"]["CertificateSubject"]


@pytest.mark.parametrize(
    "name",
    ["measurements", "signatures", "keyrings", "ima-log-sha1", "ima-log-sha256"],
)
def test_the_template_hash_of_every_line_of_a_real_list_recomputes(name: str) -> None:
    lines = shared_path(f"vectors/tpm/ima/keylime-{name}.txt").read_bytes()
    found = parse_ima_log(lines)
    written = [line.split()[1].decode() for line in lines.splitlines() if line]
    assert [one.template_hash.hex() for one in found] == written
    measured = [one for one in found if not one.is_violation]
    assert [hashlib.sha1(one.content).digest() for one in measured] == [one.template_hash for one in measured]


def test_a_real_list_with_a_changed_signature_is_refused() -> None:
    lines = shared_path("vectors/tpm/ima/keylime-bad_signatures.txt").read_bytes()
    template_hash = bytes.fromhex(lines.split()[1].decode())
    quoted = PcrBank(HashAlgorithm.SHA1, {10: hashlib.sha1(bytes(20) + template_hash).digest()})
    with pytest.raises(Mismatch):
        prove_ima(LOG, parse_ima_log(lines), [quoted])


def test_a_real_list_is_proven_by_the_pcr_that_its_lines_extend() -> None:
    lines = shared_path("vectors/tpm/ima/keylime-keyrings.txt").read_bytes()
    value = bytes(20)
    for line in lines.splitlines():
        value = hashlib.sha1(value + bytes.fromhex(line.split()[1].decode())).digest()
    proof = prove_ima(LOG, parse_ima_log(lines), [PcrBank(HashAlgorithm.SHA1, {10: value})])
    (event,) = describe_ima(proof)
    assert event["ProcessedData"] == {"Keyring": ".ima", "CertificateSubject": "CN=ecdsa-ca-signed-ec-key"}


def test_the_oldest_template_is_read_in_both_forms() -> None:
    digest = hashlib.sha1(b"init").digest()
    content = digest + b"/init".ljust(256, b"\0")
    template_hash = hashlib.sha1(content).digest()
    line = b"10 " + template_hash.hex().encode() + b" ima " + digest.hex().encode() + b" /init\n"
    binary = b"\x0a\0\0\0" + template_hash + b"\x03\0\0\0ima" + digest + b"\x05\0\0\0/init"
    assert parse_ima_log(line) == parse_ima_log(binary)
    (entry,) = parse_ima_log(line)
    assert (entry.content, entry.path, entry.file_hash) == (content, "/init", f"sha1:{digest.hex()}")


def test_digests_of_the_second_kind_are_read() -> None:
    digest = hashlib.sha256(b"init").hexdigest()
    (entry,) = parse_ima_log(f"10 {'1' * 40} ima-ngv2 verity:sha256:{digest} /init\n".encode())
    assert entry.file_hash == f"verity:sha256:{digest}"


@pytest.mark.parametrize(
    ("octets", "failure"),
    [
        (b"", MalformedEvidence),
        (b"10 00", MalformedEvidence),
        (b"10 00 ima-ng sha256:00 /init\n", MalformedEvidence),
        (b"10 " + b"0" * 40 + b" ima-ng sha256 /init\n", MalformedEvidence),
        (b"10 " + b"0" * 40 + b" ima-ng sha256:0g /init\n", MalformedEvidence),
        (b"10 " + b"0" * 40 + b" ima-ng sha256:00 /init more\n", MalformedEvidence),
        (b"11 " + b"0" * 40 + b" ima-ng sha256:00 /init\n", UnsupportedEvidence),
        (b"10 " + b"0" * 40 + b" evm-sig sha256:00 /init\n", UnsupportedEvidence),
        (encode_binary(LIST)[:-1], MalformedEvidence),
        (encode_binary([replace(LIST[1], pcr=11)]), UnsupportedEvidence),
        (b"\x0a\0\0\0" + bytes(20) + b"\xff\0\0\0", LimitExceeded),
        (bytes((3 << 20) + 1), LimitExceeded),
    ],
)
def test_a_malformed_list_is_refused(octets: bytes, failure: type[AssayError]) -> None:
    with pytest.raises(failure):
        parse_ima_log(octets)

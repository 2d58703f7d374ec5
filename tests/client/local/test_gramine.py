"""The pseudo-files of Gramine's documentation ("Low-level /dev/attestation interface"), as plain files."""

from __future__ import annotations

import errno

import pytest

from assay.client.local.gramine import Gramine
from assay.client.local.machine import Machine, SystemFiles
from assay.client.local.source import Asked, LocalEvidenceFailed, Presence
from tests.client.local.reports import enclave_quote

ASKED = Asked(bytes(range(64)))


@pytest.fixture
def enclave(tmp_path):
    directory = tmp_path / "dev" / "attestation"
    directory.mkdir(parents=True)
    (directory / "attestation_type").write_text("dcap\n")
    (directory / "user_report_data").write_bytes(bytes(64))
    (directory / "quote").write_bytes(enclave_quote(ASKED.report_data))
    return directory


def source(root) -> Gramine:
    return Gramine(Machine(SystemFiles(root), pause=lambda _: None))


def test_the_report_data_is_written_and_the_quote_is_read(enclave, tmp_path):
    made = source(tmp_path).collect(ASKED)
    assert (made.kind, made.source, made.evidence) == ("SgxEnclave", "gramine", enclave_quote(ASKED.report_data))
    assert (enclave / "user_report_data").read_bytes() == ASKED.report_data


def test_a_quote_of_other_report_data_is_refused(enclave, tmp_path):
    (enclave / "quote").write_bytes(enclave_quote(bytes(64)))
    with pytest.raises(LocalEvidenceFailed, match="report data of another caller"):
        source(tmp_path).collect(ASKED)


def test_a_short_quote_is_refused(enclave, tmp_path):
    (enclave / "quote").write_bytes(bytes(400))
    with pytest.raises(LocalEvidenceFailed, match="needs 64 bytes"):
        source(tmp_path).collect(ASKED)


@pytest.mark.parametrize("found", ["none", "epid", ""])
def test_another_attestation_type_is_told_with_the_line_of_the_manifest(enclave, tmp_path, found):
    (enclave / "attestation_type").write_text(found)
    look = source(tmp_path).look()
    assert look.presence is Presence.BLOCKED
    assert 'sgx.remote_attestation = "dcap"' in look.remedy


def test_a_look_finds_an_enclave(enclave, tmp_path):
    look = source(tmp_path).look()
    assert (look.presence, look.kind) == (Presence.USABLE, "SgxEnclave")


def test_outside_an_enclave_there_is_nothing(tmp_path):
    look = source(tmp_path).look()
    assert look.presence is Presence.ABSENT
    with pytest.raises(LocalEvidenceFailed, match="ENOENT"):
        source(tmp_path).collect(ASKED)


def test_a_quoting_enclave_that_times_out_is_tried_again(enclave, tmp_path):
    class Slow(SystemFiles):
        failures = 2

        def read(self, path: str, limit: int) -> bytes:
            if path.endswith("/quote") and self.failures:
                self.failures -= 1
                raise OSError(errno.ETIMEDOUT, "timed out")
            return super().read(path, limit)

    pauses: list[float] = []
    made = Gramine(Machine(Slow(tmp_path), pause=pauses.append)).collect(ASKED)
    assert (made.kind, len(pauses)) == ("SgxEnclave", 2)

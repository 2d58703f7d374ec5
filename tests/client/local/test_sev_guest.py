from __future__ import annotations

import ctypes
import errno
import json

import pytest

from assay.client.local import sev_guest
from assay.client.local.machine import Machine, SystemFiles
from assay.client.local.patience import DELAYS
from assay.client.local.sev_guest import BETWEEN_CALLS, SevGuest
from assay.client.local.source import Asked, LocalEvidenceFailed, Presence
from assay.formats import base64url
from tests.client.local.fake_guest_device import BUSY, INVALID_LENGTH, NOT_CALLED, FakeSevGuest
from tests.client.local.reports import (
    ARK,
    ASK,
    AUTHORITY,
    LEAF,
    ROOT,
    VCEK,
    certificate_table,
    certificates_in,
    snp_report,
)
from tests.shared_vectors import shared_path

ASKED = Asked(bytes(range(64)))
TABLE = certificate_table({VCEK: LEAF, ASK: AUTHORITY, ARK: ROOT})


class Tried:
    def __init__(self, tmp_path, device: FakeSevGuest, name: str = "sev-guest") -> None:
        (tmp_path / "dev").mkdir()
        (tmp_path / "dev" / name).touch()
        self.pauses: list[float] = []
        self.source = SevGuest(Machine(SystemFiles(tmp_path), device, pause=self.pauses.append))

    def failure(self, asked: Asked = ASKED) -> LocalEvidenceFailed:
        with pytest.raises(LocalEvidenceFailed) as caught:
            self.source.collect(asked)
        return caught.value


def members(made) -> dict[str, str]:
    return json.loads(made.evidence)


def test_a_report_without_certificates_takes_one_call(tmp_path):
    device = FakeSevGuest()
    tried = Tried(tmp_path, device)
    made = tried.source.collect(ASKED)
    assert base64url.decode_strict(members(made)["SnpReport"]) == snp_report(ASKED.report_data)
    assert device.calls == [("/dev/sev-guest", sev_guest.SNP_GET_EXT_REPORT)]
    assert tried.pauses == []


def test_certificates_take_a_second_call_with_the_size_that_the_first_told(tmp_path):
    device = FakeSevGuest(TABLE)
    tried = Tried(tmp_path, device)
    made = tried.source.collect(ASKED)
    assert device.calls == [("/dev/sev-guest", sev_guest.SNP_GET_EXT_REPORT)] * 2
    assert tried.pauses == [BETWEEN_CALLS]
    chain = base64url.decode_strict(members(made)["VcekCertChain"])
    assert certificates_in(chain) == [LEAF, AUTHORITY, ROOT]


def test_the_octets_of_a_request_are_those_of_the_vector(tmp_path):
    vectors = json.loads(shared_path("vectors/self-attestation/evidence-sources.json").read_text())
    device = FakeSevGuest()
    Tried(tmp_path, device).source.collect(ASKED)
    assert device.requests[0].hex() == vectors["snp_report_req"]["bytes"]
    assert int(vectors["ioctl"]["SNP_GET_REPORT"], 16) == sev_guest.SNP_GET_REPORT
    assert int(vectors["ioctl"]["SNP_GET_EXT_REPORT"], 16) == sev_guest.SNP_GET_EXT_REPORT
    sizes = vectors["sizes"]
    assert ctypes.sizeof(sev_guest.ReportRequest) == sizes["snp_report_req"]
    assert ctypes.sizeof(sev_guest.ExtendedReportRequest) == sizes["snp_ext_report_req"]
    assert ctypes.sizeof(sev_guest.GuestRequest) == sizes["snp_guest_request_ioctl"]


def test_the_privilege_level_is_in_the_request(tmp_path):
    made = Tried(tmp_path, FakeSevGuest()).source.collect(Asked(bytes(64), 3))
    assert base64url.decode_strict(members(made)["SnpReport"]) == snp_report(bytes(64), 3)


def test_the_device_of_older_kernels_is_found(tmp_path):
    device = FakeSevGuest()
    tried = Tried(tmp_path, device, "sev")
    assert tried.source.look().presence is Presence.USABLE
    tried.source.collect(ASKED)
    assert device.calls[0][0] == "/dev/sev"


@pytest.mark.parametrize("exit_information", [NOT_CALLED, (1 << 64) - 1, 0xFFFFFFFF])
def test_a_driver_without_the_extended_report_gives_the_plain_one(tmp_path, exit_information):
    device = FakeSevGuest(TABLE, answers=[(errno.ENOTTY, exit_information)])
    made = Tried(tmp_path, device).source.collect(ASKED)
    assert set(members(made)) == {"SnpReport"}
    assert [number for _, number in device.calls] == [sev_guest.SNP_GET_EXT_REPORT, sev_guest.SNP_GET_REPORT]


def test_a_throttled_call_is_tried_again(tmp_path):
    tried = Tried(tmp_path, FakeSevGuest(answers=[(errno.EIO, BUSY), (errno.EAGAIN, NOT_CALLED)]))
    assert tried.source.collect(ASKED).kind == "SevSnpVm"
    assert tried.pauses == list(DELAYS[:2])


def test_a_host_that_always_throttles_is_given_up(tmp_path):
    tried = Tried(tmp_path, FakeSevGuest(answers=[(errno.EIO, BUSY)] * 9))
    assert "the host throttles requests for reports (5 attempts)" in tried.failure().problem


def test_a_table_that_grew_between_the_calls_costs_the_attempt(tmp_path):
    device = FakeSevGuest(TABLE, answers=[None, (errno.EIO, INVALID_LENGTH)])
    tried = Tried(tmp_path, device)
    assert "VcekCertChain" in members(tried.source.collect(ASKED))
    assert tried.pauses == [BETWEEN_CALLS, DELAYS[0], BETWEEN_CALLS]


@pytest.mark.parametrize("size", [0, 1 << 20])
def test_a_table_of_no_or_of_any_size_is_refused(tmp_path, size):
    error = Tried(tmp_path, FakeSevGuest(TABLE, size_asked_for=size)).failure()
    assert f"a certificate table of {size} octets" in error.problem


def test_an_error_of_the_host_is_told(tmp_path):
    assert (
        "the host refused, error 7" in Tried(tmp_path, FakeSevGuest(answers=[(errno.EIO, 7 << 32)])).failure().problem
    )


def test_an_error_of_the_firmware_is_told(tmp_path):
    assert "error 0x16" in Tried(tmp_path, FakeSevGuest(answers=[(errno.EIO, 0x16)])).failure().problem


def test_a_response_with_a_status_is_no_report(tmp_path):
    """0x16: invalid parameters, as for a privilege level above the caller's."""
    error = Tried(tmp_path, FakeSevGuest(status=0x16)).failure()
    assert "status 0x16" in error.problem
    assert "privilege level" in error.remedy


def test_who_may_not_open_the_device_is_told(tmp_path):
    tried = Tried(tmp_path, FakeSevGuest(answers=[(errno.EACCES, NOT_CALLED)]))
    assert "root" in tried.failure().remedy
    assert tried.pauses == []


def test_a_machine_without_the_device_is_told(tmp_path):
    source = SevGuest(Machine(SystemFiles(tmp_path), FakeSevGuest()))
    found = source.look()
    assert found.presence is Presence.ABSENT
    assert "modprobe sev-guest" in found.remedy
    with pytest.raises(LocalEvidenceFailed, match="modprobe sev-guest"):
        source.collect(ASKED)


def test_a_report_of_other_data_is_refused(tmp_path):
    tried = Tried(tmp_path, FakeSevGuest(make_report=lambda _data, vmpl: snp_report(bytes(64), vmpl)))
    assert "report data of another caller" in tried.failure().problem


@pytest.mark.parametrize("size", [0, 1183, 3969])
def test_a_report_of_another_size_is_refused(tmp_path, size):
    tried = Tried(tmp_path, FakeSevGuest(make_report=lambda _data, _vmpl: bytes(size)))
    assert f"a report of {size} octets" in tried.failure().problem

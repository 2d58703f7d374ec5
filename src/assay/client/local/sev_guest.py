"""Reports of AMD SEV-SNP by the ioctls of /dev/sev-guest (Linux 5.19, uapi linux/sev-guest.h)."""

from __future__ import annotations

import ctypes
import errno
import mmap
from typing import TYPE_CHECKING, Final

from assay import limits
from assay.client.local.bound import require_in_snp_report
from assay.client.local.patience import PASSING, Passing, patiently, remedy_for
from assay.client.local.snp_envelope import snp_evidence
from assay.client.local.source import Asked, Finding, LocalEvidence, LocalEvidenceFailed, Presence
from assay.errors import MalformedEvidence
from assay.formats.reader import Reader

if TYPE_CHECKING:
    from assay.client.local.machine import Machine

# Older kernels of Azure have the second name (self-attestation 5).
DEVICES: Final = ("/dev/sev-guest", "/dev/sev")
# _IOWR('S', n, 32): the size is that of the argument below.
SNP_GET_REPORT: Final = 0xC0205300
SNP_GET_EXT_REPORT: Final = 0xC0205302
_KIND: Final = "SevSnpVm"
_MESSAGE_VERSION: Final = 1
_RESPONSE: Final = 4000
# self-attestation 5: one call in two seconds; some kernels lose the key of a guest that the host throttles.
BETWEEN_CALLS: Final = 2.0
_TABLE_TOO_SMALL, _THROTTLED = 1, 2
_ALL: Final = 0xFFFFFFFF
# What the driver writes before it asks the firmware: 0xff, or -1.
_NOT_CALLED: Final = (0xFF, _ALL)
_ABSENT: Final = "load it: modprobe sev-guest; it exists in guests of AMD SEV-SNP only, from Linux 5.19"


class ReportRequest(ctypes.Structure):
    """struct snp_report_req."""

    _fields_ = (("user_data", ctypes.c_uint8 * 64), ("vmpl", ctypes.c_uint32), ("reserved", ctypes.c_uint8 * 28))


class ExtendedReportRequest(ctypes.Structure):
    """struct snp_ext_report_req."""

    _fields_ = (("data", ReportRequest), ("certs_address", ctypes.c_uint64), ("certs_len", ctypes.c_uint32))


class GuestRequest(ctypes.Structure):
    """struct snp_guest_request_ioctl; errors of the firmware and, above them, of the host come back in `exitinfo2`."""

    _fields_ = (
        ("msg_version", ctypes.c_uint8),
        ("req_data", ctypes.c_uint64),
        ("resp_data", ctypes.c_uint64),
        ("exitinfo2", ctypes.c_uint64),
    )


class SevGuest:
    """Reports of SEV-SNP, with the host's certificates where it has some."""

    name: Final = "sev-guest"

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def look(self) -> Finding:
        device = self._device()
        if device is None:
            return Finding(self.name, Presence.ABSENT, f"no {DEVICES[0]}", remedy=_ABSENT)
        return Finding(self.name, Presence.USABLE, f"the device {device}", _KIND)

    def collect(self, asked: Asked) -> LocalEvidence:
        device = self._device()
        if device is None:
            raise LocalEvidenceFailed(self.name, f"no {DEVICES[0]}", _ABSENT)
        return patiently(self.name, lambda: self._attempt(device, asked), self._machine.pause)

    def _device(self) -> str | None:
        return next((device for device in DEVICES if self._machine.files.exists(device)), None)

    def _attempt(self, device: str, asked: Asked) -> LocalEvidence:
        response, table = self._extended_report(device, asked)
        report = _read_response(self.name, response)
        require_in_snp_report(self.name, report, asked.report_data)
        return snp_evidence(self._machine, self.name, report, table)

    def _extended_report(self, device: str, asked: Asked) -> tuple[bytes, bytes]:
        """The response and the certificate table: asked for without room first, which tells the size of the table."""
        extended = ExtendedReportRequest(_request(asked), 0, 0)
        try:
            return self._call(device, SNP_GET_EXT_REPORT, extended), b""
        except _HostRefused as refused:
            if refused.error != _TABLE_TOO_SMALL:
                raise LocalEvidenceFailed(self.name, str(refused), "see the log of the host") from refused
        except OSError as error:
            if error.errno not in (errno.ENOTTY, errno.EINVAL):
                raise
            # A driver or host without the extended report has the plain one.
            return self._call(device, SNP_GET_REPORT, _request(asked)), b""
        return self._report_with_table(device, extended)

    def _report_with_table(self, device: str, extended: ExtendedReportRequest) -> tuple[bytes, bytes]:
        size = int(extended.certs_len)
        if not 0 < size <= limits.QUOTE:
            raise LocalEvidenceFailed(self.name, f"a certificate table of {size} octets", "see the log of the host")
        # The kernel asks for whole pages; an anonymous mapping is aligned to them.
        with mmap.mmap(-1, size) as table:
            window = (ctypes.c_uint8 * size).from_buffer(table)
            extended.certs_address = ctypes.addressof(window)
            self._machine.pause(BETWEEN_CALLS)
            try:
                return self._call(device, SNP_GET_EXT_REPORT, extended), bytes(window)
            except _HostRefused as refused:
                raise Passing(f"{refused}, after it told the size of its table") from refused
            finally:
                del window

    def _call(self, device: str, number: int, request: ctypes.Structure) -> bytes:
        response = (ctypes.c_uint8 * _RESPONSE)()
        argument = GuestRequest(_MESSAGE_VERSION, ctypes.addressof(request), ctypes.addressof(response), 0)
        try:
            self._machine.control(device, number, argument)
        except OSError as error:
            self._explain(argument.exitinfo2, error)
        return bytes(response)

    def _explain(self, exit_information: int, error: OSError) -> None:
        """Raises what the errors of host and firmware mean, or the system's error when they are silent."""
        host, firmware = exit_information >> 32, exit_information & _ALL
        if firmware in _NOT_CALLED and host in (0, _ALL):
            raise error
        if host == _THROTTLED:
            raise Passing("the host throttles requests for reports") from error
        if host:
            raise _HostRefused(host) from error
        if firmware and error.errno not in PASSING:
            raise LocalEvidenceFailed(self.name, f"the firmware refused, error {firmware:#x}", remedy_for(error))
        raise error


class _HostRefused(Exception):
    """The hypervisor did not carry the request out."""

    def __init__(self, error: int) -> None:
        super().__init__(f"the host refused, error {error}")
        self.error = error


def _request(asked: Asked) -> ReportRequest:
    return ReportRequest((ctypes.c_uint8 * 64)(*asked.report_data), asked.privilege_level or 0)


def _read_response(source: str, response: bytes) -> bytes:
    """The report in a response of the firmware: status, size, 24 reserved octets, report."""
    reader = Reader(response, "response of the firmware", MalformedEvidence)
    status, size = reader.u32("status"), reader.u32("size")
    reader.take(24, "reserved")
    if status != 0:
        raise LocalEvidenceFailed(source, f"the firmware answers with status {status:#x}", "check the privilege level")
    if size > reader.remaining:
        raise LocalEvidenceFailed(source, f"a report of {size} octets", "see the log of the host")
    return reader.take(size, "report")

"""Quotes of Intel TDX without configfs: a TDREPORT of /dev/tdx_guest, made a quote by the host's quoting service."""

from __future__ import annotations

import ctypes
import re
from typing import TYPE_CHECKING, Final

from assay.client.local.bound import require_in_td_quote
from assay.client.local.patience import patiently
from assay.client.local.quote_generation import TD_REPORT_SIZE, request_quote
from assay.client.local.source import Asked, Finding, LocalEvidence, LocalEvidenceFailed, Presence
from assay.errors import LimitExceeded

if TYPE_CHECKING:
    from assay.client.local.machine import Machine

DEVICE: Final = "/dev/tdx_guest"
# uapi linux/tdx-guest.h: _IOWR('T', 1, struct tdx_report_req).
TDX_CMD_GET_REPORT0: Final = 0xC4405401
SETTINGS: Final = "/etc/tdx-attest.conf"
_PORT: Final = re.compile(r"^\s*port\s*=\s*(\d{1,10})\s*$", re.MULTILINE)
_KIND: Final = "TdxVm"
# Own: a few lines and their comments.
_SETTINGS: Final = 64 << 10
_ABSENT: Final = "load it: modprobe tdx-guest; it exists in trust domains of Intel TDX only, from Linux 6.2"
_NO_PORT: Final = (
    f"use Linux 6.7 or later with configfs-tsm, or name the host's quoting service: port=4050 in {SETTINGS}"
)
_VSOCK_ANY: Final = 0xFFFFFFFF


class TdxReportRequest(ctypes.Structure):
    """struct tdx_report_req."""

    _fields_ = (("reportdata", ctypes.c_uint8 * 64), ("tdreport", ctypes.c_uint8 * TD_REPORT_SIZE))


class TdxGuest:
    """Quotes of TDX; without a quoting service none, since a TDREPORT proves nothing to another machine."""

    name: Final = "tdx-guest"

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def look(self) -> Finding:
        if not self._machine.files.exists(DEVICE):
            return Finding(self.name, Presence.ABSENT, f"no {DEVICE}", remedy=_ABSENT)
        port = self._port()
        if port is None:
            seen = f"the device {DEVICE}, and no quoting service"
            return Finding(self.name, Presence.BLOCKED, seen, _KIND, _NO_PORT)
        return Finding(self.name, Presence.USABLE, f"the device {DEVICE}, quoting service at vsock port {port}", _KIND)

    def collect(self, asked: Asked) -> LocalEvidence:
        port = self._port()
        if port is None:
            raise LocalEvidenceFailed(self.name, "no quoting service", _NO_PORT)
        return patiently(self.name, lambda: self._attempt(port, asked), self._machine.pause)

    def _attempt(self, port: int, asked: Asked) -> LocalEvidence:
        request = TdxReportRequest((ctypes.c_uint8 * 64)(*asked.report_data))
        self._machine.control(DEVICE, TDX_CMD_GET_REPORT0, request)
        stream = self._machine.connect(port)
        try:
            quote = request_quote(self.name, stream, bytes(request.tdreport))
        finally:
            stream.close()
        # The service is the host's, and the host is not trusted.
        require_in_td_quote(self.name, quote, asked.report_data)
        return LocalEvidence(_KIND, quote, self.name)

    def _port(self) -> int | None:
        try:
            text = self._machine.files.read(SETTINGS, _SETTINGS).decode("ascii", "replace")
        except (OSError, LimitExceeded):
            return None
        found = _PORT.search(text)
        port = 0 if found is None else int(found[1])
        return port if 0 < port < _VSOCK_ANY else None

"""The ioctls of /dev/sev-guest and /dev/tdx_guest, by the kernel's uapi headers linux/sev-guest.h and linux/tdx-guest.h.

A fake follows the addresses in the structures, as the kernel does, and writes its answers there.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.client.local.reports import placed, snp_report

PAGE = 4096
INVALID_LENGTH, BUSY = 1 << 32, 2 << 32
# What the driver writes before the firmware is asked: 0xff in most kernels, SEV_RET_NO_FW_CALL (-1) in some.
NOT_CALLED = 0xFF


def failure(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def response(report: bytes, status: int = 0) -> bytes:
    """MSG_REPORT_RSP in a struct snp_report_resp: status, size, 24 reserved octets, report, of 4000 octets."""
    return placed(4000, {0: status.to_bytes(4, "little"), 4: len(report).to_bytes(4, "little"), 32: report})


@dataclass
class FakeSevGuest:
    """`answers` are errors of coming calls: (errno, exitinfo2), used up in order; None lets a call through."""

    table: bytes = b""
    status: int = 0
    has_extended: bool = True
    answers: list[tuple[int, int] | None] = field(default_factory=list)
    size_asked_for: int | None = None
    calls: list[tuple[str, int]] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)
    make_report: Callable[[bytes, int], bytes] = snp_report

    def __call__(self, path: str, number: int, argument: ctypes.Structure) -> None:
        self.calls.append((path, number))
        raw = bytes(argument)
        assert len(raw) == 32, "struct snp_guest_request_ioctl"
        assert raw[0] == 1, "the message version must not be zero"
        request, answer = (int.from_bytes(raw[at : at + 8], "little") for at in (8, 16))
        pending = self.answers.pop(0) if self.answers else None
        if pending is not None:
            self._end(argument, *pending)
        if number == 0xC0205302:
            self._extended(argument, request)
        elif number != 0xC0205300:
            self._end(argument, errno.ENOTTY, NOT_CALLED)
        self._report(ctypes.string_at(request, 96), answer)

    def _report(self, request: bytes, answer: int) -> None:
        self.requests.append(request)
        assert request[68:] == bytes(28), "the rest must be zero"
        report = self.make_report(request[:64], int.from_bytes(request[64:68], "little"))
        ctypes.memmove(answer, response(report, self.status), 4000)

    def _extended(self, argument: ctypes.Structure, request: int) -> None:
        if not self.has_extended:
            self._end(argument, errno.ENOTTY, NOT_CALLED)
        raw = ctypes.string_at(request, 112)
        address, size = int.from_bytes(raw[96:104], "little"), int.from_bytes(raw[104:108], "little")
        assert size % PAGE == 0, "EINVAL: whole pages only"
        if not self.table:
            return
        needed = -(-len(self.table) // PAGE) * PAGE if self.size_asked_for is None else self.size_asked_for
        if size < needed or not size:
            # The length that would do comes back in the request.
            ctypes.memmove(request + 104, needed.to_bytes(4, "little"), 4)
            self._end(argument, errno.EIO, INVALID_LENGTH)
        assert address % PAGE == 0, "the buffer begins at a page"
        ctypes.memmove(address, self.table.ljust(size, b"\0"), size)

    def _end(self, argument: ctypes.Structure, number: int, exit_information: int) -> None:
        ctypes.memmove(ctypes.addressof(argument) + 24, exit_information.to_bytes(8, "little"), 8)
        raise failure(number)


@dataclass
class FakeTdxGuest:
    """TDX_CMD_GET_REPORT0: 64 octets of report data in, a TDREPORT of 1024 octets behind them out."""

    error: int = 0
    calls: list[tuple[str, int]] = field(default_factory=list)

    def __call__(self, path: str, number: int, argument: ctypes.Structure) -> None:
        self.calls.append((path, number))
        raw = bytes(argument)
        assert len(raw) == 1088, "struct tdx_report_req"
        if self.error:
            raise failure(self.error)
        # REPORTMACSTRUCT: the type, and the report data at 128.
        ctypes.memmove(ctypes.addressof(argument) + 64, placed(1024, {0: b"\x81", 128: raw[:64]}), 1024)

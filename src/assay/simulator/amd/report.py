"""Synthetic SEV-SNP reports with any field chosen (quote-verification 8)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assay.simulator.amd.signing import sign_p384
from assay.simulator.keys import filler

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.simulator.amd.chip import Chip, Tcb

_SIGNED: Final = 0x2A0
_FIRMWARE: Final = bytes((29, 55, 1))  # build, minor, major
_LAYOUT: Final = struct.Struct(
    "<II Q 16s16s II 8s Q I4s 64s48s32s48s48s32s32s 8s BBB21s 64s 8s 3sB3sB 8s QQ 152s 72s72s 368s"
)


@dataclass(frozen=True, slots=True)
class SnpReport:
    """The fields that a guest or an attacker chooses; None means as the chip has it.

    `edit` changes the octets before they are signed, `edit_signed` after that; `signature` replaces r and s;
    `signed_by` names another key.
    """

    version: int = 3
    guest_svn: int = 2
    policy: int = 0x3001F
    family_id: bytes = bytes((1,)) + bytes(15)
    image_id: bytes = bytes((2,)) + bytes(15)
    vmpl: int = 0
    signature_algorithm: int = 1
    platform_info: int = 0x25
    key_info: int | None = None
    report_data: bytes = bytes(64)
    measurement: bytes = filler("amd measurement", 48)
    host_data: bytes = bytes(32)
    id_key_digest: bytes = filler("amd id key", 48)
    author_key_digest: bytes = bytes(48)
    chip_id: bytes | None = None
    reported: Tcb | None = None
    current: Tcb | None = None
    committed: Tcb | None = None
    launch: Tcb | None = None
    signature: tuple[bytes, bytes] | None = None
    signed_by: str = ""
    edit: Callable[[bytes], bytes] | None = None
    edit_signed: Callable[[bytes], bytes] | None = None


REPORT: Final = SnpReport()


def mint_snp_report(form: SnpReport, chip: Chip) -> bytes:
    """The report of a form on a chip, signed by the chip's key."""
    body = _encode(form, chip)
    if form.edit is not None:
        body = form.edit(body)
    r, s = sign_p384(form.signed_by or chip.key, body[:_SIGNED])
    halves = form.signature or (r.to_bytes(72, "little"), s.to_bytes(72, "little"))
    report = body[:_SIGNED] + b"".join(halves) + body[_SIGNED + 144 :]
    return report if form.edit_signed is None else form.edit_signed(report)


def _encode(form: SnpReport, chip: Chip) -> bytes:
    reported, current, committed, launch = (
        (chip.tcb if tcb is None else tcb).encode(chip.product)
        for tcb in (form.reported, form.current, form.committed, form.launch)
    )
    chip_id = chip.chip_id if form.chip_id is None else form.chip_id
    return _LAYOUT.pack(
        *(form.version, form.guest_svn, form.policy, form.family_id, form.image_id),
        *(form.vmpl, form.signature_algorithm, current, form.platform_info),
        *((4 if chip.vlek else 0) if form.key_info is None else form.key_info, bytes(4)),
        *(form.report_data, form.measurement, form.host_data, form.id_key_digest, form.author_key_digest),
        *(filler("amd report id", 32), b"\xff" * 32, reported),
        *(chip.processor if form.version >= 3 else (0, 0, 0)),
        *(bytes(21), chip_id, committed, _FIRMWARE, 0, _FIRMWARE, 0, launch),
        *(0, 0, bytes(152), bytes(72), bytes(72), bytes(368)),
    )


def edited(offset: int, octets: bytes) -> Callable[[bytes], bytes]:
    """Puts octets at an offset."""
    return lambda report: report[:offset] + octets + report[offset + len(octets) :]

"""TD report bodies 1.0, 1.5 and 1.5 Ex (quote-verification 1.2)."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from assay.evidence._intel_quote.quote import TD_1_0, TD_1_5, TD_1_5_EX

DEBUG: Final = 1 << 0
SEPT_VE_DISABLE: Final = 1 << 28
MIGRATABLE: Final = 1 << 29
PROTECTION_KEYS: Final = 1 << 30
KEY_LOCKER: Final = 1 << 31
PERFMON: Final = 1 << 63
# Bits 7:0 are the group TUD: with any of them set the domain is not trusted; only DEBUG is defined (attack case QV-20).
UNTRUSTED: Final = 0xFF
KNOWN_ATTRIBUTES: Final = DEBUG | SEPT_VE_DISABLE | MIGRATABLE | PROTECTION_KEYS | KEY_LOCKER | PERFMON

# TDX module specification, XFAM: x87 and SSE are always there; AVX, AVX-512, PT, PKRU, CET, UINTR, LBR and AMX may be.
XFAM_FIXED: Final = 0x3
XFAM_KNOWN: Final = 0x6DBE7


class TdReport(NamedTuple):
    """The fields of TD report 1.0 in their order."""

    tee_tcb_svn: bytes
    mr_seam: bytes
    mr_signer_seam: bytes
    seam_attributes: bytes
    td_attributes: bytes
    xfam: bytes
    mr_td: bytes
    mr_config_id: bytes
    mr_owner: bytes
    mr_owner_config: bytes
    rtmr0: bytes
    rtmr1: bytes
    rtmr2: bytes
    rtmr3: bytes
    report_data: bytes

    @property
    def attributes(self) -> int:
        return int.from_bytes(self.td_attributes, "little")

    @property
    def features(self) -> int:
        """XFAM as a number."""
        return int.from_bytes(self.xfam, "little")

    @property
    def rtmrs(self) -> tuple[bytes, bytes, bytes, bytes]:
        return self.rtmr0, self.rtmr1, self.rtmr2, self.rtmr3


class TdRelations(NamedTuple):
    """What TD report 1.5 adds: the TCB of the module that runs now, and the bound service TD."""

    tee_tcb_svn_2: bytes
    mr_service_td: bytes


class TdExtension(NamedTuple):
    """What TD report 1.5 Ex adds; of it the service TD's hashes are looked at (attack case QV-21)."""

    vm_id: int
    td_id: bytes
    device: bytes
    initial_service_td_hash: bytes
    initial_service_td_attributes: bytes
    initial_cpu_svn: bytes
    initial_tee_tcb_svn: bytes
    initial_fmspc: bytes
    current_service_td_hash: bytes
    current_service_td_attributes: bytes


TD_REPORT: Final = struct.Struct("<16s48s48s8s8s8s48s48s48s48s48s48s48s48s64s")
_RELATIONS: Final = struct.Struct("<16s48s")
_EXTENSION: Final = struct.Struct("<B32s48s48s8s16s16s12s48s8s")
assert TD_REPORT.size == TD_1_0.size  # facts of the layout, checked at import
assert TD_REPORT.size + _RELATIONS.size == TD_1_5.size
assert TD_REPORT.size + _RELATIONS.size + _EXTENSION.size == TD_1_5_EX.size
PARTS: Final = (TD_REPORT, _RELATIONS, _EXTENSION)

"""The SGX enclave report body, 384 octets (quote-verification 1.1)."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

DEBUG: Final = 1 << 1
INIT: Final = 1 << 0
MODE64BIT: Final = 1 << 2
PROVISION_KEY: Final = 1 << 4
EINITTOKEN_KEY: Final = 1 << 5
KSS: Final = 1 << 7


class EnclaveReport(NamedTuple):
    """The fields of a report in their order; identities and hashes as octets, SVNs as integers."""

    cpu_svn: bytes
    misc_select: bytes
    reserved1: bytes
    isv_ext_prod_id: bytes
    attributes: bytes
    mr_enclave: bytes
    reserved2: bytes
    mr_signer: bytes
    reserved3: bytes
    config_id: bytes
    isv_prod_id: int
    isv_svn: int
    config_svn: int
    reserved4: bytes
    isv_family_id: bytes
    report_data: bytes

    @property
    def flags(self) -> int:
        """The FLAGS half of ATTRIBUTES."""
        return int.from_bytes(self.attributes[:8], "little")


ENCLAVE_REPORT: Final = struct.Struct("<16s4s12s16s16s32s32s32s32s64sHHH42s16s64s")
assert ENCLAVE_REPORT.size == 384  # a fact of the layout, checked at import

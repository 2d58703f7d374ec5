"""The quote header, 48 octets (quote-verification 1.3)."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

INTEL_VENDOR_ID: Final = bytes.fromhex("939a7233f79c4ca9940a0db3957f0607")
ECDSA_P256: Final = 2
TEE_SGX: Final = 0x00000000
TEE_TDX: Final = 0x00000081


class QuoteHeader(NamedTuple):
    """The fields in their order; `user_data` begins with the QE id."""

    version: int
    attestation_key_type: int
    tee_type: int
    qe_svn: int
    pce_svn: int
    vendor_id: bytes
    user_data: bytes


QUOTE_HEADER: Final = struct.Struct("<HHIHH16s20s")
assert QUOTE_HEADER.size == 48  # a fact of the layout, checked at import

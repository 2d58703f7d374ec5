"""The report of a VBS enclave, as EnclaveGetAttestationReport gives it (tpm-and-guest 2.1)."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from assay import limits
from assay.errors import LimitExceeded, MalformedEvidence, UnsupportedEvidence
from assay.formats.reader import Reader

_WHAT: Final = "VBS enclave report"
_PACKAGE: Final = ("package size", "version", "scheme", "size of the statement", "size of the signature", "reserved")
_VERSION: Final = 1
_PSS_SHA256: Final = 1
_REPORT_VERSION: Final = 1
_VBS: Final = 0x10
# Enclave data, owner, unique, author, family and image identifiers; then numbers.
_REPORT: Final = struct.Struct("<II64s32s32s32s16s16sIIIIII")
# A block's size counts its header.
_BLOCK_HEADER: Final = 8

FULL_DEBUG: Final = 0x1
DYNAMIC_DEBUG: Final = 0x2
DYNAMIC_DEBUG_ACTIVE: Final = 0x4


class VbsReport(NamedTuple):
    """A parsed report; `signed` is the statement under its signature."""

    size: int
    version: int
    enclave_data: bytes
    owner_id: bytes
    unique_id: bytes
    author_id: bytes
    family_id: bytes
    image_id: bytes
    enclave_svn: int
    secure_kernel_svn: int
    platform_svn: int
    flags: int
    signing_level: int
    enclave_type: int
    signed: bytes
    signature: bytes


def parse_vbs_report(octets: bytes) -> VbsReport:
    """A report, and nothing after it; modules and blocks unknown here are stepped over.

    Raises `MalformedEvidence`, `UnsupportedEvidence` for other versions, schemes and kinds, and `LimitExceeded`.
    """
    if len(octets) > limits.ENCLAVE_REPORT:
        raise LimitExceeded(f"{_WHAT}, octets", limit=limits.ENCLAVE_REPORT, found=len(octets))
    reader = Reader(octets, _WHAT, MalformedEvidence)
    package, version, scheme, statement, signature, _ = (reader.u32(field) for field in _PACKAGE)
    if package != len(octets):
        raise MalformedEvidence(_WHAT, f"{len(octets)} octets, announced as {package}", offset=0)
    _require("package version", version, _VERSION)
    _require("signature scheme", scheme, _PSS_SHA256)
    signed = reader.take(statement, "signed statement")
    report = _parse_statement(signed, reader.take(signature, "signature"))
    reader.finish()
    return report


def _parse_statement(signed: bytes, signature: bytes) -> VbsReport:
    reader = Reader(signed, _WHAT, MalformedEvidence)
    report = VbsReport._make((*reader.structure(_REPORT, "report"), signed, signature))
    if report.size != len(signed):
        raise MalformedEvidence(_WHAT, f"a statement of {len(signed)} octets says {report.size}")
    _require("report version", report.version, _REPORT_VERSION)
    _require("enclave type", report.enclave_type, _VBS)
    while reader.remaining:
        reader.u32("type of a block")
        size = reader.u32("size of a block")
        if size < _BLOCK_HEADER:
            raise MalformedEvidence(_WHAT, f"a block of {size} octets", offset=reader.offset)
        reader.take(size - _BLOCK_HEADER, "block")
    return report


def _require(field: str, seen: int, expected: int) -> None:
    if seen != expected:
        raise UnsupportedEvidence(_WHAT, f"{field} {seen}, not {expected}", code="UnsupportedEnclaveReport")

"""The SEV-SNP attestation report, 1184 octets (quote-verification 8)."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from assay.endorsements.amd.product import Product, product_of_cpuid
from assay.endorsements.amd.vek import KeyKind
from assay.errors import MalformedEvidence, UnsupportedEvidence
from assay.formats.reader import Reader

_WHAT: Final = "SEV-SNP report"
REPORT_SIZE: Final = 1184
SIGNED_SIZE: Final = 0x2A0
VERSIONS: Final = range(2, 6)
ECDSA_P384_SHA384: Final = 1

SMT_ALLOWED: Final = 1 << 16
RESERVED_ONE: Final = 1 << 17
MIGRATION_ALLOWED: Final = 1 << 18
DEBUG_ALLOWED: Final = 1 << 19
SINGLE_SOCKET: Final = 1 << 20
CXL_ALLOWED: Final = 1 << 21
AES_256_XTS: Final = 1 << 22
RAPL_DISABLED: Final = 1 << 23
CIPHERTEXT_HIDING: Final = 1 << 24
PAGE_SWAP_DISABLED: Final = 1 << 25
# Of the platform's information (quote-verification 8).
ALIAS_CHECK_COMPLETE: Final = 1 << 5
_POLICY_BITS: Final = 26

_AUTHOR_KEY: Final = 1 << 0
_MASK_CHIP_KEY: Final = 1 << 1
# Bits 4:2 of the key information: which key signed; 7 is none.
_SIGNING_KEYS: Final = {0: KeyKind.VCEK, 1: KeyKind.VLEK}


class SnpReport(NamedTuple):
    """The fields of a report in their order; TCB versions as octets, since their layout depends on the product.

    The octets of CPUID and of the mitigation vectors are zero in versions that do not have them.
    """

    version: int
    guest_svn: int
    policy: int
    family_id: bytes
    image_id: bytes
    vmpl: int
    signature_algorithm: int
    current_tcb: bytes
    platform_info: int
    key_info: int
    reserved1: bytes
    report_data: bytes
    measurement: bytes
    host_data: bytes
    id_key_digest: bytes
    author_key_digest: bytes
    report_id: bytes
    report_id_ma: bytes
    reported_tcb: bytes
    cpuid_family: int
    cpuid_model: int
    cpuid_stepping: int
    reserved2: bytes
    chip_id: bytes
    committed_tcb: bytes
    current_version: bytes
    reserved3: int
    committed_version: bytes
    reserved4: int
    launch_tcb: bytes
    launch_mitigation_vector: int
    current_mitigation_vector: int
    reserved5: bytes
    signature_r: bytes
    signature_s: bytes
    reserved6: bytes
    octets: bytes

    @property
    def signed(self) -> bytes:
        """The octets under the signature."""
        return self.octets[:SIGNED_SIZE]

    @property
    def key_kind(self) -> KeyKind:
        """Which key signed, as the report says; parsing admits no other."""
        return _SIGNING_KEYS[self.key_info >> 2]

    @property
    def has_author_key(self) -> bool:
        return bool(self.key_info & _AUTHOR_KEY)

    @property
    def is_chip_id_masked(self) -> bool:
        return not any(self.chip_id)

    @property
    def product(self) -> Product | None:
        """The product line that the CPUID names; None before version 3, and of an unknown processor."""
        return product_of_cpuid(self.cpuid_family, self.cpuid_model) if self.version >= 3 else None


REPORT: Final = struct.Struct(
    "<II Q 16s16s II 8s Q I4s 64s48s32s48s48s32s32s 8s BBB21s 64s 8s 3sB3sB 8s QQ 152s 72s72s 368s"
)
assert REPORT.size == REPORT_SIZE  # a fact of the layout, checked at import


def parse_snp_report(octets: bytes) -> SnpReport:
    """The report; exactly its 1184 octets, every reserved field zero (quote-verification 9, step 1).

    Raises `MalformedEvidence`, and `UnsupportedEvidence` with its own code for other versions, signature algorithms,
    signing keys and processors.
    """
    reader = Reader(octets, _WHAT, MalformedEvidence)
    fields = reader.structure(REPORT, "report")
    reader.finish()
    report = SnpReport._make((*fields, octets))
    _require_supported(report)
    _require_reserved(report)
    return report


def _require_supported(report: SnpReport) -> None:
    if report.version not in VERSIONS:
        raise _unsupported(f"version {report.version}, expected 2 to 5", "UnsupportedReportVersion", 0)
    if report.signature_algorithm != ECDSA_P384_SHA384:
        problem = f"signature algorithm {report.signature_algorithm}, expected 1 (ECDSA P-384 with SHA-384)"
        raise _unsupported(problem, "UnsupportedSignatureAlgorithm", 0x34)
    if report.key_info >> 2 not in _SIGNING_KEYS:
        problem = f"signing key {report.key_info >> 2}, expected 0 (VCEK) or 1 (VLEK)"
        raise _unsupported(problem, "UnsupportedSigningKey", 0x48)
    if report.version >= 3 and report.product is None:
        problem = f"processor of family {report.cpuid_family:#04x}, model {report.cpuid_model:#04x}"
        raise _unsupported(problem, "UnsupportedProcessor", 0x188)


def _unsupported(problem: str, code: str, offset: int) -> UnsupportedEvidence:
    return UnsupportedEvidence(_WHAT, problem, code=code, offset=offset)


# The reserved fields in their order, and the high octets of r and s: where they are, and what they must be.
_PLACES: Final = (0x4C, 0x18B, 0x1EB, 0x1EF, 0x208, 0x2A0 + 48, 0x2E8 + 48, 0x330)
_ZEROS: Final = (bytes(4), bytes(21), 0, 0, bytes(152), bytes(24), bytes(24), bytes(368))


def _require_reserved(report: SnpReport) -> None:
    """Reserved fields are zero, and the policy bit that must be one is one (quote-verification 8.1, 9)."""
    if not report.policy & RESERVED_ONE or report.policy >> _POLICY_BITS:
        raise MalformedEvidence(_WHAT, "reserved bits of the policy", offset=0x08)
    reserved = (report.reserved1, report.reserved2, report.reserved3, report.reserved4, report.reserved5)
    found = (*reserved, report.signature_r[48:], report.signature_s[48:], report.reserved6)
    if found != _ZEROS:
        place = next(place for place, field, zero in zip(_PLACES, found, _ZEROS, strict=True) if field != zero)
        raise MalformedEvidence(_WHAT, "a reserved field is not zero", offset=place)
    # Fields that a version does not have are reserved in it.
    if report.version < 3 and (report.cpuid_family or report.cpuid_model or report.cpuid_stepping):
        raise MalformedEvidence(_WHAT, "a processor in version 2", offset=0x188)
    if report.version < 5 and (report.launch_mitigation_vector or report.current_mitigation_vector):
        raise MalformedEvidence(_WHAT, "mitigation vectors before version 5", offset=0x1F8)

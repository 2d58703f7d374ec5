"""The certification block of a quote: from the attestation key to the end of the certification data.

It is the same in every quote of a platform (quote-verification 1.4).
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from typing import Final, NamedTuple

from assay import limits
from assay.errors import MalformedEndorsement, MalformedEvidence, UnsupportedEvidence
from assay.evidence._intel_quote.report import ENCLAVE_REPORT, EnclaveReport
from assay.formats import pem
from assay.formats.reader import Reader
from assay.memo import Lazy, Memo
from assay.pki.certificate import Certificate, parse_certificate

_WHAT: Final = "certification data"
PCK_CHAIN: Final = 5
QE_REPORT: Final = 6


@dataclass(frozen=True, eq=False)
class CertificationBlock:
    """The parsed block; equal bytes give the same object once they were verified."""

    octets: bytes
    attestation_key: bytes
    qe_report_body: bytes
    qe_report: EnclaveReport
    qe_report_signature: bytes
    qe_authentication_data: bytes
    certificates: tuple[Certificate, ...]

    @Lazy
    def key_binding(self) -> bytes:
        """What the QE puts into its report data: the key and the authentication data, hashed, then zeros."""
        return hashlib.sha256(self.attestation_key + self.qe_authentication_data).digest() + bytes(32)


_VERIFIED: Final = Memo[bytes, CertificationBlock](limits.PLATFORMS)


def remember_block(block: CertificationBlock) -> None:
    """Keep a block that was verified: one that nobody signed could be of any size, and there could be any number."""
    _VERIFIED.keep(block.octets, block)


def parse_certification_block(octets: bytes) -> CertificationBlock:
    """The block of a version 3 quote, after its quote signature (quote-verification 1.4).

    Raises `MalformedEvidence`, and `UnsupportedEvidence` with its own code for certification data without the PCK
    certificate (types 1 to 4) and for unknown types.
    """
    kept = _VERIFIED.find(octets)
    return kept if kept is not None else _parse(octets)


class _NestedHead(NamedTuple):
    """What stands before the enclosed certification data."""

    attestation_key: bytes
    kind: int
    size: int


_NESTED: Final = struct.Struct("<64sHI")


def parse_nested_block(octets: bytes) -> CertificationBlock:
    """The block of a quote of version 4 or 5, where certification data of type 6 encloses all but the key (1.4).

    Without that envelope it is the block of version 3. Raises as `parse_certification_block`.
    """
    reader = Reader(octets, _WHAT, MalformedEvidence)
    attestation_key, kind, size = _NestedHead._make(reader.structure(_NESTED, "key and outer certification data"))
    if kind != QE_REPORT:
        raise UnsupportedEvidence(
            _WHAT,
            f"outer type {kind}, expected 6 (QE report certification data)",
            code="UnsupportedCertificationDataType",
        )
    content = reader.take(size, "outer certification data")
    reader.finish()
    return parse_certification_block(attestation_key + content)


def _parse(octets: bytes) -> CertificationBlock:
    reader = Reader(octets, _WHAT, MalformedEvidence)
    attestation_key = reader.take(64, "attestation key")
    body = reader.take(ENCLAVE_REPORT.size, "QE report")
    signature = reader.take(64, "QE report signature")
    authentication = reader.take(reader.u16("QE authentication data size"), "QE authentication data")
    kind = reader.u16("certification data type")
    content = reader.take(reader.u32("certification data size"), "certification data")
    reader.finish()
    _require_pck_chain(kind)
    ders = pem.decode_certificates(content, "PCK certificate chain", MalformedEvidence)
    return CertificationBlock(
        octets,
        attestation_key,
        body,
        EnclaveReport._make(ENCLAVE_REPORT.unpack(body)),
        signature,
        authentication,
        tuple(map(_parse_certificate, ders)),
    )


def _parse_certificate(der: bytes) -> Certificate:
    try:
        return parse_certificate(der)
    except MalformedEndorsement as error:
        raise MalformedEvidence("PCK certificate chain", error.message) from error


def _require_pck_chain(kind: int) -> None:
    if kind == PCK_CHAIN:
        return
    if 1 <= kind <= 4:
        raise UnsupportedEvidence(
            _WHAT,
            f"type {kind} carries no PCK certificate chain: PCK certificate unavailable",
            code="PckCertificateUnavailable",
        )
    raise UnsupportedEvidence(_WHAT, f"type {kind} is not known here", code="UnsupportedCertificationDataType")

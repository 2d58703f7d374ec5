"""The SGX ECDSA quote, version 3 (quote-verification 1.1 to 1.4)."""

from __future__ import annotations

from typing import Final, NamedTuple

from assay import limits
from assay.errors import LimitExceeded, MalformedEvidence, UnsupportedEvidence
from assay.evidence._intel_quote.certification import CertificationBlock, parse_certification_block
from assay.evidence._intel_quote.header import ECDSA_P256, QUOTE_HEADER, TEE_SGX, QuoteHeader
from assay.evidence._intel_quote.report import ENCLAVE_REPORT, EnclaveReport
from assay.formats.reader import Reader

_WHAT: Final = "SGX quote"
_SIGNED: Final = QUOTE_HEADER.size + ENCLAVE_REPORT.size
_SIGNATURE: Final = 64


class SgxQuote(NamedTuple):
    """A parsed quote; `signed` are the octets under its signature, `trailing` those after its declared end.

    `evidence` is what was submitted (with the Open Enclave header, where there was one): `quotehash` covers it.
    """

    evidence: bytes
    header: QuoteHeader
    report: EnclaveReport
    signed: bytes
    signature: bytes
    block: CertificationBlock
    trailing: bytes


def parse_sgx_quote(quote: bytes, evidence: bytes | None = None) -> SgxQuote:
    """The quote; lengths are judged by its own fields, octets after its declared end are kept apart.

    Raises `MalformedEvidence`, and `UnsupportedEvidence` with its own code for other versions, key types, TEE types
    and certification data.
    """
    if len(quote) > limits.QUOTE:
        raise LimitExceeded("quote, octets", limit=limits.QUOTE, found=len(quote))
    reader = Reader(quote, _WHAT, MalformedEvidence)
    header = QuoteHeader._make(reader.structure(QUOTE_HEADER, "header"))
    _require_supported(header)
    report = EnclaveReport._make(reader.structure(ENCLAVE_REPORT, "report body"))
    size = reader.u32("signature data length")
    if size < _SIGNATURE:
        raise MalformedEvidence(_WHAT, f"signature data of {size} octets", offset=_SIGNED)
    signature = reader.take(_SIGNATURE, "signature")
    block = reader.take(size - _SIGNATURE, f"rest of {size} octets of signature data")
    return SgxQuote(
        evidence if evidence is not None else quote,
        header,
        report,
        quote[:_SIGNED],
        signature,
        parse_certification_block(block),
        reader.rest(),
    )


def _require_supported(header: QuoteHeader) -> None:
    if header.version != 3:
        raise UnsupportedEvidence(
            _WHAT, f"quote version {header.version}, expected 3", code="UnsupportedQuoteVersion", offset=0
        )
    if header.attestation_key_type != ECDSA_P256:
        raise UnsupportedEvidence(
            _WHAT,
            f"attestation key type {header.attestation_key_type}, expected 2 (ECDSA P-256)",
            code="UnsupportedAttestationKeyType",
            offset=2,
        )
    if header.tee_type != TEE_SGX:
        raise UnsupportedEvidence(
            _WHAT, f"TEE type {header.tee_type:#x}, expected 0 (SGX)", code="UnsupportedTeeType", offset=4
        )

"""The SGX ECDSA quote, versions 3 to 5 (quote-verification 1.1 to 1.4)."""

from __future__ import annotations

from typing import Final, NamedTuple

from assay.evidence._intel_quote.certification import CertificationBlock
from assay.evidence._intel_quote.header import TEE_SGX, QuoteHeader
from assay.evidence._intel_quote.quote import Expected, parse_signed_quote
from assay.evidence._intel_quote.report import ENCLAVE_REPORT, EnclaveReport

# Version 3 in every sample; 4 and 5 carry enclave reports by their TEE type (1.3).
_EXPECTED: Final = Expected("SGX quote", (3, 4, 5), TEE_SGX)


class SgxQuote(NamedTuple):
    """A parsed quote; `signed` are the octets under its signature, `trailing` those after its declared end."""

    header: QuoteHeader
    report: EnclaveReport
    signed: bytes
    signature: bytes
    block: CertificationBlock
    trailing: bytes


def parse_sgx_quote(quote: bytes) -> SgxQuote:
    """The quote; lengths are judged by its own fields, octets after its declared end are kept apart.

    Raises `MalformedEvidence`, and `UnsupportedEvidence` with its own code for other versions, key types, TEE types
    and certification data.
    """
    parts = parse_signed_quote(quote, _EXPECTED)
    return SgxQuote(
        parts.header,
        EnclaveReport._make(ENCLAVE_REPORT.unpack(parts.body)),
        parts.signed,
        parts.signature,
        parts.block,
        parts.trailing,
    )

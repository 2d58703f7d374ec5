"""The checks of a quote under its certified attestation key (quote-verification 4, steps 1 and 13)."""

from __future__ import annotations

from typing import Final, NamedTuple, Protocol

from assay.errors import BindingMismatch, RuleViolated, SignatureInvalid
from assay.evidence._intel_quote.certify import Certification
from assay.evidence._intel_quote.header import INTEL_VENDOR_ID, QuoteHeader
from assay.pki.signatures import SignatureError, verify_p256_raw
from assay.verdict import NOT_APPLICABLE, Check, Mismatch, Seen, equal


class AnyQuote(Protocol):
    """What these checks look at of an SGX or TDX quote."""

    @property
    def header(self) -> QuoteHeader: ...
    @property
    def signed(self) -> bytes: ...
    @property
    def signature(self) -> bytes: ...
    @property
    def trailing(self) -> bytes: ...


class QuoteCase(NamedTuple):
    """A quote beside the certification of its attestation key."""

    quote: AnyQuote
    certification: Certification
    strict: bool


def _vendor(case: QuoteCase) -> Seen:
    return equal(case.quote.header.vendor_id, INTEL_VENDOR_ID)


def _trailing(case: QuoteCase) -> Seen:
    # Real files have octets after the quote; accepted and ignored unless strict (quote-verification 1.4).
    if not case.strict:
        return NOT_APPLICABLE
    return equal(len(case.quote.trailing), 0)


def _signature(case: QuoteCase) -> Seen:
    quote = case.quote
    try:
        verify_p256_raw(case.certification.attestation_key, quote.signature, quote.signed)
    except SignatureError as error:
        raise Mismatch(str(error), "a signature by the attestation key over header and report body") from error
    return _SIGNED


_SIGNED: Final = Seen("verifies", "signed by the attestation key")
_SPEC: Final = "Intel SGX DCAP quote verification; quote-verification 4"

QUOTE_CHECKS: Final[tuple[Check[QuoteCase], ...]] = (
    Check(
        "quote.vendor_id",
        "QeVendorUnknown",
        f"{_SPEC}, step 1",
        "only Intel's quoting enclave is supported",
        BindingMismatch,
        _vendor,
    ),
    Check(
        "quote.trailing",
        "TrailingOctets",
        "quote-verification 1.4; rule of --strict",
        "send the quote alone, without octets after its declared end",
        RuleViolated,
        _trailing,
    ),
    Check(
        "quote.signature",
        "QuoteSignatureInvalid",
        f"{_SPEC}, step 13",
        "produce a new quote: header or report body are not what the attestation key signed",
        SignatureInvalid,
        _signature,
    ),
)

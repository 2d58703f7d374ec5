"""Intel's ECDSA quotes of versions 3, 4 and 5: header, body, signature data (quote-verification 1.3 and 1.4)."""

from __future__ import annotations

from typing import Final, NamedTuple

from assay import limits
from assay.errors import LimitExceeded, MalformedEvidence, UnsupportedEvidence
from assay.evidence._intel_quote.certification import (
    CertificationBlock,
    parse_certification_block,
    parse_nested_block,
)
from assay.evidence._intel_quote.header import ECDSA_P256, QUOTE_HEADER, TEE_SGX, TEE_TDX, QuoteHeader
from assay.formats.reader import Reader

_SIGNATURE: Final = 64
# REPORTTYPE of a TDREPORT, the local structure under a MAC: type 0x81, and its size (attack case QV-27).
_TD_REPORT_TYPE: Final = 0x81
_TD_REPORT_SIZE: Final = 1024


class BodyForm(NamedTuple):
    """A form of the body: its number in version 5, its size, and the TEE whose report it is."""

    number: int
    size: int
    tee_type: int
    name: str


ENCLAVE_BODY: Final = BodyForm(1, 384, TEE_SGX, "SGX enclave report")
TD_1_0: Final = BodyForm(2, 584, TEE_TDX, "TD report 1.0")
TD_1_5: Final = BodyForm(3, 648, TEE_TDX, "TD report 1.5")
TD_1_5_EX: Final = BodyForm(4, 885, TEE_TDX, "TD report 1.5 Ex")
_FORMS: Final = {form.number: form for form in (ENCLAVE_BODY, TD_1_0, TD_1_5, TD_1_5_EX)}
# Version 4 says the form by the TEE type (1.3).
_OF_VERSION_4: Final = {TEE_SGX: ENCLAVE_BODY, TEE_TDX: TD_1_0}


class Expected(NamedTuple):
    """Which quotes an evidence type takes."""

    what: str
    versions: tuple[int, ...]
    tee_type: int


class SignedQuote(NamedTuple):
    """A quote in its parts, its body not yet parsed; `signed` are the octets under the quote's signature.

    `trailing` are the octets after its declared end.
    """

    header: QuoteHeader
    form: BodyForm
    body: bytes
    signed: bytes
    signature: bytes
    block: CertificationBlock
    trailing: bytes


# `SignedQuote(...)` without the call of a Python function.
_new = tuple.__new__


def parse_signed_quote(quote: bytes, expected: Expected) -> SignedQuote:
    """The parts of a quote; lengths are judged by its own fields, octets after its declared end are kept apart.

    Raises `MalformedEvidence`, and `UnsupportedEvidence` with its own code for other versions, key types, TEE types,
    body types and certification data, and for a TDREPORT in the place of a quote.
    """
    if len(quote) > limits.QUOTE:
        raise LimitExceeded("quote, octets", limit=limits.QUOTE, found=len(quote))
    if len(quote) == _TD_REPORT_SIZE and quote[0] == _TD_REPORT_TYPE:
        raise _td_report(expected.what)
    reader = Reader(quote, expected.what, MalformedEvidence)
    header = QuoteHeader._make(reader.structure(QUOTE_HEADER, "header"))
    _require_supported(header, expected)
    version_5 = header.version >= 5
    form = _read_form(reader, header, expected.what) if version_5 else _OF_VERSION_4[header.tee_type]
    body = reader.take(form.size, form.name)
    end = reader.offset
    size = reader.u32("signature data length")
    if size < _SIGNATURE:
        raise MalformedEvidence(expected.what, f"signature data of {size} octets", offset=end)
    signature = reader.take(_SIGNATURE, "signature")
    block = reader.take(size - _SIGNATURE, f"rest of {size} octets of signature data")
    parse_block = parse_certification_block if header.version == 3 else parse_nested_block
    return _new(SignedQuote, (header, form, body, quote[:end], signature, parse_block(block), reader.rest()))


def _read_form(reader: Reader, header: QuoteHeader, what: str) -> BodyForm:
    number, size = reader.u16("body type"), reader.u32("body size")
    form = _FORMS.get(number)
    if form is None:
        raise UnsupportedEvidence(what, f"body type {number}", code="UnsupportedBodyType", offset=QUOTE_HEADER.size)
    if form.tee_type != header.tee_type:
        raise MalformedEvidence(
            what, f"body type {number} with TEE type {header.tee_type:#x}", offset=QUOTE_HEADER.size
        )
    if form.size != size:
        raise MalformedEvidence(
            what, f"body of type {number} and {size} octets, expected {form.size}", offset=QUOTE_HEADER.size + 2
        )
    return form


def _td_report(what: str) -> UnsupportedEvidence:
    return UnsupportedEvidence(
        what,
        "a TDREPORT, which only its own platform can verify; have the quoting enclave make a quote of it",
        code="TdReportInsteadOfQuote",
        offset=0,
    )


def _require_supported(header: QuoteHeader, expected: Expected) -> None:
    if header.version not in expected.versions:
        known = ", ".join(map(str, expected.versions))
        raise UnsupportedEvidence(
            expected.what,
            f"quote version {header.version}, expected {known}",
            code="UnsupportedQuoteVersion",
            offset=0,
        )
    if header.attestation_key_type != ECDSA_P256:
        raise UnsupportedEvidence(
            expected.what,
            f"attestation key type {header.attestation_key_type}, expected 2 (ECDSA P-256)",
            code="UnsupportedAttestationKeyType",
            offset=2,
        )
    if header.tee_type != expected.tee_type:
        raise UnsupportedEvidence(
            expected.what,
            f"TEE type {header.tee_type:#x}, expected {expected.tee_type:#x}",
            code="UnsupportedTeeType",
            offset=4,
        )

"""Open Enclave envelopes around an SGX quote: report and evidence (quote-verification 7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from assay import limits
from assay.errors import LimitExceeded, MalformedEvidence, UnsupportedEvidence
from assay.evidence.sgx_enclave.quote import SgxQuote, parse_sgx_quote
from assay.formats.reader import Reader

_WHAT: Final = "Open Enclave report"
_EVIDENCE: Final = "Open Enclave evidence"
_REMOTE: Final = 2
# Format identifiers in the order of their octets (quote-verification 7.2).
_SGX_ECDSA: Final = bytes.fromhex("a3a21e871b4d4014b70aa125d2fbcd8c")
_LEGACY_REPORT: Final = bytes.fromhex("c8303454d9234c2ca691df7def460a76")
_RAW_QUOTE: Final = bytes.fromhex("1923d91e12d24c72b22025cd8dace871")
_REFUSED: Final = {
    bytes.fromhex("09268c336e0b45e58a2715644d0ef89a"): "SGX local attestation, which only the same machine can verify",
    bytes.fromhex("8ba70286c1cf11edafa10242ac120002"): "a TDX quote; send it to /attest/TdxVm",
}
# Version 2 puts a report header before the quote, version 3 does not.
_HEADED: Final = 2
_HEADER_VERSIONS: Final = (_HEADED, 3)
_REPORT_HEADER: Final = b"\x01\x00\x00\x00\x02\x00\x00\x00"


@dataclass(frozen=True, slots=True)
class OpenEnclaveReport:
    """The quote inside an envelope; `custom_claims` are the octets whose hash the report data must hold, or None."""

    quote: SgxQuote
    custom_claims: bytes | None


def parse_open_enclave(evidence: bytes) -> OpenEnclaveReport:
    """A report, or evidence with or without its header; told apart by the first octets (quote-verification 7.2).

    Raises `MalformedEvidence` and `UnsupportedEvidence`.
    """
    if len(evidence) > limits.QUOTE:
        raise LimitExceeded(f"{_WHAT}, octets", limit=limits.QUOTE, found=len(evidence))
    first = Reader(evidence, _WHAT, MalformedEvidence).u32("version")
    if first == 1:
        return OpenEnclaveReport(_parse_report(evidence), None)
    if first in _HEADER_VERSIONS:
        return _parse_evidence(evidence)
    # Evidence without its header begins with the quote itself: version 3, key type 2.
    if first == 3 | 2 << 16:
        return _quote_and_claims(evidence)
    raise MalformedEvidence(_WHAT, f"begins with {first:#010x}: neither a report nor evidence", offset=0)


def _parse_report(report: bytes) -> SgxQuote:
    reader = Reader(report, _WHAT, MalformedEvidence)
    version, kind, size = reader.u32("version"), reader.u32("type"), reader.u64("size")
    if version != 1:
        raise MalformedEvidence(_WHAT, f"version {version}, expected 1", offset=0)
    if kind != _REMOTE:
        raise UnsupportedEvidence(
            _WHAT, f"type {kind}, expected 2 (remote)", code="UnsupportedOpenEnclaveType", offset=4
        )
    # The wire tolerates octets after the declared length (rest-api 7.2); fewer are an error.
    return parse_sgx_quote(reader.take(size, "quote"))


def _parse_evidence(evidence: bytes) -> OpenEnclaveReport:
    reader = Reader(evidence, _EVIDENCE, MalformedEvidence)
    version = reader.u32("version")
    form, size = reader.take(16, "format"), reader.u64("size")
    content = reader.take(size, "evidence")
    reader.finish()
    if form in _REFUSED:
        raise UnsupportedEvidence(_EVIDENCE, f"format is {_REFUSED[form]}", code="UnsupportedEvidenceFormat")
    if form == _SGX_ECDSA:
        _require_report_header(content, present=version == _HEADED)
        return _quote_and_claims(content)
    if form == _LEGACY_REPORT:
        return OpenEnclaveReport(_parse_report(content), None)
    if form == _RAW_QUOTE:
        return OpenEnclaveReport(parse_sgx_quote(content), None)
    raise UnsupportedEvidence(_EVIDENCE, f"unknown format {form.hex()}", code="UnsupportedEvidenceFormat")


def _require_report_header(content: bytes, *, present: bool) -> None:
    if content.startswith(_REPORT_HEADER) != present:
        found = "lacks its report header" if present else "has a report header of version 2"
        raise MalformedEvidence(_EVIDENCE, f"the quote {found}", offset=0)


def _quote_and_claims(content: bytes) -> OpenEnclaveReport:
    # In version 2 a report header precedes the quote (quote-verification 7.2).
    if content.startswith(_REPORT_HEADER):
        reader = Reader(content, _EVIDENCE, MalformedEvidence)
        reader.take(8, "report header")
        quote = parse_sgx_quote(reader.take(reader.u64("quote size"), "quote"))
        claims = quote.trailing + reader.rest()
    else:
        quote = parse_sgx_quote(content)
        claims = quote.trailing
    _require_claims_form(claims)
    return OpenEnclaveReport(quote._replace(trailing=b""), claims)


def _require_claims_form(claims: bytes) -> None:
    """Custom claims: version 1, count, then names with a NUL and values, each with its size first."""
    if not claims:
        return
    reader = Reader(claims, "Open Enclave custom claims", MalformedEvidence)
    version, count = reader.u64("version"), reader.u64("count")
    if version != 1:
        raise MalformedEvidence("Open Enclave custom claims", f"version {version}, expected 1", offset=0)
    if count > limits.CUSTOM_CLAIMS:
        raise LimitExceeded("Open Enclave custom claims", limit=limits.CUSTOM_CLAIMS, found=count)
    for _ in range(count):
        name_size, value_size = reader.u64("name size"), reader.u64("value size")
        if not reader.take(name_size, "name").endswith(b"\x00"):
            raise MalformedEvidence("Open Enclave custom claims", "a name without its NUL", offset=reader.offset)
        reader.take(value_size, "value")
    reader.finish()

"""The report data in fresh evidence: what was asked for, or the evidence is another caller's."""

from __future__ import annotations

import hmac
from typing import Final

from assay.client.local.patience import Passing
from assay.client.local.source import REPORT_DATA, LocalEvidenceFailed
from assay.errors import MalformedEvidence
from assay.formats.reader import Reader

# quote-verification 1.1 and 8: where the report data begins.
_ENCLAVE_REPORT_DATA: Final = 48 + 320
_SNP_REPORT_DATA: Final = 0x50
SNP_REPORT_SIZE: Final = 1184
# quote-verification 1.2 and 1.3, by the version of the quote.
_TD_REPORT_DATA: Final = {4: 48 + 520, 5: 54 + 520}
_OTHER_FORMAT: Final = "this version does not know the format; see LIMITATIONS.md"


def require_in_enclave_quote(source: str, quote: bytes, report_data: bytes) -> None:
    """Raises `LocalEvidenceFailed` unless the quote (version 3) holds this report data."""
    _require(source, quote, _ENCLAVE_REPORT_DATA, report_data)


def require_in_snp_report(source: str, report: bytes, report_data: bytes) -> None:
    """Raises `LocalEvidenceFailed` unless it is a report that holds this report data."""
    if len(report) != SNP_REPORT_SIZE:
        raise LocalEvidenceFailed(source, f"a report of {len(report)} octets, not {SNP_REPORT_SIZE}", _OTHER_FORMAT)
    _require(source, report, _SNP_REPORT_DATA, report_data)


def require_in_td_quote(source: str, quote: bytes, report_data: bytes) -> None:
    """Raises `LocalEvidenceFailed` unless the quote (version 4 or 5) holds this report data."""
    version = Reader(quote, "TD quote", MalformedEvidence).u16("version") if len(quote) > 1 else 0
    if version not in _TD_REPORT_DATA:
        raise LocalEvidenceFailed(source, f"no quote of version 4 or 5, but {len(quote)} octets", _OTHER_FORMAT)
    _require(source, quote, _TD_REPORT_DATA[version], report_data)


def _require(source: str, evidence: bytes, offset: int, report_data: bytes) -> None:
    reader = Reader(evidence, source, MalformedEvidence)
    try:
        reader.take(offset, "what stands before the report data")
        found = reader.take(REPORT_DATA, "report data")
    except MalformedEvidence as error:
        raise LocalEvidenceFailed(source, error.message, _OTHER_FORMAT) from error
    if not hmac.compare_digest(found, report_data):
        raise Passing("the evidence holds the report data of another caller")

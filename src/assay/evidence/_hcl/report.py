"""The report of the host compatibility layer, the paravisor: hardware report, runtime claims (tpm-and-guest 4.1)."""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple

from assay import limits
from assay.errors import LimitExceeded, MalformedEvidence, UnsupportedEvidence
from assay.evidence._hcl.runtime_claims import HashType
from assay.formats.reader import Reader

_WHAT: Final = "HCL report"
SIGNATURE: Final = b"HCLA"
_VERSIONS: Final = (1, 2)
_HARDWARE_REPORT: Final = 1184
# The capability bitmap stands before the claims in requests for AK certificates only (tpm-and-guest 4.1).
_PLAIN, _WITH_CAPABILITIES = 1, 2
_TD_REPORT: Final = 1024
_TD_REPORT_TYPE: Final = 0x81
_SNP_VERSIONS: Final = range(1, 6)


class ReportType(IntEnum):
    """What kind of hardware vouches for the runtime claims; the others of the layout (VBS, none, CCA) are refused."""

    SNP = 2
    TDX = 4


class RequestData(NamedTuple):
    """The second part of the report: what was hashed into the report data, and how."""

    version: int
    report_type: ReportType
    hash_type: HashType
    claims: bytes


class HclReport(NamedTuple):
    """A parsed report; `hardware_report` is an SNP report (1184 octets) or a TDREPORT (1024)."""

    version: int
    request_type: int
    status: int
    hardware_report: bytes
    request_data: RequestData

    @property
    def report_data(self) -> bytes:
        """The 64 octets of the hardware report that the runtime claims are bound to."""
        reader = Reader(self.hardware_report, _WHAT, MalformedEvidence)
        reader.take(_REPORT_DATA_OFFSET[self.request_data.report_type], "before the report data")
        return reader.take(64, "report data")


# Of an SNP report (quote-verification 8) and of a TDREPORT (tpm-and-guest 4.2).
_REPORT_DATA_OFFSET: Final = {ReportType.SNP: 0x50, ReportType.TDX: 128}


def parse_hcl_report(content: bytes) -> HclReport:
    """The report as the vTPM stores it (2600 octets, formerly 2048).

    Its stated size and that of its data are not judged: real ones contradict the published texts (4.1). Raises
    `MalformedEvidence`, and `UnsupportedEvidence` for other versions, report types and hashes.
    """
    if len(content) > limits.HCL_REPORT:
        raise LimitExceeded(f"{_WHAT}, octets", limit=limits.HCL_REPORT, found=len(content))
    reader = Reader(content, _WHAT, MalformedEvidence)
    if reader.take(4, "signature") != SIGNATURE:
        raise MalformedEvidence(_WHAT, "does not begin with HCLA", offset=0)
    version = reader.u32("version")
    if version not in _VERSIONS:
        raise UnsupportedEvidence(_WHAT, f"version {version}, expected 1 or 2", code="UnsupportedHclVersion", offset=4)
    reader.u32("report size")
    request_type, status = reader.u32("request type"), reader.u32("status")
    reader.take(12, "reserved")
    hardware_report = reader.take(_HARDWARE_REPORT, "hardware report")
    data = parse_request_data(reader.rest())
    return HclReport(version, request_type, status, _require_kind(hardware_report, data.report_type), data)


def parse_request_data(content: bytes) -> RequestData:
    """The part from offset 1216 on: its header, the claims, and zeros; raises as `parse_hcl_report` does."""
    reader = Reader(content, _WHAT, MalformedEvidence)
    reader.u32("data size")
    version = reader.u32("data version")
    if version not in (_PLAIN, _WITH_CAPABILITIES):
        raise UnsupportedEvidence(_WHAT, f"data version {version}, expected 1 or 2", code="UnsupportedHclVersion")
    report_type, hash_type = _report_type(reader.u32("report type")), _hash_type(reader.u32("hash type"))
    size = reader.u32("size of the claims")
    if version == _WITH_CAPABILITIES:
        reader.u32("capability bitmap")
    claims = reader.take(size, "runtime claims")
    if any(reader.rest()):
        raise MalformedEvidence(_WHAT, "octets other than zero after the runtime claims")
    return RequestData(version, report_type, hash_type, claims)


def _report_type(value: int) -> ReportType:
    try:
        return ReportType(value)
    except ValueError as error:
        known = "2 (SEV-SNP) or 4 (TDX)"
        raise UnsupportedEvidence(
            _WHAT, f"report type {value}, expected {known}", code="UnsupportedHclReportType"
        ) from error


def _hash_type(value: int) -> HashType:
    try:
        return HashType(value)
    except ValueError as error:
        known = "1 (SHA-256), 2 (SHA-384) or 3 (SHA-512)"
        raise UnsupportedEvidence(_WHAT, f"hash type {value}, expected {known}", code="UnsupportedHclHash") from error


def _require_kind(hardware_report: bytes, stated: ReportType) -> bytes:
    """The hardware report without its padding; what it is must agree with what the header says (attack case AZ-05)."""
    reader = Reader(hardware_report, _WHAT, MalformedEvidence)
    match stated:
        case ReportType.SNP:
            version = reader.u32("version of the SNP report")
            if version not in _SNP_VERSIONS:
                raise MalformedEvidence(_WHAT, f"states an SNP report and holds one of version {version:#x}", offset=32)
            return hardware_report
        case ReportType.TDX:
            report = reader.take(_TD_REPORT, "TDREPORT")
            if report[0] != _TD_REPORT_TYPE or any(reader.rest()):
                raise MalformedEvidence(_WHAT, "states a TDREPORT and holds something else", offset=32)
            return report

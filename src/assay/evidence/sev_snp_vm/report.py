"""The spellings of SEV-SNP evidence: a JSON envelope, the report alone, with its header, or in an HCL report.

The wire's is the envelope (rest-api 7.3): report, certificate chain, endorsements of the utility VM.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from assay import limits
from assay.endorsements.amd.certificate_table import parse_certificate_table
from assay.endorsements.amd.spellings import read_certificates
from assay.errors import LimitExceeded, MalformedEvidence
from assay.evidence._hcl.report import SIGNATURE as HCL
from assay.evidence._hcl.report import ReportType, parse_hcl_report
from assay.evidence._snp.endorsement_case import SnpEvidence
from assay.evidence._snp.report import REPORT_SIZE, SnpReport, parse_snp_report
from assay.evidence.base import Submission
from assay.evidence.held_data import decode_submission
from assay.evidence.sev_snp_vm.uvm_checks import parse_endorsements
from assay.formats import base64url, strict_json
from assay.formats.base64url import Base64Error
from assay.formats.reader import Reader
from assay.formats.strict_json import JsonError, JsonValue
from assay.memo import Memo
from assay.pki.certificate import Certificate

_WHAT: Final = "SEV-SNP evidence"
_JSON: Final = re.compile(rb"\s*\{")
# Of a response of the guest's firmware: status, size, reserved (quote-verification 8).
_RESPONSE: Final = (0).to_bytes(4, "little") + REPORT_SIZE.to_bytes(4, "little") + bytes(24)


_MEMBERS: Final = ("snpreport", "vcekcertchain", "endorsements")


class SevSnpVmEvidence(NamedTuple):
    """A report, the certificates beside it, and the endorsements of its utility VM, not parsed."""

    snp: SnpEvidence
    endorsements: tuple[bytes, ...] = ()

    @property
    def report(self) -> SnpReport:
        return self.snp.report


def decode_sev_snp_vm(members: Mapping[str, JsonValue]) -> Submission:
    """The submission of a request body, whose names are in lower case; of the inner object too, sent without its cover.

    Raises `MalformedRequest`.
    """
    if members.get("report") is None and "snpreport" in members:
        inner = {name: value for name, value in members.items() if name in _MEMBERS}
        members = {**members, "report": base64url.encode(strict_json.encode_compact(inner))}
    return decode_submission(members, "report")


def parse_sev_snp_vm(content: bytes) -> SevSnpVmEvidence:
    """The evidence in any of its spellings; raises `MalformedEvidence`, its kinds, and `LimitExceeded`."""
    if len(content) > limits.REQUEST_BODY:
        raise LimitExceeded(f"{_WHAT}, octets", limit=limits.REQUEST_BODY, found=len(content))
    if _JSON.match(content):
        return _parse_envelope(content)
    if content.startswith(HCL):
        hcl = parse_hcl_report(content)
        if hcl.request_data.report_type is not ReportType.SNP:
            raise MalformedEvidence(_WHAT, "an HCL report of another technology")
        return SevSnpVmEvidence(SnpEvidence(parse_snp_report(hcl.hardware_report)))
    return _parse_binary(content)


def _parse_binary(content: bytes) -> SevSnpVmEvidence:
    """A report, perhaps after the header of a firmware response, perhaps with a certificate table or zeros behind."""
    body = content.removeprefix(_RESPONSE) if content.startswith(_RESPONSE) else content
    reader = Reader(body, _WHAT, MalformedEvidence)
    report, rest = parse_snp_report(reader.take(REPORT_SIZE, "report")), reader.rest()
    certificates = parse_certificate_table(rest, MalformedEvidence) if any(rest) else ()
    return SevSnpVmEvidence(SnpEvidence(report, certificates))


def _parse_envelope(content: bytes) -> SevSnpVmEvidence:
    known = _recalled(content)
    if known is not None:
        return known
    members = _members(content)
    report = _octets(members, "SnpReport")
    if report is None:
        raise MalformedEvidence(_WHAT, "SnpReport is missing")
    certificates = _certificates(members)
    endorsements = _octets(members, "Endorsements")
    utility = () if endorsements is None else parse_endorsements(endorsements)
    evidence = SevSnpVmEvidence(SnpEvidence(parse_snp_report(report), certificates), utility)
    _remember(content, members["snpreport"], evidence)
    return evidence


class _Frame(NamedTuple):
    """What stood around the text of a report in an envelope that was read, and what it says."""

    before: bytes
    after: bytes
    certificates: tuple[Certificate, ...]
    utility: tuple[bytes, ...]


# By a part of what follows the report, in which the leaf's key stands: reports of one host differ, the rest does not.
_FRAMES: Final = Memo[bytes, _Frame](limits.EVIDENCE_ENDINGS)
_LONGEST_FRAME: Final = 16 << 10
_REPORT_TEXT: Final = 1579
_OF_LEAF: Final = slice(500, 1200)
_NAME: Final = b'"SnpReport"'


def _recalled(content: bytes) -> SevSnpVmEvidence | None:
    """The evidence when only the report's text differs from an envelope that was read before, else None.

    Equal octets around one string, and base64 alone inside it: the object is the same but for that string.
    """
    start = content.find(b'"', content.find(b":")) + 1
    after = content[start + _REPORT_TEXT :]
    frame = _FRAMES.find(after[_OF_LEAF])
    if frame is None or frame.after != after or frame.before != content[:start]:
        return None
    try:
        report = base64url.decode_lenient(content[start : start + _REPORT_TEXT].decode("ascii", "replace"))
    except Base64Error:
        return None
    return SevSnpVmEvidence(SnpEvidence(parse_snp_report(report), frame.certificates), frame.utility)


def _remember(content: bytes, text: JsonValue, evidence: SevSnpVmEvidence) -> None:
    """Keep what stands around the report, where its text comes first, whole and without an escape."""
    start = content.find(b'"', content.find(b":")) + 1
    if not isinstance(text, str) or len(text) != _REPORT_TEXT or len(content) > _LONGEST_FRAME:
        return
    if content[start : start + _REPORT_TEXT] != text.encode("ascii") or content[start + _REPORT_TEXT :][:1] != b'"':
        return
    before = content[:start]
    if _NAME not in before or b"".join(before.split()) != b"{" + _NAME + b':"':
        return
    after = content[start + _REPORT_TEXT :]
    _FRAMES.keep(after[_OF_LEAF], _Frame(before, after, evidence.snp.certificates, evidence.endorsements))


def _members(content: bytes) -> Mapping[str, JsonValue]:
    try:
        return {name.lower(): value for name, value in strict_json.decode_object(content).items()}
    except JsonError as error:
        raise MalformedEvidence(_WHAT, str(error)) from error


def _octets(members: Mapping[str, JsonValue], name: str) -> bytes | None:
    """A member's octets, base64 or base64url (rest-api 2.1, 5); None and empty text are absence."""
    value = members.get(name.lower())
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise MalformedEvidence(_WHAT, f"{name} is not a string of base64url")
    try:
        return base64url.decode_evidence(value)
    except Base64Error as error:
        raise MalformedEvidence(_WHAT, f"{name}: {error}") from error


def _certificates(members: Mapping[str, JsonValue]) -> tuple[Certificate, ...]:
    """The certificates in PEM, in the JSON of a host's cache, or in a certificate table."""
    chain = _octets(members, "VcekCertChain")
    return () if chain is None else read_certificates(chain, "VcekCertChain", MalformedEvidence)

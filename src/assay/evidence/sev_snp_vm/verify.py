"""Verification of SEV-SNP evidence: the report, then what the caller sent with it."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from assay import limits
from assay.endorsements.anchors import UvmIssuer
from assay.endorsements.documents import DocumentKind, Need
from assay.errors import VerificationFailed
from assay.evidence._snp.verify import SNP_CHECKS, VerifiedSnpReport, snp_needs, verify_snp_report
from assay.evidence.base import Grounds, Submission
from assay.evidence.held_data import HELD_DATA_CHECKS, HeldDataCase
from assay.evidence.sev_snp_vm.report import SevSnpVmEvidence
from assay.evidence.sev_snp_vm.uvm_checks import UVM_CHECKS, UvmCase
from assay.verdict import AnyCheck, Check, Entry, Outcome, Seen, run

_WELL_FORMED: Final = Seen("well-formed", "SEV-SNP report, version 2 to 5")
FORM_CHECK: Final[Check[SevSnpVmEvidence]] = Check(
    "evidence.form",
    "MalformedEvidence",
    "quote-verification 8 and 9, step 1; attack cases SNP-12, SNP-13, SNP-14",
    "send the report exactly as the firmware returned it, in the envelope that the operation defines",
    VerificationFailed,
    lambda _: _WELL_FORMED,  # parsing decides: a report that does not parse is `MalformedEvidence` with this verdict
)
_FORM_PASSED: Final = Entry(FORM_CHECK, Outcome.PASSED, _WELL_FORMED)
_AFTER_REPORT: Final[tuple[AnyCheck, ...]] = (*UVM_CHECKS, *HELD_DATA_CHECKS)
SEV_SNP_VM_CHECKS: Final[tuple[AnyCheck, ...]] = (FORM_CHECK, *SNP_CHECKS, *_AFTER_REPORT)


class VerifiedSevSnpVm(NamedTuple):
    """SEV-SNP evidence that passed every check: only this type can become claims.

    `utility` is who endorsed the launch measurement of a container's utility machine, None where nobody did.
    """

    snp: VerifiedSnpReport
    utility: UvmIssuer | None
    submission: Submission
    entries: tuple[Entry, ...]


def needs_of(evidence: SevSnpVmEvidence, grounds: Grounds) -> tuple[Need, ...]:
    """The documents that this evidence needs besides what came with it.

    Raises as `verify_sev_snp_vm` does for the checks that come before any endorsement.
    """
    needs = snp_needs(evidence.snp, grounds, (_FORM_PASSED,), _AFTER_REPORT)
    return needs if evidence.endorsements else (*needs, _utility_need(evidence.report.measurement))


@lru_cache(maxsize=limits.IDENTIFIERS)
def _utility_need(measurement: bytes) -> Need:
    return Need(DocumentKind.MICROSOFT_UVM, platform=measurement.hex())


def verify_sev_snp_vm(evidence: SevSnpVmEvidence, submission: Submission, grounds: Grounds) -> VerifiedSevSnpVm:
    """Verify the report, what endorses its launch measurement, the hashes of the held data in report and host data.

    Raises the class of the failing check with the verdict so far; `EndorsementUnavailable` names missing documents.
    """
    entries = [_FORM_PASSED]
    verified = verify_snp_report(evidence.snp, grounds, entries, _AFTER_REPORT)
    report = verified.report
    utility = _utility_case(evidence, grounds)
    run(UVM_CHECKS, utility, entries, HELD_DATA_CHECKS)
    run(
        HELD_DATA_CHECKS,
        HeldDataCase(submission, report.report_data, report.host_data, grounds.rules),
        entries,
    )
    return VerifiedSevSnpVm(verified, utility.endorsing, submission, tuple(entries))


def _utility_case(evidence: SevSnpVmEvidence, grounds: Grounds) -> UvmCase:
    """The endorsements that came with the evidence, else the one that is at hand."""
    contents = evidence.endorsements
    if not contents:
        document = grounds.endorsements.find(_utility_need(evidence.report.measurement))
        contents = () if document is None else (document.body,)
    issuers = grounds.anchors.uvm_issuers if grounds.rules.uvm_issuers is None else grounds.rules.uvm_issuers
    return UvmCase(contents, evidence.report.measurement, issuers)

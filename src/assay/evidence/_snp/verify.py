"""Verification of a SEV-SNP report (quote-verification 9), for every type of evidence that carries one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from assay.endorsements.amd.tcb import TcbVersion
from assay.endorsements.anchors import VENDOR_ROOTS
from assay.endorsements.documents import Need
from assay.evidence._snp.endorse import CHAIN_CHECKS, Endorsed, endorse
from assay.evidence._snp.endorsement_case import SnpEvidence
from assay.evidence._snp.report import SnpReport
from assay.evidence._snp.report_checks import REPORT_CHECKS, ReportCase
from assay.evidence._snp.revocation_checks import REVOCATION_CHECKS, require_current
from assay.evidence._snp.rules import RULE_CHECKS, RuleCase
from assay.evidence.base import Grounds
from assay.verdict import AnyCheck, Entry, run

# The order in which problems are reported (quote-verification 9, end).
SNP_CHECKS: Final[tuple[AnyCheck, ...]] = (*CHAIN_CHECKS, *REVOCATION_CHECKS, *REPORT_CHECKS, *RULE_CHECKS)
_AFTER_REPORT: Final[tuple[AnyCheck, ...]] = RULE_CHECKS
_AFTER_REVOCATION: Final[tuple[AnyCheck, ...]] = (*REPORT_CHECKS, *_AFTER_REPORT)
_AFTER_CHAIN: Final[tuple[AnyCheck, ...]] = (*REVOCATION_CHECKS, *_AFTER_REVOCATION)


class VerifiedSnpReport(NamedTuple):
    """A report that passed every check of this module: only this type can become claims."""

    report: SnpReport
    endorsed: Endorsed
    reported_tcb: TcbVersion
    recorded_claims_only: bool = False

    @property
    def marks(self) -> tuple[str, ...]:
        """The unsafe conditions that the evidence itself brings."""
        return ("simulator",) if self.endorsed.anchor.simulated else ()


def snp_needs(
    evidence: SnpEvidence, grounds: Grounds, passed: Sequence[Entry], later: Sequence[AnyCheck]
) -> tuple[Need, ...]:
    """The documents that a report needs besides its certificates.

    Where those came with it they are checked first, so that the vendor is asked only about what its own root certified;
    raises as `verify_snp_report` does.
    """
    needs = evidence.needs
    if needs.endorsements:
        return (*needs.endorsements, *needs.revocation)
    endorsed = endorse(evidence, (), grounds, list(passed), (*_AFTER_CHAIN, *later))
    vouched = endorsed.anchor in VENDOR_ROOTS
    return tuple(replace(need, vouched=vouched) for need in needs.revocation)


def verify_snp_report(
    evidence: SnpEvidence, grounds: Grounds, passed: list[Entry], later: Sequence[AnyCheck]
) -> VerifiedSnpReport:
    """Verify a report on its grounds.

    1. the certificates: form, pinned root of the product, profile, signatures, extensions, kind of key (steps 2, 3)
    2. the revocation list, and the validity of all of them (step 4)
    3. the report: signature, TCB, chip, order of the TCBs (steps 5 to 8)
    4. the operator's rules (step 9)

    Appends to `passed`; `later` are the checks that the caller declared after these. Raises the class of the failing
    check with the verdict so far; `EndorsementUnavailable` names missing documents.
    """
    endorsed = endorse(evidence, evidence.needs.endorsements, grounds, passed, (*_AFTER_CHAIN, *later))
    require_current(endorsed, grounds, passed, (*_AFTER_REVOCATION, *later))
    case = ReportCase(evidence.report, endorsed)
    run(REPORT_CHECKS, case, passed, (*_AFTER_REPORT, *later))
    run(RULE_CHECKS, RuleCase(case, grounds.rules), passed, later)
    return VerifiedSnpReport(evidence.report, endorsed, endorsed.vek.tcb, grounds.rules.recorded_claims_only)

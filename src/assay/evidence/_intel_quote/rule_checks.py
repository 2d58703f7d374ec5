"""The operator's rules about Intel's platforms: accepted statuses, grace, advisories, listings, minimums.

A rule that is not in force is "not applicable" (quote-verification 4, step 15, and 5.8).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from assay import limits
from assay.endorsements.intel.generation import generation_names
from assay.endorsements.intel.tcb import TcbEvaluation, lift_to_baseline
from assay.errors import RuleViolated, TcbRejected
from assay.evidence._intel_quote.platform import Platform
from assay.evidence.base import PlatformRules
from assay.evidence.platform_rules import (
    GracePeriod,
    GraceStart,
    MinimumTcb,
    admitted_identifier,
    admitted_names,
    reached_svns,
)
from assay.memo import Memo
from assay.verdict import NOT_APPLICABLE, AnyCheck, Check, Entry, Mismatch, Seen, run


class PlatformRuleCase(NamedTuple):
    """What the rules about platforms look at."""

    platform: Platform
    rules: PlatformRules
    at: datetime

    @property
    def evaluation(self) -> TcbEvaluation:
        """The vendor's evaluation, raised by the operator's TCB baseline where there is one (5.7)."""
        found, baseline = self.platform.evaluation, self.rules.tcb_baseline
        return found if baseline is None else lift_to_baseline(found, baseline)

    @property
    def grace(self) -> GracePeriod | None:
        """The grace period that the status needs; None where it is accepted, or has none."""
        if not self.rules.grace:
            return None
        status = self.evaluation.status
        if status in self.rules.accepted_tcb:
            return None
        return next((grace for grace in self.rules.grace if grace.status is status), None)

    @property
    def grace_end(self) -> datetime | None:
        """Until when the status is tolerated, inclusive; None where nothing needs to be."""
        grace = self.grace
        return None if grace is None else _start(grace, self.platform, self.evaluation) + timedelta(days=grace.days)

    @property
    def names(self) -> tuple[str, ...]:
        return generation_names(self.platform.certification.pck.fmspc)

    @property
    def minimums(self) -> tuple[MinimumTcb, ...]:
        return self.rules.minimum_of(self.names)


def _start(grace: GracePeriod, platform: Platform, evaluation: TcbEvaluation) -> datetime:
    """The date of the TCB, or of the first level that Intel published after it."""
    match grace.start:
        case GraceStart.TCB_DATE:
            return evaluation.tcb_date
        case GraceStart.RECOVERY_EVENT:
            later = (date for date in platform.published_dates if date > evaluation.tcb_date)
            return min(later, default=evaluation.tcb_date)


def _status(case: PlatformRuleCase) -> Seen:
    accepted = case.rules.accepted_tcb
    found = case.platform.evaluation
    evaluation = found if case.rules.tcb_baseline is None else case.evaluation
    if evaluation.status in accepted:
        return Seen(evaluation, _ACCEPTED if evaluation is found else _RAISED)
    if case.grace is not None:
        return Seen(evaluation, "a status with a grace period")
    raise Mismatch(evaluation, tuple(sorted(status.value for status in accepted)))


_ACCEPTED: Final = "an accepted TCB status"
_RAISED: Final = "an accepted TCB status, raised by the operator's TCB baseline"


def _grace(case: PlatformRuleCase) -> Seen:
    end = case.grace_end if case.rules.grace else None
    if end is None:
        return NOT_APPLICABLE
    if case.at > end:
        raise Mismatch(("appraised at", case.at), ("in the grace period, which ended at", end))
    return Seen(("appraised at", case.at), ("in the grace period, which ends at", end))


def _advisories(case: PlatformRuleCase) -> Seen:
    listing, found = case.rules.advisories, case.platform.evaluation.advisory_ids
    if not listing.is_in_force:
        return NOT_APPLICABLE
    refused = tuple(advisory for advisory in found if not listing.admits((advisory,)))
    if refused:
        raise Mismatch(refused, "advisories that the operator accepts")
    return Seen(found, "advisories that the operator accepts")


def _minimum(case: PlatformRuleCase) -> Seen:
    if not case.rules.minimum_tcb or not case.minimums:
        return NOT_APPLICABLE
    _require_evaluation(case)
    certification = case.platform.certification
    svns = (("pce", certification.pck.pce_svn), ("qe", certification.block.qe_report.isv_svn))
    return reached_svns(case.minimums, svns)


def _require_evaluation(case: PlatformRuleCase) -> None:
    date, number = case.platform.evaluation.tcb_date, case.platform.tcb_info.evaluation_number
    for minimum in case.minimums:
        if minimum.tcb_date is not None and date < minimum.tcb_date:
            raise Mismatch(("TCB date", date), ("not before", minimum.tcb_date))
        if minimum.evaluation_number is not None and number < minimum.evaluation_number:
            raise Mismatch(("evaluation number", number), ("at least", minimum.evaluation_number))


def _ppid(case: PlatformRuleCase) -> Seen:
    if not case.rules.ppids.is_in_force:
        return NOT_APPLICABLE
    return admitted_identifier(case.rules.ppids, case.platform.certification.pck.ppid)


def _instance(case: PlatformRuleCase) -> Seen:
    if not case.rules.platform_instances.is_in_force:
        return NOT_APPLICABLE
    return admitted_identifier(case.rules.platform_instances, case.platform.certification.pck.platform_instance_id)


def _generation(case: PlatformRuleCase) -> Seen:
    if not case.rules.generations.is_in_force:
        return NOT_APPLICABLE
    return admitted_names(case.rules.generations, case.names)


_OTHER: Final = "attest from a platform that the operator admits, or have the operator change the rule"

TCB_RULE_CHECKS: Final[tuple[Check[PlatformRuleCase], ...]] = (
    Check(
        "tcb.status",
        "TcbStatusNotAccepted",
        "quote-verification 5.8",
        "update the platform as the advisories say, or let the operator accept the status (--accept-tcb)",
        TcbRejected,
        _status,
    ),
    Check(
        "tcb.grace",
        "GracePeriodOver",
        "control OK-04; rule graceDays",
        "update the platform as the advisories say: the operator's grace period for its TCB status is over",
        TcbRejected,
        _grace,
    ),
)
# What depends on platform and rules alone.
ADMISSION_CHECKS: Final[tuple[Check[PlatformRuleCase], ...]] = (
    Check(
        "tcb.advisories",
        "AdvisoryNotAccepted",
        "rule advisories",
        "mitigate the advisories on the platform, or have the operator accept them",
        TcbRejected,
        _advisories,
    ),
    Check(
        "tcb.minimum",
        "TcbBelowMinimum",
        "rule minimumTcb",
        "update the platform to what the operator asks of its product",
        TcbRejected,
        _minimum,
    ),
    Check("platform.ppid", "PlatformNotAdmitted", "rule ppids", _OTHER, RuleViolated, _ppid),
    Check(
        "platform.instance",
        "PlatformInstanceNotAdmitted",
        "rule platformInstances",
        _OTHER,
        RuleViolated,
        _instance,
    ),
    Check("platform.generation", "GenerationNotAdmitted", "rule generations", _OTHER, RuleViolated, _generation),
)
PLATFORM_RULE_CHECKS: Final = (*TCB_RULE_CHECKS, *ADMISSION_CHECKS)

_ADMITTED: Final = Memo[Platform, tuple[PlatformRules, tuple[Entry, ...]]](limits.PLATFORMS)


def run_platform_rules(case: PlatformRuleCase, passed: list[Entry], later: tuple[AnyCheck, ...]) -> None:
    """Run the rules about a platform; that these rules admitted this platform is remembered, never the rule on its TCB.

    Appends to `passed`; `later` are the admission checks and those after them. Raises the class of the failing check.
    """
    run(TCB_RULE_CHECKS, case, passed, later)
    kept = _ADMITTED.find(case.platform)
    if kept is None or kept[0] is not case.rules:
        start = len(passed)
        run(ADMISSION_CHECKS, case, passed, later[len(ADMISSION_CHECKS) :])
        _ADMITTED.keep(case.platform, (case.rules, tuple(passed[start:])))
        return
    passed.extend(kept[1])

"""The operator's rules about reports: debug, privilege level, migration, generation, chip, least TCB."""

from __future__ import annotations

from typing import Final, NamedTuple

from assay.errors import RuleViolated, TcbRejected
from assay.evidence._snp.report import ALIAS_CHECK_COMPLETE, DEBUG_ALLOWED, MIGRATION_ALLOWED, SnpReport
from assay.evidence._snp.report_checks import ReportCase
from assay.evidence.platform_rules import PlatformRules, admitted_identifier, admitted_names, reached_svns
from assay.verdict import NOT_APPLICABLE, Check, Mismatch, Seen, equal


class RuleCase(NamedTuple):
    """A verified report beside the rules."""

    verified: ReportCase
    rules: PlatformRules

    @property
    def report(self) -> SnpReport:
        return self.verified.report

    @property
    def generation(self) -> str:
        return self.verified.endorsed.vek.product.value.lower()


def _debug(case: RuleCase) -> Seen:
    if not case.rules.refuses_debug:
        return NOT_APPLICABLE
    return equal(bool(case.report.policy & DEBUG_ALLOWED), False)


def _migration(case: RuleCase) -> Seen:
    if not case.rules.refuses_migration:
        return NOT_APPLICABLE
    return equal(bool(case.report.policy & MIGRATION_ALLOWED), False)


def _vmpl(case: RuleCase) -> Seen:
    highest = case.rules.highest_accepted_vmpl
    if highest is None:
        return NOT_APPLICABLE
    if case.report.vmpl > highest:
        raise Mismatch(f"VMPL {case.report.vmpl}", f"VMPL {highest} or more privileged")
    return Seen(f"VMPL {case.report.vmpl}", f"VMPL {highest} or more privileged")


def _generation(case: RuleCase) -> Seen:
    listing = case.rules.generations
    if not listing.is_in_force:
        return NOT_APPLICABLE
    return admitted_names(listing, (case.generation,))


def _chip(case: RuleCase) -> Seen:
    listing = case.rules.chip_ids
    if not listing.is_in_force:
        return NOT_APPLICABLE
    # A masked identifier is zero and matches no list (attack case SNP-18).
    chip_id = None if case.report.is_chip_id_masked else case.report.chip_id
    return admitted_identifier(listing, chip_id)


def _minimum_tcb(case: RuleCase) -> Seen:
    """Reported, committed and launch TCB all reach the minimum (attack case SNP-09, control OK-07)."""
    if not case.rules.minimum_tcb:
        return NOT_APPLICABLE
    minimums = case.rules.minimum_of((case.generation,))
    if not minimums:
        return NOT_APPLICABLE
    report = case.report
    versions = [case.verified.tcb(one) for one in (report.reported_tcb, report.committed_tcb, report.launch_tcb)]
    lowest = [min(values) for values in zip(*(version.components for version in versions), strict=True)]
    return reached_svns(minimums, [(name, svn) for name, svn in zip(_COMPONENTS, lowest, strict=True) if svn >= 0])


def _alias_check(case: RuleCase) -> Seen:
    if not case.rules.require_alias_check:
        return NOT_APPLICABLE
    return equal(bool(case.report.platform_info & ALIAS_CHECK_COMPLETE), True)


# In the order of `TcbVersion.components`, by the names of `MinimumTcb`.
_COMPONENTS: Final = ("fmc", "bootloader", "tee", "snp", "microcode")

RULE_CHECKS: Final[tuple[Check[RuleCase], ...]] = (
    Check(
        "report.debug",
        "DebugNotAllowed",
        "attack case SNP-15; rule allow_debug",
        "launch the guest with a policy that does not allow debugging",
        RuleViolated,
        _debug,
    ),
    Check(
        "report.migration",
        "MigrationNotAllowed",
        "attack case SNP-16; rule allow_migration",
        "launch the guest with a policy that does not allow a migration agent",
        RuleViolated,
        _migration,
    ),
    Check(
        "report.vmpl",
        "VmplNotAccepted",
        "attack case SNP-17; rule highest_vmpl",
        "request the report at a more privileged level, or let the operator accept this one",
        RuleViolated,
        _vmpl,
    ),
    Check(
        "report.generation",
        "GenerationNotAdmitted",
        "attack case SNP-21; rule generations",
        "run the guest on a processor generation that the operator admits",
        RuleViolated,
        _generation,
    ),
    Check(
        "report.chip_listing",
        "ChipNotAdmitted",
        "attack case SNP-22; rule chip_ids",
        "run the guest on a chip that the operator admits",
        RuleViolated,
        _chip,
    ),
    Check(
        "report.minimum_tcb",
        "TcbBelowMinimum",
        "attack cases SNP-09, SNP-24; rule minimum_tcb",
        "update the platform's firmware and commit it, then launch the guest again",
        TcbRejected,
        _minimum_tcb,
    ),
    Check(
        "report.alias_check",
        "AliasCheckMissing",
        "attack case SNP-23; rule requireAliasCheck",
        "update the platform's firmware, which then checks its memory for aliases",
        RuleViolated,
        _alias_check,
    ),
)

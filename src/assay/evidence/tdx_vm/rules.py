"""The rules about trust domains: what no domain may be, and what the operator sets (attack cases QV-20 and QV-21)."""

from __future__ import annotations

from typing import Final, NamedTuple

from assay.errors import RuleViolated
from assay.evidence.base import PlatformRules
from assay.evidence.tdx_vm.quote import TdxQuote
from assay.evidence.tdx_vm.report import (
    DEBUG,
    KNOWN_ATTRIBUTES,
    MIGRATABLE,
    SEPT_VE_DISABLE,
    UNTRUSTED,
    XFAM_FIXED,
    XFAM_KNOWN,
)
from assay.verdict import NOT_APPLICABLE, Check, Mismatch, Seen, equal


class DomainCase(NamedTuple):
    """What the rules about trust domains look at."""

    quote: TdxQuote
    rules: PlatformRules


def _untrusted(case: DomainCase) -> Seen:
    # Undefined bits of the group would make the claim `dbgstat` untrue, so this is no matter of rules.
    return equal(case.quote.report.attributes & UNTRUSTED & ~DEBUG, 0)


def _debug(case: DomainCase) -> Seen:
    if not case.rules.refuses_debug:
        return NOT_APPLICABLE
    return equal(bool(case.quote.report.attributes & DEBUG), False)


def _attributes(case: DomainCase) -> Seen:
    if not case.rules.strict:
        return NOT_APPLICABLE
    return equal(case.quote.report.attributes & ~KNOWN_ATTRIBUTES, 0)


def _features(case: DomainCase) -> Seen:
    if not case.rules.strict:
        return NOT_APPLICABLE
    features = case.quote.report.features
    if features & XFAM_FIXED != XFAM_FIXED or features & ~XFAM_KNOWN:
        raise Mismatch(case.quote.report.xfam, f"bits of {XFAM_FIXED:#x} set, none outside {XFAM_KNOWN:#x}")
    return Seen(case.quote.report.xfam, "known features, x87 and SSE among them")


def _sept_ve_disable(case: DomainCase) -> Seen:
    if not case.rules.wants_sept_ve_disable:
        return NOT_APPLICABLE
    return equal(bool(case.quote.report.attributes & SEPT_VE_DISABLE), True)


def _migratable(case: DomainCase) -> Seen:
    if not case.rules.refuses_migration:
        return NOT_APPLICABLE
    return equal(bool(case.quote.report.attributes & MIGRATABLE), False)


def _service_td(case: DomainCase) -> Seen:
    if not case.rules.refuses_service_td:
        return NOT_APPLICABLE
    if any(case.quote.service_td):
        raise Mismatch(case.quote.service_td, "no bound service TD")
    return Seen("none", "no bound service TD")


DOMAIN_CHECKS: Final[tuple[Check[DomainCase], ...]] = (
    Check(
        "td.untrusted",
        "UntrustedAttributes",
        "attack case QV-20",
        "launch the trust domain without the reserved attributes of the group TUD (bits 7:1)",
        RuleViolated,
        _untrusted,
    ),
    Check(
        "td.debug",
        "DebugNotAllowed",
        "attack case QV-20; rule allow_debug",
        "launch the trust domain without the DEBUG attribute",
        RuleViolated,
        _debug,
    ),
    Check(
        "td.attributes",
        "AttributesNotAllowed",
        "attack case QV-20; rule of --strict",
        "launch the trust domain with known attributes only",
        RuleViolated,
        _attributes,
    ),
    Check(
        "td.features",
        "FeaturesNotAllowed",
        "quote-verification 1.2 (XFAM); rule of --strict",
        "launch the trust domain with an XFAM that the TDX module defines",
        RuleViolated,
        _features,
    ),
    Check(
        "td.sept_ve_disable",
        "SeptVeDisableRequired",
        "attack case QV-20; rule requireSeptVeDisable",
        "launch the trust domain with SEPT_VE_DISABLE",
        RuleViolated,
        _sept_ve_disable,
    ),
    Check(
        "td.migratable",
        "MigrationNotAllowed",
        "quote-verification 1.2 (bit 29); rule allowMigration",
        "launch the trust domain without the MIGRATABLE attribute",
        RuleViolated,
        _migratable,
    ),
    Check(
        "td.service_td",
        "ServiceTdNotAllowed",
        "attack case QV-21; rule allowServiceTd",
        "launch the trust domain without binding a service TD, or have the operator allow it",
        RuleViolated,
        _service_td,
    ),
)

"""Verification of a TDX quote (quote-verification 4)."""

from __future__ import annotations

from typing import Final, NamedTuple

from assay.endorsements.documents import Need
from assay.errors import VerificationFailed
from assay.evidence._intel_quote.certify import CERTIFICATION_CHECKS, certify
from assay.evidence._intel_quote.platform import TDX_PLATFORM_CHECKS, Platform, appraise_platform
from assay.evidence._intel_quote.platform_case import Baseline, PlatformSubject, platform_needs
from assay.evidence._intel_quote.quote_checks import QUOTE_CHECKS, QuoteCase
from assay.evidence._intel_quote.rule_checks import (
    ADMISSION_CHECKS,
    TCB_RULE_CHECKS,
    PlatformRuleCase,
    run_platform_rules,
)
from assay.evidence.base import Grounds, Submission
from assay.evidence.held_data import HELD_DATA_CHECKS, HeldDataCase
from assay.evidence.tdx_vm.event_log import EVENT_LOG_CHECKS, EventLogCase
from assay.evidence.tdx_vm.quote import TdxQuote
from assay.evidence.tdx_vm.rules import DOMAIN_CHECKS, DomainCase
from assay.verdict import AnyCheck, Check, Entry, Outcome, Seen, run

# No policy property selects TDX collateral: it is that of the operator's channel.
_BASELINE: Final = Baseline("tdx", None)


class VerifiedTdxQuote(NamedTuple):
    """A quote that passed every check: only this type can become claims."""

    quote: TdxQuote
    submission: Submission
    platform: Platform
    tcb: PlatformRuleCase
    entries: tuple[Entry, ...]


_WELL_FORMED: Final = Seen("well-formed", "TDX ECDSA quote, version 4 or 5, certification data type 5 within 6")
FORM_CHECK: Final[Check[TdxQuote]] = Check(
    "evidence.form",
    "MalformedEvidence",
    "quote-verification 1",
    "send the quote exactly as the quote library returned it, base64url-encoded",
    VerificationFailed,
    lambda _: (
        _WELL_FORMED
    ),  # parsing decides: a quote that does not parse is `MalformedEvidence` with this check's verdict
)
_FORM_PASSED: Final = Entry(FORM_CHECK, Outcome.PASSED, _WELL_FORMED)

_AFTER_DOMAIN: Final[tuple[AnyCheck, ...]] = (*EVENT_LOG_CHECKS, *HELD_DATA_CHECKS)
_AFTER_RULES: Final[tuple[AnyCheck, ...]] = (*DOMAIN_CHECKS, *_AFTER_DOMAIN)
_AFTER_TCB: Final[tuple[AnyCheck, ...]] = (*ADMISSION_CHECKS, *_AFTER_RULES)
_AFTER_PLATFORM: Final[tuple[AnyCheck, ...]] = (*TCB_RULE_CHECKS, *_AFTER_TCB)
_AFTER_QUOTE: Final[tuple[AnyCheck, ...]] = (*TDX_PLATFORM_CHECKS, *_AFTER_PLATFORM)
_AFTER_CERTIFICATION: Final[tuple[AnyCheck, ...]] = (*QUOTE_CHECKS, *_AFTER_QUOTE)
TDX_CHECKS: Final[tuple[AnyCheck, ...]] = (FORM_CHECK, *CERTIFICATION_CHECKS, *_AFTER_CERTIFICATION)


def needs_of(quote: TdxQuote, grounds: Grounds) -> tuple[Need, ...]:
    """The documents that this quote needs; asked for only once its certification reached a pinned root.

    Raises as `verify_tdx_quote` does for the checks that come before any endorsement.
    """
    passed = [_FORM_PASSED]
    certification = certify(quote.block, grounds.anchors, grounds.at, passed, _AFTER_CERTIFICATION)
    return platform_needs(certification, _BASELINE)


def verify_tdx_quote(quote: TdxQuote, submission: Submission, grounds: Grounds) -> VerifiedTdxQuote:
    """Verify a quote on its grounds.

    1. certification of the attestation key: chain, root, QE report, binding (steps 2, 3, 10, 11)
    2. the quote: vendor, signature (steps 1, 13)
    3. the platform: revocation, documents, TDX module, QE identity, TCB levels (steps 4 to 9, 12, 14)
    4. the operator's rules about platforms and trust domains (step 15)
    5. the event log, where there is one, against the RTMRs
    6. the held data: hashes in the report

    Raises the class of the failing check with the verdict so far; `EndorsementUnavailable` names missing documents.
    """
    entries, rules = [_FORM_PASSED], grounds.rules
    certification = certify(quote.block, grounds.anchors, grounds.at, entries, _AFTER_CERTIFICATION)
    run(QUOTE_CHECKS, QuoteCase(quote, certification, rules.strict), entries, _AFTER_QUOTE)
    subject = PlatformSubject(certification, _BASELINE, quote.module)
    platform = appraise_platform(subject, grounds, entries, _AFTER_PLATFORM)
    tcb = PlatformRuleCase(platform, rules, grounds.at)
    run_platform_rules(tcb, entries, _AFTER_TCB)
    run(DOMAIN_CHECKS, DomainCase(quote, rules), entries, _AFTER_DOMAIN)
    run(EVENT_LOG_CHECKS, EventLogCase(quote, rules), entries, HELD_DATA_CHECKS)
    # MRCONFIGID holds the hash of init-time data (rest-api 7.0, inferred).
    held = HeldDataCase(submission, quote.report.report_data, quote.report.mr_config_id, rules)
    run(HELD_DATA_CHECKS, held, entries)
    return VerifiedTdxQuote(quote, submission, platform, tcb, tuple(entries))

"""Verification of an SGX quote (quote-verification 4)."""

from __future__ import annotations

from typing import Final, NamedTuple

from assay.claims import Configuration
from assay.endorsements.documents import Need
from assay.errors import PolicyEvaluationError, RuleViolated, VerificationFailed
from assay.evidence._intel_quote.certify import CERTIFICATION_CHECKS, certify
from assay.evidence._intel_quote.platform import PLATFORM_CHECKS, Platform, appraise_platform
from assay.evidence._intel_quote.platform_case import Baseline, PlatformSubject, platform_needs
from assay.evidence._intel_quote.quote_checks import QUOTE_CHECKS, QuoteCase
from assay.evidence._intel_quote.report import DEBUG, EINITTOKEN_KEY, INIT, KSS, MODE64BIT, PROVISION_KEY
from assay.evidence._intel_quote.rule_checks import (
    ADMISSION_CHECKS,
    TCB_RULE_CHECKS,
    PlatformRuleCase,
    run_platform_rules,
)
from assay.evidence.base import Grounds, PlatformRules, Submission
from assay.evidence.held_data import HELD_DATA_CHECKS, HeldDataCase
from assay.evidence.sgx_enclave.quote import SgxQuote
from assay.verdict import NOT_APPLICABLE, AnyCheck, Check, Entry, Outcome, Seen, equal, run

TCB_IDENTIFIER: Final = "x-ms-sgx-tcbidentifier"
AZURE_DEFAULT: Final = "azuredefault"


class EnclaveCase(NamedTuple):
    """What the operator's rules about enclaves look at."""

    quote: SgxQuote
    rules: PlatformRules


class VerifiedSgxQuote(NamedTuple):
    """A quote that passed every check: only this type can become claims."""

    quote: SgxQuote
    submission: Submission
    platform: Platform
    tcb: PlatformRuleCase
    tcb_identifier: str
    entries: tuple[Entry, ...]


def _debug(case: EnclaveCase) -> Seen:
    if not case.rules.refuses_debug:
        return NOT_APPLICABLE
    return equal(bool(case.quote.report.flags & DEBUG), False)


def _attributes(case: EnclaveCase) -> Seen:
    if not case.rules.strict:
        return NOT_APPLICABLE
    flags = case.quote.report.flags & (INIT | MODE64BIT | PROVISION_KEY | EINITTOKEN_KEY)
    return equal(flags, INIT | MODE64BIT)


_WELL_FORMED: Final = Seen("well-formed", "SGX ECDSA quote, version 3 to 5, certification data type 5")
FORM_CHECK: Final[Check[SgxQuote]] = Check(
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
ENCLAVE_RULE_CHECKS: Final[tuple[Check[EnclaveCase], ...]] = (
    Check(
        "enclave.debug",
        "DebugNotAllowed",
        "attack case QV-18; rule allow_debug",
        "build the enclave without the DEBUG attribute",
        RuleViolated,
        _debug,
    ),
    Check(
        "enclave.attributes",
        "AttributesNotAllowed",
        "attack case QV-19; rule of --strict",
        "run an initialised 64-bit enclave without PROVISION_KEY and EINITTOKEN_KEY",
        RuleViolated,
        _attributes,
    ),
)


_AFTER_RULES: Final[tuple[AnyCheck, ...]] = (*ENCLAVE_RULE_CHECKS, *HELD_DATA_CHECKS)
_AFTER_TCB: Final[tuple[AnyCheck, ...]] = (*ADMISSION_CHECKS, *_AFTER_RULES)
_AFTER_PLATFORM: Final[tuple[AnyCheck, ...]] = (*TCB_RULE_CHECKS, *_AFTER_TCB)
_AFTER_QUOTE: Final[tuple[AnyCheck, ...]] = (*PLATFORM_CHECKS, *_AFTER_PLATFORM)
_AFTER_CERTIFICATION: Final[tuple[AnyCheck, ...]] = (*QUOTE_CHECKS, *_AFTER_QUOTE)
SGX_CHECKS: Final[tuple[AnyCheck, ...]] = (FORM_CHECK, *CERTIFICATION_CHECKS, *_AFTER_CERTIFICATION)


def evaluation_number(configuration: Configuration) -> int | None:
    """The TCB evaluation data number that the policy asks for, None for `azuredefault` (policy-language 9).

    Raises `PolicyEvaluationError` for any other text or type.
    """
    value = configuration.get(TCB_IDENTIFIER, AZURE_DEFAULT)
    if value == AZURE_DEFAULT:
        return None
    if not isinstance(value, str) or not value.isascii() or not value.isdecimal() or len(value) > 9:
        raise PolicyEvaluationError(f"{TCB_IDENTIFIER}: {value!r} is neither {AZURE_DEFAULT!r} nor a number as text")
    return int(value)


def needs_of(quote: SgxQuote, grounds: Grounds) -> tuple[Need, ...]:
    """The documents that this quote needs; asked for only once its certification reached a pinned root.

    Raises as `verify_sgx_quote` does for the checks that come before any endorsement.
    """
    passed = [_FORM_PASSED]
    certification = certify(quote.block, grounds.anchors, grounds.at, passed, _AFTER_CERTIFICATION)
    return platform_needs(certification, Baseline("sgx", evaluation_number(grounds.configuration)))


def verify_sgx_quote(quote: SgxQuote, submission: Submission, grounds: Grounds) -> VerifiedSgxQuote:
    """Verify a quote on its grounds.

    1. certification of the attestation key: chain, root, QE report, binding (steps 2, 3, 10, 11)
    2. the quote: vendor, signature (steps 1, 13)
    3. the platform: revocation, documents, QE identity, TCB levels (steps 4 to 8, 12, 14)
    4. the operator's rules: statuses, listings, minimums, debug, attributes (step 15)
    5. the held data: hashes in the report

    Raises the class of the failing check with the verdict so far; `EndorsementUnavailable` names missing documents.
    """
    number, rules = evaluation_number(grounds.configuration), grounds.rules
    entries = [_FORM_PASSED]
    certification = certify(quote.block, grounds.anchors, grounds.at, entries, _AFTER_CERTIFICATION)
    run(QUOTE_CHECKS, QuoteCase(quote, certification, rules.strict), entries, _AFTER_QUOTE)
    subject = PlatformSubject(certification, Baseline("sgx", number))
    platform = appraise_platform(subject, grounds, entries, _AFTER_PLATFORM)
    tcb = PlatformRuleCase(platform, rules, grounds.at)
    run_platform_rules(tcb, entries, _AFTER_TCB)
    run(ENCLAVE_RULE_CHECKS, EnclaveCase(quote, rules), entries, HELD_DATA_CHECKS)
    config_id = quote.report.config_id if quote.report.flags & KSS else None
    held = HeldDataCase(submission, quote.report.report_data, config_id, rules)
    run(HELD_DATA_CHECKS, held, entries)
    identifier = AZURE_DEFAULT if number is None else str(number)
    return VerifiedSgxQuote(quote, submission, platform, tcb, identifier, tuple(entries))

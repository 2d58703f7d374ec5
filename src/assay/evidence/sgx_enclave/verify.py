"""Verification of an SGX quote (quote-verification 4)."""

from __future__ import annotations

from typing import Final, NamedTuple

from assay.claims import Configuration
from assay.endorsements.documents import Need
from assay.errors import (
    BindingMismatch,
    PolicyEvaluationError,
    RuleViolated,
    SignatureInvalid,
    TcbRejected,
    VerificationFailed,
)
from assay.evidence._intel_quote.certify import CERTIFICATION_CHECKS, Certification, certify
from assay.evidence._intel_quote.header import INTEL_VENDOR_ID
from assay.evidence._intel_quote.platform import PLATFORM_CHECKS, Platform, appraise_platform
from assay.evidence._intel_quote.platform_case import Baseline, platform_needs
from assay.evidence._intel_quote.report import DEBUG, EINITTOKEN_KEY, INIT, KSS, MODE64BIT, PROVISION_KEY
from assay.evidence.base import Grounds, Submission
from assay.evidence.held_data import HELD_DATA_CHECKS, HeldDataCase
from assay.evidence.sgx_enclave.quote import SgxQuote
from assay.pki.signatures import SignatureError, verify_p256_raw
from assay.verdict import NOT_APPLICABLE, AnyCheck, Check, Entry, Mismatch, Outcome, Seen, equal, run

TCB_IDENTIFIER: Final = "x-ms-sgx-tcbidentifier"
AZURE_DEFAULT: Final = "azuredefault"


class QuoteCase(NamedTuple):
    """What the quote checks look at."""

    quote: SgxQuote
    certification: Certification
    strict: bool


class RuleCase(NamedTuple):
    """What the operator's rules look at."""

    quote: SgxQuote
    platform: Platform
    grounds: Grounds


class VerifiedSgxQuote(NamedTuple):
    """A quote that passed every check: only this type can become claims."""

    quote: SgxQuote
    submission: Submission
    platform: Platform
    tcb_identifier: str
    entries: tuple[Entry, ...]


def _vendor(case: QuoteCase) -> Seen:
    return equal(case.quote.header.vendor_id, INTEL_VENDOR_ID)


def _trailing(case: QuoteCase) -> Seen:
    # Real files have octets after the quote; accepted and ignored unless strict (quote-verification 1.4).
    if not case.strict:
        return NOT_APPLICABLE
    return equal(len(case.quote.trailing), 0)


def _signature(case: QuoteCase) -> Seen:
    quote = case.quote
    try:
        verify_p256_raw(case.certification.attestation_key, quote.signature, quote.signed)
    except SignatureError as error:
        raise Mismatch(str(error), "a signature by the attestation key over header and report body") from error
    return _SIGNED


_SIGNED: Final = Seen("verifies", "signed by the attestation key")


def _status(case: RuleCase) -> Seen:
    accepted = case.grounds.rules.accepted_tcb
    evaluation = case.platform.evaluation
    if evaluation.status not in accepted:
        raise Mismatch(evaluation, tuple(sorted(status.value for status in accepted)))
    return Seen(evaluation, "an accepted TCB status")


def _debug(case: RuleCase) -> Seen:
    debug = bool(case.quote.report.flags & DEBUG)
    if not case.grounds.rules.refuses_debug:
        return NOT_APPLICABLE
    return equal(debug, False)


def _attributes(case: RuleCase) -> Seen:
    if not case.grounds.rules.strict:
        return NOT_APPLICABLE
    flags = case.quote.report.flags & (INIT | MODE64BIT | PROVISION_KEY | EINITTOKEN_KEY)
    return equal(flags, INIT | MODE64BIT)


_SPEC: Final = "Intel SGX DCAP quote verification; quote-verification 4"


_WELL_FORMED: Final = Seen("well-formed", "SGX ECDSA quote, version 3, certification data type 5")
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
QUOTE_CHECKS: Final[tuple[Check[QuoteCase], ...]] = (
    Check(
        "quote.vendor_id",
        "QeVendorUnknown",
        f"{_SPEC}, step 1",
        "only Intel's quoting enclave is supported",
        BindingMismatch,
        _vendor,
    ),
    Check(
        "quote.trailing",
        "TrailingOctets",
        "quote-verification 1.4; rule of --strict",
        "send the quote alone, without octets after its declared end",
        RuleViolated,
        _trailing,
    ),
    Check(
        "quote.signature",
        "QuoteSignatureInvalid",
        f"{_SPEC}, step 13",
        "produce a new quote: header or report body are not what the attestation key signed",
        SignatureInvalid,
        _signature,
    ),
)
RULE_CHECKS: Final[tuple[Check[RuleCase], ...]] = (
    Check(
        "tcb.status",
        "TcbStatusNotAccepted",
        "quote-verification 5.8",
        "update the platform as the advisories say, or let the operator accept the status (--accept-tcb)",
        TcbRejected,
        _status,
    ),
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


_AFTER_PLATFORM: Final[tuple[AnyCheck, ...]] = (*RULE_CHECKS, *HELD_DATA_CHECKS)
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
    4. the operator's rules: accepted statuses, debug, attributes (step 15)
    5. the held data: hashes in the report

    Raises the class of the failing check with the verdict so far; `EndorsementUnavailable` names missing documents.
    """
    number = evaluation_number(grounds.configuration)
    entries = [_FORM_PASSED]
    certification = certify(quote.block, grounds.anchors, grounds.at, entries, _AFTER_CERTIFICATION)
    run(QUOTE_CHECKS, QuoteCase(quote, certification, grounds.rules.strict), entries, _AFTER_QUOTE)
    platform = appraise_platform(certification, Baseline("sgx", number), grounds, entries, _AFTER_PLATFORM)
    run(RULE_CHECKS, RuleCase(quote, platform, grounds), entries, HELD_DATA_CHECKS)
    config_id = quote.report.config_id if quote.report.flags & KSS else None
    held = HeldDataCase(submission, quote.report.report_data, config_id, grounds.rules.strict)
    run(HELD_DATA_CHECKS, held, entries)
    identifier = AZURE_DEFAULT if number is None else str(number)
    return VerifiedSgxQuote(quote, submission, platform, identifier, tuple(entries))

"""Verification of Open Enclave evidence: the quote, and the hash of the custom claims."""

from __future__ import annotations

import hashlib
from typing import Final

from assay.endorsements.documents import Need
from assay.errors import BindingMismatch
from assay.evidence.base import Grounds, Submission
from assay.evidence.open_enclave.report import OpenEnclaveReport
from assay.evidence.sgx_enclave import SGX_ENCLAVE
from assay.evidence.sgx_enclave.verify import VerifiedSgxQuote
from assay.verdict import NOT_APPLICABLE, AnyCheck, Check, Seen, equal, run


def _custom_claims(report: OpenEnclaveReport) -> Seen:
    if report.custom_claims is None:
        return NOT_APPLICABLE
    expected = hashlib.sha256(report.custom_claims).digest() + bytes(32)
    return equal(report.quote.report.report_data, expected)


CUSTOM_CLAIMS_CHECKS: Final[tuple[Check[OpenEnclaveReport], ...]] = (
    Check(
        "custom_claims.binding",
        "CustomClaimsMismatch",
        "quote-verification 7.2",
        "send the evidence as the Open Enclave library returned it, custom claims included (not a bare SGX quote)",
        BindingMismatch,
        _custom_claims,
    ),
)
OPEN_ENCLAVE_CHECKS: Final[tuple[AnyCheck, ...]] = (*SGX_ENCLAVE.checks, *CUSTOM_CLAIMS_CHECKS)


def needs_of(report: OpenEnclaveReport, grounds: Grounds) -> tuple[Need, ...]:
    """The documents that the quote inside needs; raises as for SGX."""
    return SGX_ENCLAVE.needs(report.quote, grounds)


def verify_open_enclave(report: OpenEnclaveReport, submission: Submission, grounds: Grounds) -> VerifiedSgxQuote:
    """The quote as SGX verifies it, then the custom claims against the report data; raises as for SGX."""
    verified = SGX_ENCLAVE.verify(report.quote, submission, grounds)
    entries = list(verified.entries)
    run(CUSTOM_CLAIMS_CHECKS, report, entries)
    return verified._replace(entries=tuple(entries))

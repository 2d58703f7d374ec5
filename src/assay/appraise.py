"""The straight line from parsed evidence to an attestation result, pure and shared by every entry point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from assay.endorsements.documents import Need
from assay.errors import EndorsementUnavailable, LimitExceeded, Malformed, PolicyError, VerificationFailed
from assay.evidence.base import EvidenceT, EvidenceType, Grounds, Submission, VerifiedT
from assay.policy import (
    AppraisalPolicy,
    PolicyOutcome,
    PolicyTrace,
    RuleOutcome,
    describe_decision,
    describe_rule,
    trace_of,
)
from assay.result.attestation import AttestationResult
from assay.verdict import NOT_APPLICABLE, AnyCheck, Check, Entry, Outcome, Seen, Verdict, close


@dataclass(frozen=True, slots=True)
class _Permitted:
    """The rules that fired and the claims that they permitted on, as text made only when somebody reads the verdict."""

    outcome: PolicyOutcome

    def __str__(self) -> str:
        return describe_decision(self.outcome.trace)


@dataclass(frozen=True, slots=True)
class _Refused:
    """The deny rule that fired and on which claims, or what else made the policy refuse; text is made as above."""

    message: str
    trace: PolicyTrace | None

    def __str__(self) -> str:
        decisive = next((rule for rule in self.trace.rules if rule.is_decisive), None) if self.trace else None
        if decisive is None or decisive.outcome is not RuleOutcome.FIRED:
            return self.message
        return f"denied by {describe_rule(decisive)}"


# The policy's place in a verdict; evaluating the policy, not a test, decides it.
POLICY_CHECK: Final[Check[object]] = Check(
    "policy.authorization",
    "PolicyEvaluationError",
    "policy-language 5",
    "change the policy, or the evidence that it refuses; `assay policy eval` shows rule by rule what fires",
    VerificationFailed,
    lambda _: NOT_APPLICABLE,
)
_PERMITS: Final = "a permit rule fires and no deny rule does"


def parse_evidence(kind: EvidenceType[EvidenceT, VerifiedT], submission: Submission) -> EvidenceT:
    """The parsed evidence of a submission.

    Raises `MalformedEvidence` or `LimitExceeded`, with a verdict whose first check failed and whose others were not
    reached.
    """
    try:
        return kind.parse(submission)
    except (Malformed, LimitExceeded) as error:
        form = Entry(kind.checks[0], Outcome.FAILED, Seen(error.message, kind.summary))
        error.verdict = close((), form, (*kind.checks[1:], POLICY_CHECK))
        raise


def needs_of(kind: EvidenceType[EvidenceT, VerifiedT], evidence: EvidenceT, grounds: Grounds) -> tuple[Need, ...]:
    """The documents that a verification will ask for, named only when the evidence reaches a pinned root.

    Raises `VerificationFailed` with a verdict for the checks that come before any endorsement.
    """
    try:
        return kind.needs(evidence, grounds)
    except VerificationFailed as error:
        error.verdict = _complete(error.verdict, (*kind.checks, POLICY_CHECK))
        raise


def appraise(
    kind: EvidenceType[EvidenceT, VerifiedT],
    evidence: EvidenceT,
    submission: Submission,
    grounds: Grounds,
    policy: AppraisalPolicy,
) -> AttestationResult:
    """Judge evidence on its grounds under a policy (design, section 3).

    Raises `VerificationFailed` with a verdict, `EndorsementUnavailable` when a required document is missing, and
    `PolicyError` when the policy does not permit; a refusal by the policy carries the verdict of the evidence.
    """
    try:
        verified = kind.verify(evidence, submission, grounds)
    except (VerificationFailed, EndorsementUnavailable) as error:
        error.verdict = _complete(error.verdict, (*kind.checks, POLICY_CHECK))
        raise
    statement = kind.claims(verified)
    incoming = statement.offered(policy.policy.version)
    try:
        outcome = policy.evaluate(incoming)
    except PolicyError as error:
        error.incoming = incoming
        seen = Seen(_Refused(error.message, trace_of(error)), _PERMITS)
        error.verdict = close(verified.entries, Entry(POLICY_CHECK, Outcome.FAILED, seen), ())
        raise
    decided = Entry(POLICY_CHECK, Outcome.PASSED, Seen(_Permitted(outcome), _PERMITS))
    verdict = Verdict((*verified.entries, decided))
    return AttestationResult(kind.name, kind.profile, statement, outcome, policy.identity, submission, verdict, grounds)


def _complete(verdict: Verdict | None, declared: tuple[AnyCheck, ...]) -> Verdict | None:
    """The verdict with every check declared after its last entry as not reached; a relative declares more of them."""
    if verdict is None:
        return None
    later = declared[len(verdict.entries) :]
    return Verdict((*verdict.entries, *(Entry(check, Outcome.NOT_REACHED) for check in later)))

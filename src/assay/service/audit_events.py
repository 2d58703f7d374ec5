"""Audit events of the service: what is recorded of an attest decision, and at the start of a writer."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final, NamedTuple

from assay import clock, limits
from assay._version import __version__
from assay.appraise import POLICY_CHECK
from assay.endorsements.documents import Need
from assay.errors import AssayError, EndorsementUnavailable, StoreUnavailable, Unauthorized
from assay.evidence import EVIDENCE_TYPES
from assay.evidence.base import Endorsements, Submission
from assay.formats.strict_json import JsonValue
from assay.memo import Memo
from assay.policy import PolicyIdentity
from assay.result.attestation import AttestationResult
from assay.store.audit_event import EMPTY, AuditEvent, AuditOutcome, Encoded, encode_part
from assay.verdict import Entry, Identifier, Outcome, Verdict, render

# One generation of collateral of one platform, by identity; it keeps documents alive, so not many more than are in use.
_COLLATERAL: Final[Memo[Endorsements, Encoded]] = Memo(limits.DOCUMENTS)
# Own: the patterns of verdicts that passed differ by what was not applicable, a dozen for each type.
_PASSED_OUTCOME: Final = Outcome.PASSED
_PASSED: Final[Memo[tuple[object, ...], Encoded]] = Memo(256)


class Asked(NamedTuple):
    """Who asked for what: the provider, the operation, the request's identifier, the caller's address and name."""

    provider: str
    operation: str
    request: str
    remote: str = ""
    caller: str = ""


class Known(NamedTuple):
    """What an attest decision was made on, as far as it got."""

    submission: Submission | None = None
    policy: PolicyIdentity | None = None
    needs: Sequence[Need] = ()
    endorsements: Endorsements | None = None


def attest_operation(kind_name: str) -> str:
    """The name of an attest operation (rest-api 17)."""
    return f"Attest{kind_name}"


def issued_event(asked: Asked, known: Known, result: AttestationResult, token_id: str) -> AuditEvent:
    """The event of a token that is about to leave."""
    details: dict[str, JsonValue] = {}
    if result.policy.draft:
        details["draft"] = True
    marks = result.marks
    if marks:
        details["unsafe"] = list(marks)
    return AuditEvent(
        clock.now(),
        asked.operation,
        AuditOutcome.ISSUED,
        asked.provider,
        200,
        "",
        asked.caller,
        asked.remote,
        asked.request,
        result.submission.evidence_sha256,
        result.policy.hash,
        _collateral(known),
        token_id,
        _passed(result.verdict),
        details or EMPTY,
    )


def refused_event(asked: Asked, known: Known, error: AssayError | None, status: int) -> AuditEvent:
    """The event of an attest call, or of any other, that ends with an error; None stands for a bug."""
    submission, policy = known.submission, known.policy
    verdict = None if error is None else error.verdict
    return AuditEvent(
        clock.now(),
        asked.operation,
        _outcome(error),
        asked.provider,
        status,
        "InternalError" if error is None else error.code,
        asked.caller,
        asked.remote,
        asked.request,
        "" if submission is None else submission.evidence_sha256,
        "" if policy is None else policy.hash,
        _collateral(known),
        verdict=None if verdict is None else _judged(verdict),
        details={"draft": True} if policy is not None and policy.draft else EMPTY,
    )


def changed_event(
    asked: Asked, status: int, policy: str = "", details: dict[str, JsonValue] | None = None
) -> AuditEvent:
    """The event of a change; `policy` is the new hash, `details` say what was before, and which number it has."""
    return AuditEvent(
        clock.now(),
        asked.operation,
        AuditOutcome.CHANGED,
        asked.provider,
        status,
        caller=asked.caller,
        remote=asked.remote,
        request=asked.request,
        policy=policy,
        details=details or EMPTY,
    )


def opening_details() -> dict[str, JsonValue]:
    """What record 1 of a writer says: the version, and the checks of each type in their order.

    A verdict counts along that order: the checks that passed, those that did not apply, the one that decided.
    """
    checks: dict[str, JsonValue] = {
        kind.name: [check.name for check in (*kind.checks, POLICY_CHECK)] for kind in EVIDENCE_TYPES
    }
    return {"version": __version__, "checks": checks}


def _outcome(error: AssayError | None) -> AuditOutcome:
    match error:
        case None | EndorsementUnavailable() | StoreUnavailable():
            return AuditOutcome.UNDECIDED
        case Unauthorized():
            return AuditOutcome.UNAUTHORIZED
        case _:
            return AuditOutcome.REFUSED


def _collateral(known: Known) -> Encoded | None:
    """SHA-256 of each document at hand; remembered with the collection, which is the same until a document changes."""
    endorsements = known.endorsements
    if endorsements is None:
        return None
    found = _COLLATERAL.find(endorsements)
    if found is None:
        documents = [(need, endorsements.find(need)) for need in known.needs]
        digests: dict[str, JsonValue] = {
            f"{need.kind.value}.{need.tee}" if need.tee else need.kind.value: hashlib.sha256(document.body).hexdigest()
            for need, document in documents
            if document is not None
        }
        found = encode_part(digests)
        _COLLATERAL.keep(endorsements, found)
    return found


def _passed(verdict: Verdict) -> Encoded:
    """The part of a verdict in which nothing failed."""
    # By position and against a name of this module, since every token comes here.
    inapplicable = [entry[0] for entry in verdict.entries if entry[1] is not _PASSED_OUTCOME]
    pattern = (len(verdict.entries), *inapplicable)
    found = _PASSED.find(pattern)
    if found is None:
        found = encode_part(_counted(verdict))
        _PASSED.keep(pattern, found)
    return found


def _judged(verdict: Verdict) -> Encoded:
    """The part of a verdict with the check that decided, and what it saw."""
    members = _counted(verdict)
    decisive = verdict.decisive
    if decisive is not None:
        members[decisive.outcome.value] = _decisive(decisive)
    return encode_part(members)


def _counted(verdict: Verdict) -> dict[str, JsonValue]:
    counts = {outcome: sum(entry.outcome is outcome for entry in verdict) for outcome in Outcome}
    members: dict[str, JsonValue] = {"passed": counts[Outcome.PASSED]}
    inapplicable = [entry.check.name for entry in verdict if entry.outcome is Outcome.NOT_APPLICABLE]
    if inapplicable:
        members["not_applicable"] = list(inapplicable)
    if counts[Outcome.NOT_REACHED]:
        members["not_reached"] = counts[Outcome.NOT_REACHED]
    return members


def _decisive(entry: Entry) -> dict[str, JsonValue]:
    members: dict[str, JsonValue] = {"check": entry.check.name}
    if entry.seen is not None:
        members["observed"], members["expected"] = map(_shown, entry.seen)
    return members


def _shown(value: object) -> str:
    """A value of a verdict as text; raw octets, which may come out of evidence, as their digest."""
    return render(Identifier(value) if isinstance(value, bytes) else value)[: limits.AUDIT_TEXT]

"""The straight line offline: one piece of evidence judged on directories of endorsements, and what came out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from assay.appraise import appraise, needs_of, parse_evidence
from assay.cli.failures import ACCEPTED, REJECTED, UNDECIDED
from assay.cli.files import FileUnreadable, HeldDataFiles, read_file, read_submission
from assay.endorsements.intel.tcb import TcbEvaluation
from assay.errors import AssayError, ConfigurationError, EndorsementUnavailable, PolicyError
from assay.evidence.base import AnyEvidenceType, Grounds, Submission
from assay.policy import AppraisalPolicy, draft_policy, issued_members, stored_policy
from assay.result.payload import Envelope, encode_payload
from assay.verdict import encode_entry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assay.collateral.directory import DirectorySource
    from assay.formats.strict_json import JsonValue
    from assay.verdict import Verdict

# A payload that is shown and never signed: no issuer of the net, no identifier that could pass for one.
ISSUER: Final = "https://assay.invalid"
_NO_TOKEN: Final = "0" * 64


@dataclass(frozen=True, slots=True)
class Judge:
    """On what all evidence of one call is judged; `policy` is None for the type's default."""

    kind: AnyEvidenceType
    grounds: Grounds
    source: DirectorySource | None
    policy: str | None
    held: HeldDataFiles
    issuer: str = ISSUER


@dataclass(frozen=True, slots=True)
class Judgement:
    """What came out for one file; `code` is None when the evidence is accepted."""

    file: str
    exit_code: int
    code: str | None = None
    message: str = ""
    verdict: Verdict | None = None
    tcb_status: str | None = None
    advisory_ids: tuple[str, ...] = ()
    claims: Mapping[str, JsonValue] = field(default_factory=dict)
    token_payload: Mapping[str, JsonValue] = field(default_factory=dict)
    missing: tuple[str, ...] = ()

    @property
    def is_accepted(self) -> bool:
        return self.exit_code == ACCEPTED


def judge_file(judge: Judge, name: str) -> Judgement:
    """The judgement of a file; a file that cannot be read is not decided."""
    try:
        content = read_file(name)
    except FileUnreadable as error:
        return Judgement(name, UNDECIDED, "FileUnreadable", str(error))
    except AssayError as error:
        return Judgement(name, REJECTED, error.code, error.message)
    return judge_content(judge, name, content)


def judge_content(judge: Judge, name: str, content: bytes) -> Judgement:
    """The judgement of the content of a file; raises `ConfigurationError` and `PolicyParsingError` only."""
    try:
        submission = read_submission(judge.kind, content, judge.held)
        evidence = parse_evidence(judge.kind, submission)
    except AssayError as error:
        return Judgement(name, REJECTED, error.code, error.message, error.verdict)
    policy = _choose_policy(judge, submission)
    grounds = replace(judge.grounds, configuration=policy.configuration)
    try:
        if judge.source is not None:
            needs = needs_of(judge.kind, evidence, grounds)
            grounds = replace(grounds, endorsements=judge.source.endorsements(needs, grounds.at))
        result = appraise(judge.kind, evidence, submission, grounds, policy)
    except EndorsementUnavailable as error:
        return Judgement(name, UNDECIDED, error.code, error.message, error.verdict, missing=error.documents)
    except AssayError as error:
        return _refused(name, error)
    evaluation = _evaluation(result.verdict)
    status = None if evaluation is None else evaluation.status.value
    advisories = () if evaluation is None else evaluation.advisory_ids
    payload = encode_payload(result, Envelope(judge.issuer, grounds.at, _NO_TOKEN))
    claims = issued_members(result.statement.incoming)
    return Judgement(name, ACCEPTED, None, "", result.verdict, status, advisories, claims, payload)


def _choose_policy(judge: Judge, submission: Submission) -> AppraisalPolicy:
    text = judge.policy if judge.policy is not None else submission.draft_policy
    if text is not None:
        return draft_policy(text)
    if judge.kind.default_policy is None:
        raise ConfigurationError(f"{judge.kind.name} has no default policy: give one with --policy")
    return stored_policy(judge.kind.default_policy)


def _refused(name: str, error: AssayError) -> Judgement:
    """A refusal, with the TCB status that the verdict saw before it, and the claims that a policy refused."""
    evaluation = _evaluation(error.verdict)
    if evaluation is None:
        return Judgement(name, REJECTED, error.code, error.message, error.verdict)
    return Judgement(
        name,
        REJECTED,
        error.code,
        error.message,
        error.verdict,
        evaluation.status.value,
        evaluation.advisory_ids,
        issued_members(error.incoming) if isinstance(error, PolicyError) and error.incoming is not None else {},
    )


def _evaluation(verdict: Verdict | None) -> TcbEvaluation | None:
    for entry in verdict or ():
        if entry.seen is not None and isinstance(entry.seen.observed, TcbEvaluation):
            return entry.seen.observed
    return None


def encode_judgement(judgement: Judgement) -> dict[str, JsonValue]:
    """The judgement for programs (design, section 7)."""
    checks: list[JsonValue] = []
    for entry in judgement.verdict or ():
        encoded = encode_entry(entry)
        checks.append({name: encoded[name] for name in ("name", "outcome", "observed", "expected", "reference")})
    return {
        "accepted": judgement.is_accepted,
        "code": judgement.code,
        "checks": checks,
        "tcb_status": judgement.tcb_status,
        "advisory_ids": list(judgement.advisory_ids),
        "claims": dict(judgement.claims),
        "token_payload": dict(judgement.token_payload),
    }

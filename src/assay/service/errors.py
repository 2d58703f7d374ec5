"""The one table from Assay's errors to HTTP and Azure Attestation's codes (rest-api section 4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from assay import limits
from assay.errors import (
    AssayError,
    EndorsementUnavailable,
    InvalidOperation,
    IssuerUnavailable,
    LimitExceeded,
    Malformed,
    PolicyError,
    PolicyEvaluationError,
    PolicyParsingError,
    StoreUnavailable,
    Unauthorized,
    VerificationFailed,
)
from assay.formats.strict_json import JsonValue
from assay.policy import RuleOutcome, cut, describe_observed, trace_of
from assay.verdict import Entry, Outcome, Verdict, encode_entry

RETRY_AFTER_SECONDS: Final = 30


class HttpRefusal(AssayError):
    """A request that HTTP itself refuses: unknown path, method, size, time, type."""

    def __init__(self, status: int, code: str, message: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(message)
        self.status, self.code, self.headers = status, code, headers


class _Row(NamedTuple):
    error: type[AssayError]
    status: int
    code: str


# The first row whose class fits decides.
_TABLE: Final = (
    _Row(Malformed, 400, "InvalidParameter"),
    _Row(LimitExceeded, 400, "InvalidParameter"),
    _Row(VerificationFailed, 400, "InvalidParameter"),
    _Row(PolicyParsingError, 400, "PolicyParsingError"),
    _Row(PolicyEvaluationError, 400, "PolicyEvaluationError"),
    _Row(InvalidOperation, 400, "InvalidOperation"),
    _Row(Unauthorized, 401, "Unauthorized"),
    _Row(EndorsementUnavailable, 503, "EndorsementUnavailable"),
    _Row(StoreUnavailable, 503, "ServiceUnavailable"),
    _Row(IssuerUnavailable, 503, "ServiceUnavailable"),
)


class Refusal(NamedTuple):
    """An error as HTTP says it: status, body, more headers."""

    status: int
    code: str
    body: dict[str, JsonValue]
    headers: tuple[tuple[str, str], ...]


def encode_error(error: AssayError, challenge: str) -> Refusal | None:
    """How an error is answered, or None for one that has no row: a bug, which the caller answers with 500.

    `challenge` is what a 401 says in `WWW-Authenticate`.
    """
    if isinstance(error, HttpRefusal):
        return Refusal(
            error.status, error.code, _body(error.code, error.message, (_plain_detail(error),)), error.headers
        )
    row = next((row for row in _TABLE if isinstance(error, row.error)), None)
    if row is None:
        return None
    details = encode_details(error.verdict, error.code) if error.verdict else (_plain_detail(error),)
    if isinstance(error, PolicyError):
        details = (*details, *encode_rule_details(error))
    return Refusal(row.status, row.code, _body(row.code, error.message, details), _headers(error, challenge))


def internal_error(identifier: str) -> Refusal:
    """A bug: an identifier to look up in the logs, no text (design, section 5)."""
    return Refusal(500, "InternalError", _body("InternalError", f"internal error {identifier}", ()), ())


def _body(code: str, message: str, details: tuple[dict[str, JsonValue], ...]) -> dict[str, JsonValue]:
    error: dict[str, JsonValue] = {
        "code": code,
        "message": message,
        "innererror": {"code": code, "message": message},
    }
    if details:
        error["details"] = list(details)
    return {"error": error}


def encode_details(verdict: Verdict, decisive_code: str) -> tuple[dict[str, JsonValue], ...]:
    """A verdict as `error.details` (design, section 8): a flat list, `target` is the check."""
    return tuple(_detail(entry, decisive_code) for entry in verdict)


def _detail(entry: Entry, decisive_code: str) -> dict[str, JsonValue]:
    line = encode_entry(entry)
    decisive = entry.outcome in (Outcome.FAILED, Outcome.MISSING)
    return {
        "code": decisive_code if decisive else line["code"],
        "message": line["remedy"] if decisive else line["outcome"],
        "target": line["name"],
        "observed": line["observed"],
        "expected": line["expected"],
        "reference": line["reference"],
        "outcome": line["outcome"],
    }


def encode_rule_details(error: PolicyError) -> Iterator[dict[str, JsonValue]]:
    """The rules of a policy that refused, in order: those that fired or failed, then as many others as fit."""
    trace = trace_of(error)
    if trace is None:
        return
    reached = [(place, rule) for place, rule in enumerate(trace.rules) if rule.outcome is not RuleOutcome.NOT_REACHED]
    reached.sort(key=lambda placed: placed[1].outcome is RuleOutcome.NOT_FIRED)
    for _, rule in sorted(reached[: limits.TRACE_RULES], key=lambda placed: placed[0]):
        yield {
            "code": "PolicyRule",
            "message": cut(rule.source),
            "target": f"policy.authorization[{rule.line}]",
            "observed": describe_observed(rule),
            "expected": "does not fire" if rule.action == "deny" else "each of its conditions holds",
            "reference": "policy-language 5",
            "outcome": rule.outcome.value,
        }


def _plain_detail(error: AssayError) -> dict[str, JsonValue]:
    """The verdict of a request that was refused before any evidence was looked at."""
    target = error.what if isinstance(error, Malformed | LimitExceeded) else "request"
    return {
        "code": error.code,
        "message": error.message,
        "target": target,
        "observed": error.message,
        "expected": "a request as the operation describes it",
        "reference": "rest-api 2, 4 and 7",
        "outcome": Outcome.FAILED.value,
    }


def _headers(error: AssayError, challenge: str) -> tuple[tuple[str, str], ...]:
    if isinstance(error, EndorsementUnavailable | IssuerUnavailable):
        return (("Retry-After", str(error.retry_after or RETRY_AFTER_SECONDS)),)
    if isinstance(error, Unauthorized):
        return (("WWW-Authenticate", challenge),)
    return ()

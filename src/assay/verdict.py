"""The verdict: which declared checks passed, which one decided, what was seen and what was expected.

A check is declared once, as data: a dotted name, the clause it implements, what to do about a failure, a stable code
and its test. `run` is the one runner. Tests return what they saw as raw values; text is made only when somebody reads
the verdict, so that success costs next to nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Generic, NamedTuple, TypeVar

from assay.errors import EndorsementUnavailable, VerificationFailed

SubjectT = TypeVar("SubjectT")
ValueT = TypeVar("ValueT")


class Outcome(str, Enum):
    """How one check ended."""

    PASSED = "passed"
    FAILED = "failed"
    MISSING = "missing"
    NOT_APPLICABLE = "not applicable"
    NOT_REACHED = "not reached"


@dataclass(frozen=True, slots=True)
class Identifier:
    """Bytes that identify a platform or a person; shown only as a digest (design, section 8)."""

    content: bytes


class Seen(NamedTuple):
    """What a test observed and expected, as raw values (bytes, numbers, times, text, tuples of them)."""

    observed: object
    expected: object


NOT_APPLICABLE = Seen("not applicable", "not applicable")


class Mismatch(Exception):  # never leaves the runner, which turns it into the check's own failure
    """Raised by a check's test: seen differs from expected."""

    def __init__(self, observed: object, expected: object) -> None:
        super().__init__(observed, expected)
        self.seen = Seen(observed, expected)


class Missing(Exception):  # never leaves the runner either
    """Raised by a check's test: documents that it needs are not there."""

    def __init__(self, documents: tuple[str, ...]) -> None:
        super().__init__(documents)
        self.documents = documents


@dataclass(frozen=True, slots=True, eq=False)
class Check(Generic[SubjectT]):
    """One declared check over a subject; `failure` is the class that a mismatch becomes."""

    name: str
    code: str
    reference: str
    remedy: str
    failure: type[VerificationFailed]
    test: Callable[[SubjectT], Seen]


AnyCheck = Check[Any]  # a verdict lists checks of different subjects and never calls them


class Entry(NamedTuple):
    """One line of a verdict."""

    check: AnyCheck
    outcome: Outcome
    seen: Seen | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """All declared checks of one appraisal in their order, each with its outcome."""

    entries: tuple[Entry, ...]

    @property
    def decisive(self) -> Entry | None:
        """The check that decided against the evidence, or None."""
        return next((e for e in self.entries if e.outcome in (Outcome.FAILED, Outcome.MISSING)), None)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)


def equal(observed: ValueT, expected: ValueT) -> Seen:
    """Passes when both are equal and of one type."""
    if observed != expected or type(observed) is not type(expected):
        raise Mismatch(observed, expected)
    return Seen(observed, expected)


def run(
    checks: tuple[Check[SubjectT], ...], subject: SubjectT, passed: list[Entry], rest: Sequence[AnyCheck] = ()
) -> None:
    """Run `checks` in order, appending to `passed`; `rest` are the checks declared after them.

    Raises the failing check's own class with a verdict, or `EndorsementUnavailable` for a missing document.
    """
    for check in checks:
        try:
            seen = check.test(subject)
        except Mismatch as mismatch:
            raise _failure(check, mismatch.seen, passed, _after(check, checks, rest)) from None
        except Missing as missing:
            seen = Seen("not available", "; ".join(missing.documents))
            verdict = close(passed, Entry(check, Outcome.MISSING, seen), _after(check, checks, rest))
            raise EndorsementUnavailable(missing.documents, verdict=verdict) from None
        outcome = _NOT_APPLICABLE if seen is NOT_APPLICABLE else _PASSED
        passed.append(_new_entry(Entry, (check, outcome, seen)))


# Every appraisal makes an entry for each check: this is `Entry(...)` without the call of a Python function.
_new_entry = tuple.__new__
_PASSED = Outcome.PASSED
_NOT_APPLICABLE = Outcome.NOT_APPLICABLE


def _after(check: AnyCheck, checks: Sequence[AnyCheck], rest: Sequence[AnyCheck]) -> tuple[AnyCheck, ...]:
    return (*checks[checks.index(check) + 1 :], *rest)


def _failure(check: Check[SubjectT], seen: Seen, passed: list[Entry], later: Sequence[AnyCheck]) -> VerificationFailed:
    verdict = close(passed, Entry(check, Outcome.FAILED, seen), later)
    message = f"{check.name}: observed {render(seen.observed)}, expected {render(seen.expected)}"
    return check.failure(message, code=check.code, check=check.name, verdict=verdict)


def close(passed: Sequence[Entry], decisive: Entry, later: Sequence[AnyCheck]) -> Verdict:
    """The verdict that ends with `decisive`; the checks declared later were not reached."""
    return Verdict((*passed, decisive, *(Entry(check, Outcome.NOT_REACHED) for check in later)))


def render(value: object) -> str:
    """The text of an observed or expected value; identifiers are shown as digests."""
    match value:
        case Identifier():
            return f"sha256:{hashlib.sha256(value.content).hexdigest()[:32]}"
        case bytes():
            return value.hex() if value else "empty"
        case datetime():
            return value.strftime("%Y-%m-%dT%H:%M:%SZ")
        case bool():
            return "true" if value else "false"
        case Enum():
            return str(value.value)
        case tuple() | list() | frozenset():
            return ", ".join(map(render, value)) or "none"
        case _:
            return str(value)


def encode_entry(entry: Entry) -> dict[str, str]:
    """One line of a verdict for programs: name, outcome, observed, expected, reference, code, remedy."""
    seen = entry.seen
    return {
        "name": entry.check.name,
        "outcome": entry.outcome.value,
        "observed": "" if seen is None else render(seen.observed),
        "expected": "" if seen is None else render(seen.expected),
        "reference": entry.check.reference,
        "code": entry.check.code,
        "remedy": entry.check.remedy,
    }

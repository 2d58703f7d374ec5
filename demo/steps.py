"""One step: evidence sent to the service, what must come of it, and what did."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from assay import clock
from assay.client import FailedCheck, verify_token
from assay.client.sealed_answer import open_answer
from assay.errors import AssayError, ServiceRefused, TokenRejected

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from assay.client import Client, KeySet, VerifiedToken
    from assay.client.sealed_answer import DecryptKey
    from assay.evidence.base import Submission
    from assay.formats.strict_json import JsonValue


@dataclass(frozen=True, slots=True)
class Accepted:
    """A token must come, made under exactly these unsafe conditions, with these members."""

    marks: tuple[str, ...]
    members: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refused:
    """A refusal must come, with this status, decided by this check, which must expect what `naming` says."""

    status: int
    check: str
    naming: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """What is sent as which type, said in words, and what must come of it.

    `opening` opens an answer that is sealed to the attester's key; `send` is for evidence that takes two rounds.
    """

    type: str
    evidence: str
    sent: str
    submission: Submission
    expected: Accepted | Refused
    opening: DecryptKey | None = None
    send: Callable[[Client], str] | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A step and what came of it: `found` says it in words, `note` more of it; `token` is one that was verified."""

    step: Step
    found: str
    is_right: bool
    milliseconds: float
    note: str = ""
    token: VerifiedToken | None = None


@dataclass(frozen=True, slots=True)
class Relying:
    """A relying party's configuration: the issuer it trusts and that issuer's keys, fetched from the service."""

    issuer: str
    keys: KeySet


def relying_on(client: Client) -> Relying:
    return Relying(client.url, client.discovered_key_set())


def take(step: Step, client: Client, relying: Relying) -> Row:
    """Send the evidence, and judge the answer as a relying party would."""
    start = time.perf_counter()
    try:
        token = client.submit(step.type, step.submission).token if step.send is None else step.send(client)
        if step.opening is not None:
            token = open_answer(token, step.opening)
    except ServiceRefused as refusal:
        return _judge_refusal(step, refusal, _since(start))
    except AssayError as error:
        return Row(step, "no answer", is_right=False, milliseconds=_since(start), note=error.message)
    return _judge_token(step, token, relying, _since(start))


def _since(start: float) -> float:
    return 1000 * (time.perf_counter() - start)


def _judge_token(step: Step, token: str, relying: Relying, milliseconds: float) -> Row:
    expected = step.expected
    if isinstance(expected, Refused):
        return Row(step, "a token, although it had to be refused", is_right=False, milliseconds=milliseconds)
    try:
        verified = verify_token(
            token, issuer=relying.issuer, keys=relying.keys, at=clock.now(), allow_unsafe=frozenset(expected.marks)
        )
    except TokenRejected as error:
        return Row(step, "a token, not believed", is_right=False, milliseconds=milliseconds, note=error.message)
    wrong = [name for name, value in expected.members.items() if verified.claims.get(name) != value]
    if verified.unsafe_marks != expected.marks:
        wrong.append(f"marks {verified.unsafe_marks}")
    if wrong:
        note = f"not as in the evidence: {', '.join(wrong)}"
        return Row(step, "token, verified", is_right=False, milliseconds=milliseconds, note=note)
    return Row(step, "token, verified", is_right=True, milliseconds=milliseconds, token=verified)


def _judge_refusal(step: Step, refusal: ServiceRefused, milliseconds: float) -> Row:
    decisive = _decisive(refusal)
    found = f"{refusal.status} {decisive.target if decisive else refusal.error_code}"
    expected = step.expected
    if isinstance(expected, Accepted) or decisive is None:
        return Row(step, found, is_right=False, milliseconds=milliseconds, note=str(refusal))
    decided = (refusal.status, decisive.target) == (expected.status, expected.check)
    is_right = decided and expected.naming in decisive.expected
    note = f"{decisive.observed}: {decisive.expected}" if expected.naming or not is_right else ""
    return Row(step, found, is_right, milliseconds, note)


def _decisive(refusal: ServiceRefused) -> FailedCheck | None:
    """The check that decided: the one entry of the verdict that failed or lacked a document."""
    checks = [check for check in refusal.details if isinstance(check, FailedCheck)]
    return next((check for check in checks if check.outcome in ("failed", "missing")), None)

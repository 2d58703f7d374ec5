"""Actions of a rule, compiled: what a rule that fires does (policy-language sections 5 and 5.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from assay.claims import Claim, Issuer
from assay.errors import PolicyDenied
from assay.policy.making import compile_making
from assay.policy.matching import Matched, bindings
from assay.policy.syntax import (
    ClaimArgument,
    CopiedClaim,
    Deny,
    Destination,
    Emit,
    Literal,
    MadeClaim,
    Permit,
    Reference,
    Rule,
)
from assay.policy.values import READ, Read
from assay.policy.working_set import Run

Act = Callable[[Run, Matched], None]
# The claims an action makes; equal ones may repeat, since the sets they go to remove duplicates.
_Make = Callable[[Run, Matched], Iterable[Claim]]

_POLICY: Final = Issuer.POLICY
_SOURCE_SHOWN: Final = 1000


def compile_act(rule: Rule) -> Act:
    """A function that carries out the rule's action; it raises `PolicyEvaluationError` or `PolicyDenied`."""
    match rule.action:
        case Permit():
            return _permit
        case Deny():
            return _compile_deny(rule)
        case Emit(destination, argument):
            return _compile_emit(destination, _compile_make(rule, argument))


def place(rule: Rule) -> str:
    """A rule's line and source text, as messages name it."""
    cut = rule.source if len(rule.source) <= _SOURCE_SHOWN else f"{rule.source[:_SOURCE_SHOWN]}..."
    return f"line {rule.line}: {cut}"


def _permit(run: Run, _matched: Matched) -> None:
    run.permitted = True


def _compile_deny(rule: Rule) -> Act:
    def deny(_run: Run, _matched: Matched) -> None:
        message = f"Policy Engine Exception: A Deny claim was issued, authorization failed. Rule at {place(rule)}"
        raise PolicyDenied(message, line=rule.line, source=rule.source)

    return deny


def _compile_emit(destination: Destination, make: _Make) -> Act:
    def add(run: Run, matched: Matched) -> None:
        for claim in make(run, matched):
            run.incoming.add(claim)

    def issue(run: Run, matched: Matched) -> None:
        for claim in make(run, matched):
            run.issue(claim, run.issued)

    def issue_property(run: Run, matched: Matched) -> None:
        for claim in make(run, matched):
            run.issue(claim, run.properties)

    match destination:
        case Destination.INCOMING:
            return add
        case Destination.ISSUED:
            return issue
        case Destination.PROPERTIES:
            return issue_property


def _compile_make(rule: Rule, argument: ClaimArgument) -> _Make:
    positions = bindings(rule)
    match argument:
        case CopiedClaim(identifier):
            return _copy(positions[identifier])
        case MadeClaim(Literal(str() as name), Literal(value), None | Literal()):
            made = (Claim(name, value, _POLICY),)
            return lambda _run, _matched: made
        case MadeClaim(Literal(str() as name), Reference(identifier, value_of), None):
            return _make_typed(name, positions[identifier], READ[value_of])
        case MadeClaim():
            return compile_making(argument, positions, place(rule))


def _copy(position: int) -> _Make:
    def copy(run: Run, matched: Matched) -> Iterable[Claim]:
        run.spend(len(matched[position]))
        return matched[position]

    return copy


def _make_typed(name: str, position: int, read: Read) -> _Make:
    def make_typed(run: Run, matched: Matched) -> Iterable[Claim]:
        claims = matched[position]
        if len(claims) == 1:
            return (Claim(name, read(claims[0]), _POLICY),)
        run.spend(len(claims))
        return [Claim(name, read(claim), _POLICY) for claim in claims]

    return make_typed

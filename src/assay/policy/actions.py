"""Actions of a rule, compiled: what a rule that fires does (policy-language sections 5 and 5.3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NoReturn

from assay.claims import Claim, Issuer
from assay.errors import PolicyDenied
from assay.policy.computing import Matched
from assay.policy.making import compile_making
from assay.policy.matching import bindings
from assay.policy.syntax import (
    ClaimArgument,
    CopiedClaim,
    Deny,
    Destination,
    Emit,
    Literal,
    MadeClaim,
    Permit,
    Property,
    Reference,
    Rule,
)
from assay.policy.values import READ
from assay.policy.working_set import Run

# The claims an action makes; equal ones may repeat, since the sets they go to remove duplicates.
_Make = Callable[[Run, Matched], Sequence[Claim]]
# Carries out an action and gives the claims that it made.
Act = Callable[[Run, Matched], Sequence[Claim]]

_POLICY: Final = Issuer.POLICY
_SOURCE_SHOWN: Final = 1000
# `Claim(...)` without the call of a Python function.
_new: Final = tuple.__new__


def compile_act(rule: Rule) -> Act:
    """A function that carries out the rule's action; it raises `RuleFailed` or `PolicyDenied`."""
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


def _permit(run: Run, _matched: Matched) -> Sequence[Claim]:
    run.permitted = True
    return ()


def _compile_deny(rule: Rule) -> Act:
    def deny(_run: Run, _matched: Matched) -> NoReturn:
        message = f"Policy Engine Exception: A Deny claim was issued, authorization failed. Rule at {place(rule)}"
        raise PolicyDenied(message, line=rule.line, source=rule.source)

    return deny


def _compile_emit(destination: Destination, make: _Make) -> Act:
    def add(run: Run, matched: Matched) -> Sequence[Claim]:
        claims = make(run, matched)
        for claim in claims:
            run.incoming.add(claim)
        return claims

    def issue(run: Run, matched: Matched) -> Sequence[Claim]:
        claims = make(run, matched)
        for claim in claims:
            run.issue(claim, run.issued)
        return claims

    def issue_property(run: Run, matched: Matched) -> Sequence[Claim]:
        claims = make(run, matched)
        for claim in claims:
            run.issue(claim, run.properties)
        return claims

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
            return _make_typed(name, positions[identifier], value_of)
        case MadeClaim():
            return compile_making(argument, positions)


def _copy(position: int) -> _Make:
    def copy(run: Run, matched: Matched) -> Sequence[Claim]:
        run.spend(len(matched[position]))
        return matched[position]

    return copy


def _make_typed(name: str, position: int, value_of: Property) -> _Make:
    read = READ[value_of]
    is_value = value_of is Property.VALUE

    def make_typed(run: Run, matched: Matched) -> Sequence[Claim]:
        claims = matched[position]
        if len(claims) == 1:
            made: Sequence[Claim] = (_new(Claim, (name, read(claims[0]), _POLICY)),)
        else:
            run.spend(len(claims))
            made = [_new(Claim, (name, read(claim), _POLICY)) for claim in claims]
        if run.read_only and is_value and run.is_read_only(claims):
            run.mark_read_only(made)
        return made

    return make_typed

"""Conditions of a rule, compiled: which claims each of them matches (policy-language section 5.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from assay.claims import Claim, ClaimValue
from assay.policy.join import Join, JoinTest, compile_joins
from assay.policy.syntax import Comparison, Condition, Literal, Property, PropertyTest, Rule
from assay.policy.values import COMPARE, READ, Compare, Read
from assay.policy.working_set import Run

# The claims that each condition of a rule matched, in the conditions' order.
Matched = tuple[Sequence[Claim], ...]
Match = Callable[[Run], Matched | None]
_Find = Callable[[Run], Sequence[Claim]]
_Holds = Callable[[Claim], bool]


class _Sorted(NamedTuple):
    """The tests of one condition, by what they need: its claim only, or the claims of other conditions too."""

    alone: tuple[_Holds, ...]
    joined: tuple[JoinTest, ...]


def bindings(rule: Rule) -> Mapping[str, int]:
    """The position of the condition that each identifier means in an action: the last one that binds it."""
    return {
        condition.identifier: position
        for position, condition in enumerate(rule.conditions)
        if condition.identifier is not None
    }


def compile_match(rule: Rule) -> Match:
    """A function that gives the claims matched by each condition, or None when the rule does not fire."""
    conditions = rule.conditions
    if not conditions:
        return lambda _run: ()
    if len(conditions) == 1 and (name := _only_type(conditions[0])) is not None:
        return _match_type(name)
    finds: list[_Find] = []
    join_tests: list[JoinTest] = []
    for position, condition in enumerate(conditions):
        name, others = _indexed(condition)
        tests = _sort_tests(rule, position, others)
        finds.append(_compile_find(name, tests.alone))
        join_tests.extend(tests.joined)
    return _match_all(tuple(finds), compile_joins(join_tests, rule.line))


def _only_type(condition: Condition) -> str | None:
    name, others = _indexed(condition)
    return None if others else name


def _indexed(condition: Condition) -> tuple[str | None, tuple[PropertyTest, ...]]:
    """The first `type == "..."` of a condition, which the index answers, and the other tests."""
    for position, test in enumerate(condition.tests):
        match test:
            case PropertyTest(Property.TYPE, Comparison.EQUAL, Literal(str() as name)):
                return name, (*condition.tests[:position], *condition.tests[position + 1 :])
            case _:
                pass
    return None, condition.tests


def _sort_tests(rule: Rule, position: int, tests: tuple[PropertyTest, ...]) -> _Sorted:
    alone: list[_Holds] = []
    joined: list[JoinTest] = []
    for test in tests:
        read, compare = READ[test.property], COMPARE[test.comparison]
        if isinstance(test.expression, Literal):
            alone.append(_against_literal(read, compare, test.expression.value))
            continue
        other, read_other = _bound_at(rule, position, test.expression.identifier), READ[test.expression.property]
        if other == position:
            alone.append(_against_itself(read, compare, read_other))
        else:
            joined.append(JoinTest(position, read, compare, other, read_other))
    return _Sorted(tuple(alone), tuple(joined))


def _against_literal(read: Read, compare: Compare, literal: ClaimValue) -> _Holds:
    return lambda claim: compare(read(claim), literal)


def _against_itself(read: Read, compare: Compare, read_other: Read) -> _Holds:
    return lambda claim: compare(read(claim), read_other(claim))


def _bound_at(rule: Rule, position: int, identifier: str) -> int:
    """The condition that an identifier means in the condition at `position`: the last before it, else the last."""
    binding = [p for p, condition in enumerate(rule.conditions) if condition.identifier == identifier]
    earlier = [p for p in binding if p < position]
    return (earlier or binding)[-1]


def _compile_find(name: str | None, holds: tuple[_Holds, ...]) -> _Find:
    weight = max(len(holds), 1)

    def find(run: Run) -> Sequence[Claim]:
        claims: Sequence[Claim] = run.incoming.claims if name is None else run.incoming.by_type.get(name, ())
        run.spend(len(claims) * weight)
        for test in holds:
            claims = [claim for claim in claims if test(claim)]
        return tuple(claims)

    return find


def _match_type(name: str) -> Match:
    def match_type(run: Run) -> Matched | None:
        claims = run.incoming.by_type.get(name)
        if claims is None:
            return None
        if len(claims) > 1:
            run.spend(len(claims))
        return (tuple(claims),)

    return match_type


def _match_all(finds: tuple[_Find, ...], joins: tuple[Join, ...]) -> Match:
    def match_all(run: Run) -> Matched | None:
        matched: list[Sequence[Claim]] = []
        for find in finds:
            claims = find(run)
            if not claims:
                return None
            matched.append(claims)
        for join in joins:
            if not join(run, matched):
                return None
        return tuple(matched)

    return match_all

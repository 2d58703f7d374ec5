"""Conditions of a rule, compiled: which claims each of them matches (policy-language section 5.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from assay.claims import Claim, ClaimValue
from assay.policy.computing import Bound, Compute, Matched, compile_expression, identifiers
from assay.policy.join import Join, JoinTest, compile_joins
from assay.policy.syntax import Call, Comparison, Condition, Literal, Property, PropertyTest, Reference, Rule
from assay.policy.values import COMPARE, READ, Compare, Read
from assay.policy.working_set import Run

# The claims that each condition of a rule matched (none for a negated one), or None when the rule does not fire.
Match = Callable[[Run], Matched | None]
# The claims that pass the tests which a condition can make by itself.
Find = Callable[[Run], Sequence[Claim]]
_Holds = Callable[[Claim], bool]
_Match = Callable[[Run], list[Sequence[Claim]] | None]


class _Computed(NamedTuple):
    """A test against an expression of calls and constants only, which is the same for every claim."""

    read: Read
    compare: Compare
    compute: Compute


class _Condition(NamedTuple):
    """A condition by what its tests need: its claim, a computed value, or the claims of other conditions too.

    Tests with calls that use an identifier are `joined`, even when the identifier is the condition's own.
    """

    negated: bool
    find: Find
    computed: tuple[_Computed, ...]
    joined: tuple[JoinTest, ...]

    @property
    def is_alone(self) -> bool:
        """Whether `find` tells all."""
        return not (self.negated or self.computed or self.joined)

    @property
    def calls(self) -> bool:
        return bool(self.computed) or any(test.calls for test in self.joined)

    @property
    def wanted_of_find(self) -> bool | None:
        """Whether claims that pass `find` are wanted; None when that does not decide."""
        if self.negated:
            return None if self.computed or self.joined else False
        return True

    @property
    def wanted_of_computed(self) -> bool | None:
        """The same of claims that pass `computed` too."""
        if self.negated:
            return None if self.joined else False
        return True

    @property
    def joined_without_calls(self) -> tuple[JoinTest, ...]:
        """The tests that join before any call is made; a negated condition is judged as a whole."""
        return () if self.negated and self.calls else tuple(test for test in self.joined if not test.calls)


def bindings(rule: Rule) -> Mapping[str, int]:
    """The position of the condition that each identifier means in an action: the last one that binds it."""
    return {
        condition.identifier: position
        for position, condition in enumerate(rule.conditions)
        if condition.identifier is not None and not condition.negated
    }


def compile_match(rule: Rule) -> Match:
    """A function that gives the claims matched by each condition, or None when the rule does not fire.

    What it raises is `RuleFailed`.
    """
    conditions = rule.conditions
    if not conditions:
        return lambda _run: ()
    if len(conditions) == 1 and not conditions[0].negated and (name := _only_type(conditions[0])) is not None:
        return _match_type(name)
    compiled = tuple([_compile_condition(rule, position) for position in range(len(conditions))])
    if all(condition.is_alone for condition in compiled):
        return _match_all(tuple([condition.find for condition in compiled]))
    negated = frozenset(position for position, condition in enumerate(conditions) if condition.negated)
    joins = compile_joins([test for condition in compiled for test in condition.joined_without_calls], negated)
    before_calls = _match_before_calls(compiled, joins)
    if not any(condition.calls for condition in compiled):
        return lambda run: _without_negated(before_calls(run), negated)
    all_joins = compile_joins([test for condition in compiled for test in condition.joined], negated)
    return _match_with_calls(before_calls, compiled, all_joins, negated)


def compile_finds(rule: Rule) -> tuple[Find, ...]:
    """For each condition, the claims that pass those of its tests which need no call and no other condition."""
    return tuple(_compile_condition(rule, position).find for position in range(len(rule.conditions)))


def _only_type(condition: Condition) -> str | None:
    name, others = indexed(condition)
    return None if others else name


def indexed(condition: Condition) -> tuple[str | None, tuple[PropertyTest, ...]]:
    """The first `type == "..."` of a condition, which the index answers, and the other tests."""
    for position, test in enumerate(condition.tests):
        match test:
            case PropertyTest(Property.TYPE, Comparison.EQUAL, Literal(str() as name)):
                return name, (*condition.tests[:position], *condition.tests[position + 1 :])
            case _:
                pass
    return None, condition.tests


def _compile_condition(rule: Rule, position: int) -> _Condition:
    name, tests = indexed(rule.conditions[position])
    alone: list[_Holds] = []
    computed: list[_Computed] = []
    joined: list[JoinTest] = []
    for test in tests:
        read, compare = READ[test.property], COMPARE[test.comparison]
        match test.expression:
            case Literal(value):
                alone.append(_against_literal(read, compare, value))
            case Reference(identifier, property_of):
                other, read_other = _bound_at(rule, position, identifier), READ[property_of]
                if other == position:
                    alone.append(_against_itself(read, compare, read_other))
                else:
                    holds = _against_another(position, read, compare, (other, read_other))
                    joined.append(JoinTest(position, frozenset({other}), holds))
            case Call() as call:
                meanings = {name: _bound_at(rule, position, name) for name in identifiers(call)}
                compute = compile_expression(call, meanings)
                if meanings:
                    holds = _against_computed(position, read, compare, compute)
                    joined.append(JoinTest(position, frozenset(meanings.values()), holds, calls=True))
                else:
                    computed.append(_Computed(read, compare, compute))
    find = _compile_find(name, tuple(alone))
    return _Condition(rule.conditions[position].negated, find, tuple(computed), tuple(joined))


def _against_literal(read: Read, compare: Compare, literal: ClaimValue) -> _Holds:
    return lambda claim: compare(read(claim), literal)


def _against_itself(read: Read, compare: Compare, read_other: Read) -> _Holds:
    return lambda claim: compare(read(claim), read_other(claim))


def _against_another(
    position: int, read: Read, compare: Compare, other: tuple[int, Read]
) -> Callable[[Run, Bound], bool]:
    other_position, read_other = other
    return lambda _run, chosen: compare(read(chosen[position][0]), read_other(chosen[other_position][0]))


def _against_computed(position: int, read: Read, compare: Compare, compute: Compute) -> Callable[[Run, Bound], bool]:
    """Whether it holds for some element of what is computed (policy-language 5.2)."""

    def holds(run: Run, chosen: Bound) -> bool:
        value, found = read(chosen[position][0]), compute(run, chosen).elements
        run.spend(len(found))
        return any(compare(value, element) for element in found)

    return holds


def _bound_at(rule: Rule, position: int, identifier: str) -> int:
    """The condition that an identifier means in the condition at `position`: the last before it, else the last."""
    binding = [p for p, c in enumerate(rule.conditions) if c.identifier == identifier and not c.negated]
    earlier = [p for p in binding if p < position]
    return (earlier or binding)[-1]


def _compile_find(name: str | None, holds: tuple[_Holds, ...]) -> Find:
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


def _match_all(finds: tuple[Find, ...]) -> Match:
    def match_all(run: Run) -> Matched | None:
        matched: list[Sequence[Claim]] = []
        for find in finds:
            claims = find(run)
            if not claims:
                return None
            matched.append(claims)
        return tuple(matched)

    return match_all


def _match_before_calls(conditions: tuple[_Condition, ...], joins: tuple[Join, ...]) -> _Match:
    """What passes every test without calls; of a negated condition not decided yet, what may satisfy it."""
    steps = tuple((condition.find, condition.wanted_of_find) for condition in conditions)

    def match_before_calls(run: Run) -> list[Sequence[Claim]] | None:
        matched: list[Sequence[Claim]] = []
        for find, wanted in steps:
            claims = find(run)
            if wanted is not None and bool(claims) is not wanted:
                return None
            matched.append(claims)
        return matched if all(join(run, matched) for join in joins) else None

    return match_before_calls


def _match_with_calls(
    before_calls: _Match, conditions: tuple[_Condition, ...], joins: tuple[Join, ...], negated: frozenset[int]
) -> Match:
    """Calls are made only when some tuple of claims passes every test without calls."""
    filters = tuple((position, condition) for position, condition in enumerate(conditions) if condition.computed)

    def match_with_calls(run: Run) -> Matched | None:
        matched = before_calls(run)
        if matched is None:
            return None
        for position, condition in filters:
            matched[position] = claims = _filter(run, matched[position], condition.computed)
            wanted = condition.wanted_of_computed
            if wanted is not None and bool(claims) is not wanted:
                return None
        return _without_negated(matched if all(join(run, matched) for join in joins) else None, negated)

    return match_with_calls


def _without_negated(matched: list[Sequence[Claim]] | None, negated: frozenset[int]) -> Matched | None:
    if matched is None:
        return None
    return tuple(() if position in negated else claims for position, claims in enumerate(matched))


def _filter(run: Run, claims: Sequence[Claim], tests: tuple[_Computed, ...]) -> Sequence[Claim]:
    for read, compare, compute in tests:
        if not claims:
            break
        found = compute(run, ()).elements
        run.spend(len(claims) * len(found))
        claims = [claim for claim in claims if any(compare(read(claim), element) for element in found)]
    return claims

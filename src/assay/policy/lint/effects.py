"""Rules that change nothing: after a deny for all, or covered by another rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from assay.policy.lint import findings
from assay.policy.lint.domains import name_of
from assay.policy.lint.findings import Finding
from assay.policy.lint.knowledge import StudiedRule, made_name
from assay.policy.lint.study import Study
from assay.policy.syntax import Action, Deny, Emit, Literal, MadeClaim, Permit, Section


def find_effects(study: Study) -> Iterator[Finding]:
    """Rules that are never reached, and rules without which the result is the same."""
    rules = study.rules
    effects = _Effects(rules)
    for index, studied in enumerate(rules):
        if isinstance(studied.rule.action, Deny) and not studied.rule.conditions:
            yield from _unreached(studied, rules[index + 1 :])
            return
        cover = effects.cover(index)
        if cover is not None:
            message = f"line {cover.rule.line} fires whenever this rule does, and does the same"
            yield Finding(findings.NO_EFFECT, studied.place.span, message, "remove one of the two rules")


def _unreached(deny: StudiedRule, later: Sequence[StudiedRule]) -> Iterator[Finding]:
    if later:
        line, rules = deny.rule.line, "this rule is" if len(later) == 1 else f"this rule and {len(later) - 1} more are"
        message = f"{rules} never reached: line {line} always denies"
        yield Finding(findings.UNREACHABLE, later[0].place.span, message, f"give the rule in line {line} conditions")


class _Shape(NamedTuple):
    """The conditions of a rule as numbers, equal ones alike; `refers` says that some look at each other."""

    conditions: frozenset[int]
    exact: tuple[int, ...]
    refers: bool
    negates: bool


def _shapes(rules: Sequence[StudiedRule]) -> list[_Shape]:
    numbers: dict[tuple[object, ...], int] = {}

    def number(*parts: object) -> int:
        return numbers.setdefault(parts, len(numbers))

    return [
        _Shape(
            frozenset(number(condition.tests, condition.negated) for condition in rule.conditions),
            tuple(number(condition.identifier, condition.tests, condition.negated) for condition in rule.conditions),
            any(not isinstance(test.expression, Literal) for condition in rule.conditions for test in condition.tests),
            any(condition.negated for condition in rule.conditions),
        )
        for rule in (studied.rule for studied in rules)
    ]


class _Effects:
    """Compares the rules of one policy with those that have the same action."""

    def __init__(self, rules: Sequence[StudiedRule]) -> None:
        self._rules = rules
        self._shapes = _shapes(rules)
        self._woken = list(_last_woken(rules))
        alike: dict[tuple[Section, Action], list[int]] = {}
        for index, studied in enumerate(rules):
            alike.setdefault((studied.rule.section, studied.rule.action), []).append(index)
        self._alike: Mapping[tuple[Section, Action], Sequence[int]] = alike

    def cover(self, index: int) -> StudiedRule | None:
        """A rule that does all that this one does: an earlier one on the same claims, or for a verdict a later one."""
        rule, shape = self._rules[index].rule, self._shapes[index]
        for position in self._alike[rule.section, rule.action]:
            other = self._shapes[position]
            if position == index or not _covers(rule.action, other, shape):
                continue
            if position < index and self._woken[index] <= position:
                return self._rules[position]
            # Positive conditions stay true, since claims are only added; of two equal rules the later one is named.
            is_verdict = isinstance(rule.action, Permit | Deny)
            if position > index and is_verdict and not other.negates and not _covers(rule.action, shape, other):
                return self._rules[position]
        return None


def _covers(action: Action, left: _Shape, right: _Shape) -> bool:
    """Whether a rule of the left shape fires whenever one of the right shape does, and makes the same."""
    match action:
        case Permit() | Deny() | Emit(_, MadeClaim(Literal(), Literal(), None | Literal())):
            return left.exact == right.exact if left.refers or right.refers else left.conditions <= right.conditions
        case Emit():
            # What is made depends on what the conditions bind.
            return left.exact == right.exact


def _last_woken(rules: Sequence[StudiedRule]) -> Iterator[int]:
    """For each rule the last rule before it that may have made a claim for its conditions, or -1."""
    by_name: dict[str, int] = {}
    any_name = last = -1
    for index, studied in enumerate(rules):
        names = [name_of(condition.tests) for condition in studied.rule.conditions]
        yield max((last if name is None else max(by_name.get(name, -1), any_name) for name in names), default=-1)
        if isinstance(studied.rule.action, Emit) and isinstance(studied.rule.action.claim, MadeClaim):
            name = made_name(studied.rule)
            last = index
            if name is None:
                any_name = index
            else:
                by_name[name] = index

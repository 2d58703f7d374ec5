"""Conditions that refer to each other: an existential join (policy-language 5.1, rule 4; reading Q6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from assay import limits
from assay.claims import Claim
from assay.errors import PolicyEvaluationError
from assay.policy.working_set import Run

if TYPE_CHECKING:
    from assay.policy.values import Compare, Read


class JoinTest(NamedTuple):
    """A test of one condition's claim against another condition's claim, the conditions given by position."""

    position: int
    read: Read
    compare: Compare
    other: int
    read_other: Read


# Reduces the claims found by each condition to those of some joined tuple; False when there is none.
Join = Callable[[Run, list[Sequence[Claim]]], bool]


class _Level(NamedTuple):
    """One condition of a join, and the tests that can be made once its claim is chosen."""

    position: int
    tests: tuple[JoinTest, ...]


def compile_joins(tests: Sequence[JoinTest], line: int) -> tuple[Join, ...]:
    """One join for each set of conditions that refer to each other; unrelated conditions do not multiply."""
    joins: list[Join] = []
    for positions in _connected(tests):
        levels: list[_Level] = []
        chosen: set[int] = set()
        for position in sorted(positions):
            before = frozenset(chosen)
            chosen.add(position)
            levels.append(_Level(position, tuple(test for test in tests if _is_due(test, position, before))))
        joins.append(_compile_join(tuple(levels), line))
    return tuple(joins)


def _is_due(test: JoinTest, position: int, before: frozenset[int]) -> bool:
    return (test.position == position and test.other in before) or (test.other == position and test.position in before)


def _connected(tests: Iterable[JoinTest]) -> list[set[int]]:
    groups: list[set[int]] = []
    for test in tests:
        joined = {test.position, test.other}
        apart = []
        for group in groups:
            if group & joined:
                joined |= group
            else:
                apart.append(group)
        groups = [*apart, joined]
    return groups


def _compile_join(levels: tuple[_Level, ...], line: int) -> Join:
    def join(run: Run, matched: list[Sequence[Claim]]) -> bool:
        search = _Search(levels, run, matched, line)
        if not search.extend(0):
            return False
        for level, claims in zip(levels, search.occurring, strict=True):
            matched[level.position] = [claim for index, claim in enumerate(matched[level.position]) if index in claims]
        return True

    return join


class _Search:
    """Walks all tuples of one join; remembers by index which claims occur in one that holds."""

    __slots__ = ("_chosen", "_levels", "_line", "_matched", "_run", "_tuples", "occurring")

    def __init__(self, levels: tuple[_Level, ...], run: Run, matched: Sequence[Sequence[Claim]], line: int) -> None:
        self._levels, self._run, self._matched, self._line = levels, run, matched, line
        self._chosen: dict[int, Claim] = {}
        self._tuples = 0
        self.occurring: tuple[set[int], ...] = tuple(set() for _ in levels)

    def extend(self, depth: int) -> bool:
        """Whether the claims chosen so far are part of a tuple that holds; no deeper than a rule has conditions."""
        if depth == len(self._levels):
            return True
        level = self._levels[depth]
        is_part = False
        for index, claim in enumerate(self._matched[level.position]):
            self._count(len(level.tests))
            self._chosen[level.position] = claim
            if all(map(self._holds, level.tests)) and self.extend(depth + 1):
                self.occurring[depth].add(index)
                is_part = True
        return is_part

    def _holds(self, test: JoinTest) -> bool:
        return test.compare(test.read(self._chosen[test.position]), test.read_other(self._chosen[test.other]))

    def _count(self, tests: int) -> None:
        self._tuples += 1
        if self._tuples > limits.POLICY_JOIN_TUPLES:
            raise PolicyEvaluationError(
                f"Policy Engine Exception: the rule at line {self._line} joins more than "
                f"{limits.POLICY_JOIN_TUPLES} tuples of claims."
            )
        self._run.spend(1 + tests)

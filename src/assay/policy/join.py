"""Conditions that refer to each other: an existential join (policy-language 5.1, rules 2 and 4; reading Q6)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from assay import limits
from assay.claims import Claim
from assay.policy.computing import Bound
from assay.policy.rule_failed import RuleFailed
from assay.policy.working_set import Run


class JoinTest(NamedTuple):
    """A test of the claim chosen for the condition at `position` against those chosen for the `others`.

    One that `calls` functions is made only for a whole tuple that passes every test which does not.
    """

    position: int
    others: frozenset[int]
    holds: Callable[[Run, Bound], bool]
    calls: bool = False


# Reduces the claims found by each condition to those of some joined tuple; False when there is none.
Join = Callable[[Run, list[Sequence[Claim]]], bool]


class _Absence(NamedTuple):
    """A negated condition: none of its claims may pass these tests."""

    position: int
    tests: tuple[JoinTest, ...]

    @property
    def calls(self) -> bool:
        return any(test.calls for test in self.tests)


class _Judged(NamedTuple):
    """What is judged together of the claims chosen so far."""

    tests: tuple[JoinTest, ...]
    absences: tuple[_Absence, ...]


class _Level(NamedTuple):
    """One condition of a join, and what can be judged once its claim is chosen; calls are `late`, at the last level."""

    position: int
    early: _Judged
    late: _Judged


def compile_joins(tests: Sequence[JoinTest], negated: Collection[int]) -> tuple[Join, ...]:
    """One join for each set of conditions that refer to each other; unrelated conditions do not multiply."""
    return tuple(_compile_join(_levels(tests, positions, negated)) for positions in _connected(tests))


def _connected(tests: Iterable[JoinTest]) -> list[set[int]]:
    groups: list[set[int]] = []
    for test in tests:
        joined = {test.position, *test.others}
        apart = []
        for group in groups:
            if group & joined:
                joined |= group
            else:
                apart.append(group)
        groups = [*apart, joined]
    return groups


def _levels(tests: Sequence[JoinTest], positions: set[int], negated: Collection[int]) -> tuple[_Level, ...]:
    chosen = sorted(positions.difference(negated))
    levels = []
    for position in chosen:
        due = [
            test
            for test in tests
            if test.position not in negated and not test.calls and max(test.position, *test.others, -1) == position
        ]
        absent = [
            absence
            for absence in _absences(tests, positions, negated)
            if not absence.calls and max(other for test in absence.tests for other in test.others) == position
        ]
        levels.append(_Level(position, _Judged(tuple(due), tuple(absent)), _Judged((), ())))
    late = [test for test in tests if test.position in positions and test.position not in negated and test.calls]
    late_absent = [absence for absence in _absences(tests, positions, negated) if absence.calls]
    levels[-1] = levels[-1]._replace(late=_Judged(tuple(late), tuple(late_absent)))
    return tuple(levels)


def _absences(tests: Iterable[JoinTest], positions: set[int], negated: Collection[int]) -> Iterator[_Absence]:
    calls_last = sorted(tests, key=lambda test: test.calls)
    for position in sorted(positions.intersection(negated)):
        yield _Absence(position, tuple(test for test in calls_last if test.position == position))


def _compile_join(levels: tuple[_Level, ...]) -> Join:
    def join(run: Run, matched: list[Sequence[Claim]]) -> bool:
        search = _Search(levels, run, matched)
        if not search.extend(0):
            return False
        for level, claims in zip(levels, search.occurring, strict=True):
            matched[level.position] = [claim for index, claim in enumerate(matched[level.position]) if index in claims]
        return True

    return join


class _Search:
    """Walks all tuples of one join; remembers by index which claims occur in one that holds."""

    __slots__ = ("_chosen", "_levels", "_matched", "_run", "_tuples", "occurring")

    def __init__(self, levels: tuple[_Level, ...], run: Run, matched: Sequence[Sequence[Claim]]) -> None:
        self._levels, self._run, self._matched = levels, run, matched
        self._chosen: list[Sequence[Claim]] = [()] * len(matched)
        self._tuples = 0
        self.occurring: tuple[set[int], ...] = tuple(set() for _ in levels)

    def extend(self, depth: int) -> bool:
        """Whether the claims chosen so far are part of a tuple that holds; no deeper than a rule has conditions."""
        if depth == len(self._levels):
            return True
        level = self._levels[depth]
        is_part = False
        for index, claim in enumerate(self._matched[level.position]):
            self._chosen[level.position] = (claim,)
            self._count()
            if self._holds(level.early) and self._holds(level.late) and self.extend(depth + 1):
                self.occurring[depth].add(index)
                is_part = True
        return is_part

    def _holds(self, judged: _Judged) -> bool:
        return self._passes(judged.tests) and all(map(self._is_absent, judged.absences))

    def _passes(self, tests: tuple[JoinTest, ...]) -> bool:
        self._run.spend(len(tests))
        return all(test.holds(self._run, self._chosen) for test in tests)

    def _is_absent(self, absence: _Absence) -> bool:
        for claim in self._matched[absence.position]:
            self._chosen[absence.position] = (claim,)
            self._count()
            if self._passes(absence.tests):
                return False
        return True

    def _count(self) -> None:
        self._tuples += 1
        if self._tuples > limits.POLICY_JOIN_TUPLES:
            raise RuleFailed(f"the rule joins more than {limits.POLICY_JOIN_TUPLES} tuples of claims")
        self._run.spend(1)

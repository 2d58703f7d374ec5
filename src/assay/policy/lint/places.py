"""Where the parts of rules stand in a policy text, found from its words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from assay.policy import tokens
from assay.policy.tokens import STRING, Lines, Token

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_OPENING, _CLOSING = frozenset("(["), frozenset(")]")


class Span(NamedTuple):
    """A place to point at: lines from 1, columns from 0, and how many characters."""

    line: int
    column: int
    width: int


@dataclass(frozen=True, slots=True)
class ExpressionPlace:
    """An expression, and the String literals in it, in their order."""

    span: Span
    strings: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class TestPlace:
    """A property test and its right-hand side."""

    span: Span
    expression: ExpressionPlace


@dataclass(frozen=True, slots=True)
class ConditionPlace:
    """A condition and its tests, in their order."""

    span: Span
    tests: tuple[TestPlace, ...]


@dataclass(frozen=True, slots=True)
class RulePlace:
    """A rule, its conditions in their order, its action, the action's word, and what it assigns, by property."""

    span: Span
    conditions: tuple[ConditionPlace, ...]
    action: Span
    action_name: str
    assigned: Mapping[str, ExpressionPlace]


def place_rules(text: str) -> tuple[RulePlace, ...]:
    """The places of all rules of a text that parses, in its order."""
    locate = _Locator(text)
    return tuple(locate.rule(words) for words in _rules(tokens.tokenize(text)))


def _rules(words: Iterator[Token]) -> Iterator[list[Token]]:
    """The words of each rule, its semicolon left out."""
    is_inside = False
    rule: list[Token] = []
    for word in words:
        if word.kind in {"{", "}"}:
            is_inside = word.kind == "{"
        elif is_inside and word.kind == ";":
            yield rule
            rule = []
        elif is_inside:
            rule.append(word)


class _Locator:
    """Turns the words of one text into places."""

    def __init__(self, text: str) -> None:
        self._lines = Lines(text)

    def rule(self, words: Sequence[Token]) -> RulePlace:
        arrow = next(index for index, word in enumerate(words) if word.kind == "=>")
        conditions = tuple(map(self._condition, _split(words[:arrow], "&&"))) if arrow else ()
        action = words[arrow + 1 :]
        assigned = {}
        for argument in _split(action[2:-1], ","):
            if argument and argument[0].text != "claim":
                assigned[argument[0].text] = self._expression(argument[2:])
        return RulePlace(self._span(words), conditions, self._span(action), action[0].text, assigned)

    def _condition(self, words: Sequence[Token]) -> ConditionPlace:
        opening = next(index for index, word in enumerate(words) if word.kind == "[")
        tests = tuple(
            TestPlace(self._span(test), self._expression(test[2:])) for test in _split(words[opening + 1 : -1], ",")
        )
        return ConditionPlace(self._span(words), tests)

    def _expression(self, words: Sequence[Token]) -> ExpressionPlace:
        return ExpressionPlace(self._span(words), tuple(self._span([word]) for word in words if word.kind == STRING))

    def _span(self, words: Sequence[Token]) -> Span:
        first, last = words[0], words[-1]
        line, column = self._lines.place(first.offset)
        return Span(line, column, last.offset + len(last.text) - first.offset)


def _split(words: Sequence[Token], mark: str) -> list[Sequence[Token]]:
    """The words between marks of one kind that stand in no bracket."""
    parts: list[Sequence[Token]] = []
    depth = start = 0
    for index, word in enumerate(words):
        depth += (word.kind in _OPENING) - (word.kind in _CLOSING)
        if depth == 0 and word.kind == mark:
            parts.append(words[start:index])
            start = index + 1
    return [*parts, words[start:]]

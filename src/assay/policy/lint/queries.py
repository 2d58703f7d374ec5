"""JMESPath queries that do not parse, or that say something else than they seem to (policy-language 7.1; Q23)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, TypedDict

from jmespath.exceptions import JMESPathError
from jmespath.parser import Parser

from assay.policy.lint import findings
from assay.policy.lint.findings import Finding, Kind
from assay.policy.syntax import Call, Emit, Expression, Function, Literal, MadeClaim, Property

if TYPE_CHECKING:
    from assay.policy.lint.knowledge import StudiedRule
    from assay.policy.lint.places import ExpressionPlace, Span
    from assay.policy.lint.study import Study


class _Node(TypedDict, total=False):
    """A node of a query's tree, as the library has it."""

    type: str
    value: object
    children: list[_Node]


# Nodes whose result is a list, an empty one when nothing was found.
_LISTS: Final = frozenset({"filter_projection", "projection", "value_projection", "flatten"})
_WORDS: Final = frozenset({"null", "true", "false"})
_DIGITS: Final = re.compile(r"-?[0-9]+\Z")


def find_queries(study: Study) -> Iterator[Finding]:
    """Findings in every query that the policy states as one literal."""
    for studied in study.rules:
        for expression, place in _expressions(studied):
            for query, span in _queries(expression, iter(place.strings)):
                yield from _in_query(query, span)


def _expressions(studied: StudiedRule) -> Iterator[tuple[Expression, ExpressionPlace]]:
    for condition, stands in zip(studied.rule.conditions, studied.place.conditions, strict=True):
        for test, place in zip(condition.tests, stands.tests, strict=True):
            yield test.expression, place.expression
    match studied.rule.action:
        case Emit(_, MadeClaim(name, value, stated)):
            assigned = studied.place.assigned
            yield name, assigned[Property.TYPE.value]
            yield value, assigned[Property.VALUE.value]
            if stated is not None:
                yield stated, assigned[Property.VALUE_TYPE.value]
        case _:
            pass


def _queries(expression: Expression, strings: Iterator[Span]) -> Iterator[tuple[str, Span]]:
    """The literal queries of an expression; `strings` are the places of its String literals, walked in step."""
    match expression:
        case Literal(str()):
            next(strings)
        case Call(Function.JMES_PATH, (json, Literal(str() as query))):
            yield from _queries(json, strings)
            yield query, next(strings)
        case Call(_, arguments):
            for argument in arguments:
                yield from _queries(argument, strings)
        case _:
            pass


def _in_query(query: str, span: Span) -> Iterator[Finding]:
    try:
        tree: _Node = Parser().parse(query).parsed
    except (JMESPathError, RecursionError, ValueError) as error:
        problem = str(error).splitlines()[0].partition(", for expression")[0] if str(error) else type(error).__name__
        remedy = "numbers, true, false and null stand in back-ticks (`12`), texts in single quotes"
        yield Finding(findings.BAD_QUERY, span, f"this query is not JMESPath: {problem}", remedy)
        return
    seen: set[tuple[str, str]] = set()
    for kind, message, remedy in _problems(tree, is_list=False):
        if (kind.code, message) not in seen:
            seen.add((kind.code, message))
            yield Finding(kind, span, message, remedy)


_Problem = tuple[Kind, str, str]


def _problems(node: _Node, *, is_list: bool) -> Iterator[_Problem]:
    """Problems below a node; `is_list` says that the current value there is a list, empty when nothing was found."""
    children = node.get("children") or []
    if node["type"] == "comparator":
        yield from _in_comparison(node, children, is_list=is_list)
    if node["type"] == "pipe":
        left, right = children
        yield from _problems(left, is_list=is_list)
        yield from _problems(right, is_list=_gives_list(left, is_list=is_list))
        return
    # A filter's and a projection's later parts look at one element each, not at the list.
    for child in children:
        yield from _problems(child, is_list=is_list and node["type"] not in _LISTS)


def _gives_list(node: _Node, *, is_list: bool) -> bool:
    match node["type"]:
        case "pipe":
            left, right = node["children"]
            return _gives_list(right, is_list=_gives_list(left, is_list=is_list))
        case "current" | "identity":
            return is_list
        case kind:
            return kind in _LISTS


def _in_comparison(node: _Node, sides: Sequence[_Node], *, is_list: bool) -> Iterator[_Problem]:
    for side, other in (sides, tuple(reversed(sides))):
        word = side.get("value") if side["type"] == "field" else None
        if _is_null(side) and _gives_list(other, is_list=is_list):
            outcome = {"ne": "true", "eq": "false"}.get(str(node.get("value")), "false")
            message = f"this comparison with null is {outcome} even when the filter found nothing"
            yield findings.EMPTY_FILTER, message, "count what was found: | length(@) > `0`"
        elif word in _WORDS:
            message = f"{word} is read as the name of a field here"
            yield findings.BARE_WORD, message, f"write `{word}` in back-ticks"
        elif _is_digits(side) and other["type"] != "literal":
            message = f"'{side['value']}' is a text, which no number equals"
            yield findings.NUMBER_AS_TEXT, message, f"write `{side['value']}` in back-ticks, when a number is meant"


def _is_null(node: Mapping[str, object]) -> bool:
    if node["type"] == "literal":
        return node["value"] is None
    return node["type"] == "field" and node["value"] == "null"


def _is_digits(node: Mapping[str, object]) -> bool:
    return node["type"] == "literal" and isinstance(node["value"], str) and bool(_DIGITS.match(node["value"]))

"""A syntax tree made into a function of the current value; each node counts what it is about to visit."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Final

from assay.formats.strict_json import JsonValue
from assay.policy.jmespath.expression_functions import BY_EXPRESSION
from assay.policy.jmespath.functions import FUNCTIONS
from assay.policy.jmespath.query_error import QueryError
from assay.policy.jmespath.syntax import (
    And,
    Call,
    CallByExpression,
    Comparison,
    Current,
    Field,
    Filter,
    Flatten,
    Index,
    Literal,
    MultiSelectHash,
    MultiSelectList,
    Node,
    Not,
    Or,
    Projection,
    Sequence,
    Slice,
    ValuesProjection,
)
from assay.policy.jmespath.values import Meter, is_equal, is_true, type_name

Apply = Callable[[JsonValue, Meter], JsonValue]

_ORDERINGS: Final[dict[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def compile_node(node: Node) -> Apply:
    """The function of a node; it raises `QueryError`, and what the meter raises."""
    match node:
        case Current():
            return lambda value, _: value
        case Literal(constant):
            return lambda _, __: constant
        case Field(name):
            return lambda value, _: value.get(name) if isinstance(value, dict) else None
        case Index(index):
            return lambda value, _: _element(value, index)
        case Slice():
            return lambda value, meter: _slice(node, value, meter)
        case Flatten():
            return _flatten
        case Sequence(steps):
            return _sequence(compile_nodes(steps))
        case Projection() | ValuesProjection() | Filter():
            return _projection(node)
        case Not(operand):
            inner = compile_node(operand)
            return lambda value, meter: not is_true(inner(value, meter))
        case Or(operands):
            return _first(compile_nodes(operands), wanted=True)
        case And(operands):
            return _first(compile_nodes(operands), wanted=False)
        case Comparison():
            return _comparison(node)
        case MultiSelectList(elements):
            return _multi_select_list(compile_nodes(elements))
        case MultiSelectHash():
            return _multi_select_hash(node)
        case Call():
            return _call(node)
        case CallByExpression():
            return _call_by_expression(node)


def compile_nodes(nodes: Iterable[Node]) -> tuple[Apply, ...]:
    """The functions of several nodes."""
    return tuple(map(compile_node, nodes))


def _element(value: JsonValue, index: int) -> JsonValue:
    if not isinstance(value, list) or not -len(value) <= index < len(value):
        return None
    return value[index]


def _slice(node: Slice, value: JsonValue, meter: Meter) -> JsonValue:
    if not isinstance(value, list):
        return None
    if node.step == 0:
        raise QueryError("a slice with step 0")
    meter.count(len(range(*slice(node.start, node.stop, node.step).indices(len(value)))))
    return value[node.start : node.stop : node.step]


def _flatten(value: JsonValue, meter: Meter) -> JsonValue:
    if not isinstance(value, list):
        return None
    flat: list[JsonValue] = []
    for element in value:
        if isinstance(element, list):
            meter.count(1 + len(element))
            flat.extend(element)
        else:
            meter.count(1)
            flat.append(element)
    return flat


def _sequence(steps: tuple[Apply, ...]) -> Apply:
    def apply(value: JsonValue, meter: Meter) -> JsonValue:
        meter.count(len(steps))
        for step in steps:
            value = step(value, meter)
        return value

    return apply


def _projection(node: Projection | ValuesProjection | Filter) -> Apply:
    """Each element is counted before its step is applied; a null that comes out is dropped."""
    step = compile_node(node.step)
    condition = compile_node(node.condition) if isinstance(node, Filter) else None
    is_of_values = isinstance(node, ValuesProjection)

    def apply(value: JsonValue, meter: Meter) -> JsonValue:
        if is_of_values:
            elements = [*value.values()] if isinstance(value, dict) else None
        else:
            elements = value if isinstance(value, list) else None
        if elements is None:
            return None
        meter.count(len(elements))
        kept: list[JsonValue] = []
        for element in elements:
            if condition is None or is_true(condition(element, meter)):
                made = step(element, meter)
                if made is not None:
                    kept.append(made)
        return kept

    return apply


def _first(operands: tuple[Apply, ...], *, wanted: bool) -> Apply:
    """The first operand that is true (or false), else the last."""
    *others, last = operands

    def apply(value: JsonValue, meter: Meter) -> JsonValue:
        for operand in others:
            meter.count(1)
            found = operand(value, meter)
            if is_true(found) is wanted:
                return found
        meter.count(1)
        return last(value, meter)

    return apply


def _compare(comparison: str, left: JsonValue, right: JsonValue, meter: Meter) -> JsonValue:
    match comparison:
        case "==":
            return is_equal(left, right, meter)
        case "!=":
            return not is_equal(left, right, meter)
    # jmespath.org, "Ordering Operators": of anything but numbers, null.
    if isinstance(left, int | float) and isinstance(right, int | float) and type_name(left) == type_name(right):
        return None if isinstance(left, bool) else _ORDERINGS[comparison](left, right)
    return None


def _comparison(node: Comparison) -> Apply:
    first = compile_node(node.first)
    rest = [(comparison, compile_node(operand)) for comparison, operand in node.rest]

    def apply(value: JsonValue, meter: Meter) -> JsonValue:
        left = first(value, meter)
        for comparison, operand in rest:
            meter.count(1)
            left = _compare(comparison, left, operand(value, meter), meter)
        return left

    return apply


def _multi_select_list(elements: tuple[Apply, ...]) -> Apply:
    def apply(value: JsonValue, meter: Meter) -> JsonValue:
        if value is None:
            return None
        meter.count(len(elements))
        return [element(value, meter) for element in elements]

    return apply


def _multi_select_hash(node: MultiSelectHash) -> Apply:
    members = [(name, compile_node(member)) for name, member in node.members]

    def apply(value: JsonValue, meter: Meter) -> JsonValue:
        if value is None:
            return None
        meter.count(len(members))
        return {name: member(value, meter) for name, member in members}

    return apply


def _call(node: Call) -> Apply:
    function, name, arguments = FUNCTIONS[node.name].apply, node.name, compile_nodes(node.arguments)

    def apply(value: JsonValue, meter: Meter) -> JsonValue:
        meter.count(1 + len(arguments))
        values = [argument(value, meter) for argument in arguments]
        try:
            return function(meter, *values)
        except QueryError as error:
            raise QueryError(f"{name}(): {error}") from error

    return apply


def _call_by_expression(node: CallByExpression) -> Apply:
    function, array, expression = BY_EXPRESSION[node.name], compile_node(node.array), compile_node(node.expression)

    def apply(value: JsonValue, meter: Meter) -> JsonValue:
        meter.count(2)
        elements = array(value, meter)
        if not isinstance(elements, list):
            raise QueryError(f"{node.name}(): expected array, found {type_name(elements)}")
        meter.count(len(elements))
        return function(elements, lambda element: expression(element, meter), meter)

    return apply

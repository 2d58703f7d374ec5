"""The functions that take an expression: `map`, `sort_by`, `max_by`, `min_by` (jmespath.org, "Built-in Functions")."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from assay.formats.strict_json import JsonValue
from assay.policy.jmespath.functions import sort_keys
from assay.policy.jmespath.values import Meter

Apply = Callable[[JsonValue], JsonValue]
ByExpression = Callable[[list[JsonValue], Apply, Meter], JsonValue]


def _map(array: list[JsonValue], expression: Apply, _: Meter) -> JsonValue:
    return [expression(element) for element in array]


def _order(array: list[JsonValue], expression: Apply, meter: Meter) -> tuple[list[int], list[str] | list[int | float]]:
    keys = sort_keys([expression(element) for element in array], meter)
    return [*range(len(keys))], keys


def _sort_by(array: list[JsonValue], expression: Apply, meter: Meter) -> JsonValue:
    places, keys = _order(array, expression, meter)
    return [array[place] for place in sorted(places, key=keys.__getitem__)]


def _max_by(array: list[JsonValue], expression: Apply, meter: Meter) -> JsonValue:
    places, keys = _order(array, expression, meter)
    return array[max(places, key=keys.__getitem__)] if places else None


def _min_by(array: list[JsonValue], expression: Apply, meter: Meter) -> JsonValue:
    places, keys = _order(array, expression, meter)
    return array[min(places, key=keys.__getitem__)] if places else None


BY_EXPRESSION: Final[dict[str, ByExpression]] = {
    "map": _map,
    "max_by": _max_by,
    "min_by": _min_by,
    "sort_by": _sort_by,
}
# Where the array stands before the expression.
ARRAY_FIRST: Final = frozenset({"max_by", "min_by", "sort_by"})

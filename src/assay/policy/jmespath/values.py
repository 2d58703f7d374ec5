"""What JMESPath asks of JSON values: their type, truth, equality and size; work is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assay import limits
from assay.formats.strict_json import JsonValue
from assay.policy.jmespath.query_error import QueryError

if TYPE_CHECKING:
    from collections.abc import Callable

_TYPES: Final[dict[type, str]] = {
    bool: "boolean",
    int: "number",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
    type(None): "null",
}
# One step per element or node, and per this many characters: a comparison of bytes is that much quicker.
_CHARACTERS: Final = 64
_BATCH: Final = 256


class Meter:
    """Counts the steps of one search and hands them on; what the caller's function raises comes through."""

    __slots__ = ("_pending", "_spend")

    def __init__(self, spend: Callable[[int], None]) -> None:
        self._spend = spend
        self._pending = 0

    def count(self, steps: int) -> None:
        """So much is about to be done."""
        self._pending += steps
        if self._pending >= _BATCH:
            self.settle()

    def count_text(self, characters: int) -> None:
        """So many characters are about to be read or copied."""
        self.count(1 + characters // _CHARACTERS)

    def settle(self) -> None:
        """Hands on what was counted."""
        pending, self._pending = self._pending, 0
        self._spend(pending)


def type_name(value: JsonValue) -> str:
    """The JMESPath type of a value."""
    return _TYPES[value.__class__]


def is_true(value: JsonValue) -> bool:
    """Everything is, but null, false, and what is empty; 0 is true."""
    return bool(value) or (value is not None and value is not False and type_name(value) == "number")


def is_equal(left: JsonValue, right: JsonValue, meter: Meter) -> bool:
    """Equal at every level and of one type: 1 is 1.0, but not true."""
    pairs: list[tuple[JsonValue, JsonValue]] = [(left, right)]
    while pairs:
        one, other = pairs.pop()
        if one is other:
            continue
        meter.count(1)
        if type_name(one) != type_name(other):
            return False
        if isinstance(one, list) and isinstance(other, list):
            if len(one) != len(other):
                return False
            meter.count(len(one))
            pairs.extend(zip(one, other, strict=True))
        elif isinstance(one, dict) and isinstance(other, dict):
            if one.keys() != other.keys():
                return False
            meter.count(len(one))
            pairs.extend((member, other[name]) for name, member in one.items())
        else:
            if isinstance(one, str):
                meter.count_text(len(one))
            if one != other:
                return False
    return True


def check_size(value: JsonValue, meter: Meter) -> None:
    """Refuses a value whose text would be too long or too deep: one that repeats itself can be both; `QueryError`."""
    if isinstance(value, str):
        _check_length(len(value))
        return
    level: list[JsonValue] = [value]
    size = depth = 0
    while level:
        if depth > limits.JMESPATH_DEPTH:
            raise QueryError(f"an answer nested deeper than {limits.JMESPATH_DEPTH}")
        below: list[JsonValue] = []
        for element in level:
            meter.count(1)
            size += 1
            if isinstance(element, str):
                size += len(element)
            elif isinstance(element, list):
                size += len(element)
                _check_length(size)
                below.extend(element)
            elif isinstance(element, dict):
                size += sum(map(len, element)) + len(element)
                _check_length(size)
                below.extend(element.values())
        _check_length(size)
        level, depth = below, depth + 1


def _check_length(characters: int) -> None:
    if characters > limits.JMESPATH_RESULT:
        raise QueryError(f"an answer of more than {limits.JMESPATH_RESULT} characters")

"""The functions of values (jmespath.org, "Built-in Functions"; `equals_ignore_case`: policy-language 7.1).

Numbers stay numbers of JSON: a result out of range is an error. `contains` compares as `==` does, `merge` takes only
objects, and `to_string` writes as results are written (reading Q8).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assay import limits
from assay.formats import strict_json
from assay.formats.strict_json import JsonError, JsonValue
from assay.policy.jmespath.query_error import QueryError
from assay.policy.jmespath.values import Meter, check_size, is_equal, type_name

if TYPE_CHECKING:
    from collections.abc import Callable

_JSON_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][-+]?[0-9]++)?")

Number = int | float


@dataclass(frozen=True, slots=True)
class Function:
    """How many arguments a function takes (no most: any number), and what it does with them."""

    apply: Callable[..., JsonValue]
    least: int = 1
    most: int | None = 1


def _wrong(expected: str, found: JsonValue) -> QueryError:
    return QueryError(f"expected {expected}, found {type_name(found)}")


def _string(value: JsonValue) -> str:
    if not isinstance(value, str):
        raise _wrong("string", value)
    return value


def _number(value: JsonValue) -> Number:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _wrong("number", value)
    return value


def _array(value: JsonValue) -> list[JsonValue]:
    if not isinstance(value, list):
        raise _wrong("array", value)
    return value


def _object(value: JsonValue) -> dict[str, JsonValue]:
    if not isinstance(value, dict):
        raise _wrong("object", value)
    return value


def _numbers(value: JsonValue) -> list[Number]:
    return [_number(element) for element in _array(value)]


def _strings(value: JsonValue) -> list[str]:
    return [_string(element) for element in _array(value)]


def sort_keys(keys: list[JsonValue], meter: Meter) -> list[str] | list[Number]:
    """Keys that can be ordered: all numbers or all strings; counts what it costs to order them; `QueryError`."""
    rounds = len(keys).bit_length()
    meter.count(len(keys) * rounds)
    if keys and isinstance(keys[0], str):
        texts = [_string(key) for key in keys]
        meter.count_text(rounds * sum(map(len, texts)))
        return texts
    return [_number(key) for key in keys]


def _total(numbers: list[Number]) -> Number:
    """The sum, which is in the range of binary64 (RFC 8259, 6), as every number of a document; `QueryError`."""
    try:
        total = sum(numbers)
        if math.isfinite(float(total)):
            return total
    except OverflowError:
        pass
    raise QueryError("a number out of range")


def _absolute(_: Meter, value: JsonValue) -> JsonValue:
    return abs(_number(value))


def _average(meter: Meter, value: JsonValue) -> JsonValue:
    numbers = _numbers(value)
    meter.count(len(numbers))
    return _total(numbers) / len(numbers) if numbers else None


def _ceiling(_: Meter, value: JsonValue) -> JsonValue:
    return math.ceil(_number(value))


def _contains(meter: Meter, subject: JsonValue, search: JsonValue) -> JsonValue:
    if isinstance(subject, str):
        meter.count_text(len(subject))
        return _string(search) in subject
    if not isinstance(subject, list):
        raise _wrong("array or string", subject)
    return any(is_equal(element, search, meter) for element in subject)


def _ends_with(meter: Meter, subject: JsonValue, suffix: JsonValue) -> JsonValue:
    meter.count_text(len(_string(suffix)))
    return _string(subject).endswith(_string(suffix))


def _upper(text: str) -> str:
    """Each character's one upper-case character; none leaves or enters ASCII (as the platform's file names compare)."""
    if text.isascii():
        return text.upper()
    return "".join(
        upper if len(upper := character.upper()) == 1 and upper.isascii() == character.isascii() else character
        for character in text
    )


def _equals_ignore_case(meter: Meter, left: JsonValue, right: JsonValue) -> JsonValue:
    if left is None or right is None:
        return False
    one, other = _string(left), _string(right)
    if len(one) != len(other):
        return False
    meter.count(1 + len(one))
    return _upper(one) == _upper(other)


def _floor(_: Meter, value: JsonValue) -> JsonValue:
    return math.floor(_number(value))


def _join(meter: Meter, separator: JsonValue, array: JsonValue) -> JsonValue:
    glue = _string(separator)
    meter.count(len(_array(array)))
    parts = _strings(array)
    length = sum(map(len, parts)) + len(glue) * len(parts)
    if length > limits.JMESPATH_RESULT:
        raise QueryError(f"a string of more than {limits.JMESPATH_RESULT} characters")
    meter.count_text(length)
    return glue.join(parts)


def _keys(meter: Meter, value: JsonValue) -> JsonValue:
    meter.count(len(_object(value)))
    return list(_object(value))


def _length(_: Meter, value: JsonValue) -> JsonValue:
    if not isinstance(value, str | list | dict):
        raise _wrong("string, array or object", value)
    return len(value)


def _maximum(meter: Meter, value: JsonValue) -> JsonValue:
    keys = sort_keys(_array(value), meter)
    return max(keys) if keys else None


def _minimum(meter: Meter, value: JsonValue) -> JsonValue:
    keys = sort_keys(_array(value), meter)
    return min(keys) if keys else None


def _merge(meter: Meter, *objects: JsonValue) -> JsonValue:
    merged: dict[str, JsonValue] = {}
    for one in objects:
        meter.count(1 + len(_object(one)))
        merged.update(_object(one))
    return merged


def _not_null(_: Meter, *values: JsonValue) -> JsonValue:
    return next((value for value in values if value is not None), None)


def _reverse(meter: Meter, value: JsonValue) -> JsonValue:
    if isinstance(value, str):
        meter.count_text(len(value))
        return value[::-1]
    if not isinstance(value, list):
        raise _wrong("array or string", value)
    meter.count(len(value))
    return value[::-1]


def _sort(meter: Meter, value: JsonValue) -> JsonValue:
    return [*sorted(sort_keys(_array(value), meter))]


def _starts_with(meter: Meter, subject: JsonValue, prefix: JsonValue) -> JsonValue:
    meter.count_text(len(_string(prefix)))
    return _string(subject).startswith(_string(prefix))


def _sum(meter: Meter, value: JsonValue) -> JsonValue:
    numbers = _numbers(value)
    meter.count(len(numbers))
    return _total(numbers)


def _to_array(_: Meter, value: JsonValue) -> JsonValue:
    return value if isinstance(value, list) else [value]


def _to_number(_: Meter, value: JsonValue) -> JsonValue:
    if isinstance(value, str):
        try:
            return strict_json.decode(value.encode("ascii")) if _JSON_NUMBER.fullmatch(value) else None
        except JsonError:
            return None
    return value if type_name(value) == "number" else None


def _to_string(meter: Meter, value: JsonValue) -> JsonValue:
    return value if isinstance(value, str) else write(value, meter)


def _type(_: Meter, value: JsonValue) -> JsonValue:
    return type_name(value)


def _values(meter: Meter, value: JsonValue) -> JsonValue:
    meter.count(len(_object(value)))
    return list(_object(value).values())


def write(value: JsonValue, meter: Meter) -> str:
    """Compact JSON, members sorted by code point, non-ASCII as it is (reading Q8); raises `QueryError`."""
    check_size(value, meter)
    text = strict_json.encode_compact(value).decode("utf-8")
    if len(text) > limits.JMESPATH_RESULT:
        raise QueryError(f"an answer of more than {limits.JMESPATH_RESULT} characters")
    meter.count_text(len(text))
    return text


FUNCTIONS: Final[dict[str, Function]] = {
    "abs": Function(_absolute),
    "avg": Function(_average),
    "ceil": Function(_ceiling),
    "contains": Function(_contains, 2, 2),
    "ends_with": Function(_ends_with, 2, 2),
    "equals_ignore_case": Function(_equals_ignore_case, 2, 2),
    "floor": Function(_floor),
    "join": Function(_join, 2, 2),
    "keys": Function(_keys),
    "length": Function(_length),
    "max": Function(_maximum),
    "merge": Function(_merge, 1, None),
    "min": Function(_minimum),
    "not_null": Function(_not_null, 1, None),
    "reverse": Function(_reverse),
    "sort": Function(_sort),
    "starts_with": Function(_starts_with, 2, 2),
    "sum": Function(_sum),
    "to_array": Function(_to_array),
    "to_number": Function(_to_number),
    "to_string": Function(_to_string),
    "type": Function(_type),
    "values": Function(_values),
}

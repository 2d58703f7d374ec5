"""The naive reader's functions over value sets, lists here (policy-language 7); JMESPath is the Python library's."""

from __future__ import annotations

import json
from collections.abc import Callable

from .jmespath import oracle


class Failed(Exception):  # an outcome, not an error
    """A run-time error."""


def same(left, right):
    return type(left) is type(right) and left == right


def distinct(values):
    result: list = []
    for value in values:
        if not any(same(value, known) for known in result):
            result.append(value)
    return result


def one(values, *kinds):
    """The value of a set of one, of one of these types."""
    if len(values) != 1 or type(values[0]) not in kinds:
        raise Failed("not one value of the type")
    return values[0]


def _no_constant(text):
    raise ValueError(text)


def _json(text):
    try:
        return json.loads(text, parse_constant=_no_constant)
    except ValueError as error:
        raise Failed("not JSON") from error


def jmes_path(json_text, query):
    text, query_text = one(json_text, str), one(query, str)
    if not text or not query_text:
        raise Failed("empty")
    try:
        found = oracle.search(query_text, _json(text))
    except oracle.OracleError as error:
        raise Failed("JMESPath") from error
    return [json.dumps(found, separators=(",", ":"), sort_keys=True, ensure_ascii=False)]


def json_to_claim_value(json_text):
    value = _json(one(json_text, str))
    values = []
    for element in value if isinstance(value, list) else [value]:
        if isinstance(element, float | list | dict):
            raise Failed("no claim value")
        if type(element) is int and not -(2**63) <= element < 2**63:
            raise Failed("beyond 64 bits")
        if element is not None:
            values.append(element)
    return distinct(values)


def is_subset_of(subset, superset):
    return [all(any(same(value, known) for known in superset) for value in subset)]


def append_string(first, second):
    return [one(first, str) + one(second, str)]


def negate_bool(value):
    return [not one(value, bool)]


def contains_only_value(values, only):
    wanted = one(only, str, int, bool)
    return [len(values) > 0 and all(same(value, wanted) for value in values)]


FUNCTIONS: dict[str, Callable[..., list]] = {
    "JmesPath": jmes_path,
    "JsonToClaimValue": json_to_claim_value,
    "IsSubsetOf": is_subset_of,
    "AppendString": append_string,
    "NegateBool": negate_bool,
    "ContainsOnlyValue": contains_only_value,
}
# Whose results may be issued although an argument may not (policy-language 4).
DROPS_MARK = ("IsSubsetOf", "ContainsOnlyValue")


def call(name, arguments):
    return FUNCTIONS[name](*arguments)

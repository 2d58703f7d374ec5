"""The Python library as an oracle, with every difference of our dialect from it in one place, each with its reason."""

from __future__ import annotations

import json
import re
import warnings
from numbers import Number
from typing import ClassVar

import jmespath.functions
from jmespath.parser import Parser
from jmespath.visitor import Options, TreeInterpreter

JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")


class OracleError(Exception):
    """The library refuses the query, or fails over it."""


def kind(value):
    if isinstance(value, bool) or value is None:
        return str(value)
    return "number" if isinstance(value, Number) else type(value).__name__


def equal(left, right):
    """The library compares 1 with true correctly at the top, but not inside arrays and objects."""
    if kind(left) != kind(right):
        return False
    if isinstance(left, list):
        return len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(equal(left[name], right[name]) for name in left)
    return left == right


class DialectFunctions(jmespath.functions.Functions):  # type: ignore[misc]  # the library has no types
    """The library's functions, where the policy language has more or the standard says otherwise."""

    @jmespath.functions.signature({"types": ["array", "string"]}, {"types": []})
    def _func_contains(self, subject, search):
        """As the library, but equality inside arrays is typed."""
        return search in subject if isinstance(subject, str) else any(equal(element, search) for element in subject)

    @jmespath.functions.signature({"types": []})
    def _func_to_string(self, arg):
        """Reading Q8: members sorted, non-ASCII as it is."""
        return (
            arg if isinstance(arg, str) else json.dumps(arg, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
        )

    @jmespath.functions.signature({"types": []})
    def _func_to_number(self, arg):
        """The standard: a string is a number when it is one of JSON, so ` 1`, `1_0`, `+1` and `nan` are none."""
        if isinstance(arg, str) and not JSON_NUMBER.fullmatch(arg):
            return None
        return super()._func_to_number(arg)

    @jmespath.functions.signature({"types": ["object"], "variadic": True})
    def _func_merge(self, *arguments):
        """The library checks the type of the first argument only."""
        self._type_check(arguments, [{"types": ["object"]}] * len(arguments), "merge")
        return super()._func_merge(*arguments)

    @jmespath.functions.signature({"types": []}, {"types": []})
    def _func_equals_ignore_case(self, left, right):
        """Policy-language 7.1: false when an argument is null, whatever the other is."""
        if left is None or right is None:
            return False
        self._type_check((left, right), [{"types": ["string"]}] * 2, "equals_ignore_case")
        return left.lower() == right.lower()


class DialectInterpreter(TreeInterpreter):  # type: ignore[misc]  # the library has no types
    COMPARATOR_FUNC: ClassVar = {**TreeInterpreter.COMPARATOR_FUNC, "eq": equal, "ne": lambda x, y: not equal(x, y)}

    def visit_comparator(self, node, value):
        """The standard orders numbers only; the library orders strings too, and fails over a string and a number."""
        if node["value"] not in ("eq", "ne"):
            sides = [self.visit(child, value) for child in node["children"]]
            return self.COMPARATOR_FUNC[node["value"]](*sides) if list(map(kind, sides)) == ["number"] * 2 else None
        return super().visit_comparator(node, value)


class DialectParser(Parser):  # type: ignore[misc]  # the library has no types
    def _token_led_lbracket(self, left):
        """The library forgets that a slice projects when an index stands before it: `a[0][1:].b`."""
        if left["type"] == "index_expression" and self._current_token() in ("number", "colon"):
            return self._project_if_slice(left, self._parse_index_expression())
        return super()._token_led_lbracket(left)


FAILURES = (ValueError, TypeError, ArithmeticError, IndexError, AttributeError, KeyError)


def parse(text):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PendingDeprecationWarning)
            return DialectParser()._do_parse(text).parsed
    except FAILURES as error:
        raise OracleError from error


def search(text, document):
    """What the library answers; raises `OracleError`."""
    parsed = parse(text)
    try:
        return DialectInterpreter(Options(custom_functions=DialectFunctions())).visit(parsed, document)
    except FAILURES as error:
        raise OracleError from error

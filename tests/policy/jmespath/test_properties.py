"""Random queries have the library's answer, and fail where it fails; what differs is listed in `oracle.py`."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import assume, example, given, settings

from assay.policy.jmespath import QueryError, compile_query, encode_result
from tests.examples import examples

from . import oracle
from .strategies import documents, queries, strict_words, words

# Two numbers beside each other in a slice: the library takes the last.
TWO_NUMBERS = re.compile(r"\d\s+-?\d")


def freely(_):
    """A budget without an end."""


def answer(text, document):
    try:
        return encode_result(compile_query(text).search(document, freely))
    except QueryError:
        return "refused"


def library_answer(text, document):
    try:
        return json.dumps(
            oracle.search(text, document), separators=(",", ":"), sort_keys=True, ensure_ascii=False, allow_nan=False
        )
    except oracle.OracleError:
        return "refused"


@settings(max_examples=examples(1500), deadline=None)
@given(queries, documents)
@example("a[*].b | [0]", {"a": [{"b": 1}]})
@example("a[?b == `1`] | @ != `null`", {"a": []})
@example("!a.b", {"a": {"b": 1}})
@example("a[0][0:1].b", {"a": [[{"b": 1}]]})
@example("contains(a, `1`)", {"a": [True]})
@example("a == b", {"a": [1], "b": [True]})
@example("a < b", {"a": "1", "b": "2"})
@example("a < b", {"a": True, "b": 2})
@example("max_by(@, &a)", [{"a": 1, "b": 0}, {"a": 1, "b": 1}])
def test_a_query_has_the_answer_of_the_library(text, document):
    assert answer(text, document) == library_answer(text, document)


@settings(max_examples=examples(1000), deadline=None)
@given(strict_words, documents)
def test_random_words_are_a_query_when_they_are_one_for_the_library(text, document):
    assume(not TWO_NUMBERS.search(text))
    assert answer(text, document) == library_answer(text, document)


@settings(max_examples=examples(1000), deadline=None)
@given(words)
def test_what_parses_parses_in_the_library_too(text):
    try:
        compile_query(text)
    except QueryError:
        return
    oracle.parse(text)


@pytest.mark.parametrize(
    ("text", "document", "theirs"),
    [
        ("abs(a b)", {"a": 1}, "refused"),
        ("merge(a b)", {"a": {"x": 1}, "b": {"y": 2}}, '{"x":1,"y":2}'),
        ("merge(a,)", {"a": {"x": 1}}, '{"x":1}'),
        ("{a: a b: b}", {"a": 1}, '{"a":1,"b":null}'),
        ("[0:1 2]", [1, 2, 3], "[1,2]"),
        ("(keys)(@)", {"a": 1}, '["a"]'),
        ("not_null(&a, b)", {}, None),
        ("`false` && nothing(@)", {}, "false"),
        ("`false` && abs(a, b)", {}, "false"),
        ("`[1, 2`", {}, '"[1, 2"'),
        ("`01`", {}, '"01"'),
        ('`{"a": 1, "A": 2}`', {}, '{"A":2,"a":1}'),
    ],
)
def test_the_grammar_is_kept_where_the_library_is_lenient(text, document, theirs):
    """Also: a function that does not exist, or takes other arguments, is refused when the query is read."""
    if theirs is not None:
        assert library_answer(text, document) == theirs
    with pytest.raises(QueryError):
        compile_query(text)


def test_a_literal_that_json_does_not_know_is_a_bare_string():
    assert answer("`NaN`", {}) == '"NaN"'
    assert answer("`-Infinity`", {}) == '"-Infinity"'

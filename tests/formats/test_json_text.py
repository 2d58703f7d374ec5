"""Texts of JSON members, exactly as they came."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.formats.json_text import member_texts
from assay.formats.strict_json import JsonError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=10,
)


def test_white_space_and_order_inside_a_value_stay() -> None:
    text = ' { "b" : {"x" : 1 ,\n"a":[1, 2]} , "a": "\\u0041" }'
    assert member_texts(text) == {"b": '{"x" : 1 ,\n"a":[1, 2]}', "a": '"\\u0041"'}


def test_an_object_without_members_has_none() -> None:
    assert member_texts(" { } ") == {}


@given(members=st.dictionaries(st.text(max_size=6), VALUES, max_size=5), indent=st.sampled_from([None, 0, 3]))
def test_every_value_is_found_as_it_was_written(members: dict[str, object], indent: int | None) -> None:
    text = json.dumps(members, indent=indent)
    found = member_texts(text)
    assert {name: json.loads(value) for name, value in found.items()} == members
    assert all(value in text for value in found.values())


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a"', '{"a":', '{"a":1', "{a:1}", '{"a":1,', "null"])
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(JsonError):
        member_texts(text)

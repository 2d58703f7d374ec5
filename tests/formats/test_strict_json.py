"""JSON from strangers: what the standard library lets through is refused (attack cases CO-02, IN-03)."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.formats import strict_json
from assay.formats.strict_json import JsonError

_SCALARS = (
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.text(st.characters(exclude_categories=["Cs"]))
)
_VALUES = st.recursive(_SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc"), inner))


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":1,"a":2}',
        b'{"a":1,"A":2}',
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b"1e999",
        b"\xef\xbb\xbf{}",
        b"\xff",
        b'"\\ud800"',
        b'{"\\udfff":1}',
        b"9" * 1_000_000,
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" * 33 + b"]" * 33,
        b'"a\x00b"',
        b"{} {}",
        b"",
        b"'a'",
        b"{a:1}",
        b"[1,]",
    ],
)
def test_what_is_not_plain_json_is_refused(text: bytes) -> None:
    with pytest.raises(JsonError):
        strict_json.decode(text)


@pytest.mark.parametrize("text", [b"[" * 32 + b"]" * 32, b'"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["', b'"\\ud83d\\ude00"'])
def test_what_only_looks_deep_or_broken_is_read(text: bytes) -> None:
    assert strict_json.decode(text) == json.loads(text)


@settings(max_examples=80, deadline=None)
@given(value=_VALUES)
def test_what_is_written_is_read_again(value: object) -> None:
    assert strict_json.decode(strict_json.encode_compact(value)) == value  # type: ignore[arg-type]


def test_an_object_is_asked_for() -> None:
    with pytest.raises(JsonError, match="not a JSON object"):
        strict_json.decode_object(b"[]")


@settings(max_examples=80, deadline=None)
@given(_VALUES | st.floats(allow_nan=False, allow_infinity=False))
def test_compact_text_is_what_the_standard_library_writes(value) -> None:
    expected = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert strict_json.encode_compact(value).decode() == expected
    assert strict_json.encode_compact({"member": value, "list": [value]}).decode() == (
        f'{{"list":[{expected}],"member":{expected}}}'
    )

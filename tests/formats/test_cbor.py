"""CBOR: what is accepted is what the reference library reads; what it would read loosely is refused."""

from __future__ import annotations

from collections.abc import Mapping

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import limits
from assay.errors import LimitExceeded, MalformedEvidence
from assay.formats.cbor import Tagged, decode_cbor, encode_cbor

_KEYS = st.integers(-(2**64), 2**64 - 1) | st.text(max_size=8) | st.binary(max_size=8)
_LEAVES = st.none() | st.booleans() | _KEYS
VALUES = st.recursive(
    _LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(_KEYS, inner, max_size=4)
        | st.builds(Tagged, st.just(18), inner)
    ),
    max_leaves=20,
)


def _from_library(value: object) -> object:
    """A value of `cbor2` as ours: tuples, and tags of our own."""
    if isinstance(value, cbor2.CBORTag):
        return Tagged(value.tag, _from_library(value.value))  # type: ignore[arg-type]
    if isinstance(value, list | tuple):
        return tuple(map(_from_library, value))
    if isinstance(value, Mapping):
        return {key: _from_library(each) for key, each in value.items()}
    return value


@given(VALUES)
def test_what_is_encoded_is_decoded_and_read_alike_by_the_library(value: object) -> None:
    encoded = encode_cbor(value)  # type: ignore[arg-type]
    assert decode_cbor(encoded, "test") == value
    assert _from_library(cbor2.loads(encoded)) == value


@given(st.binary(max_size=80))
def test_any_octets_are_a_value_that_encodes_to_them_but_for_order_or_refused(content: bytes) -> None:
    try:
        value = decode_cbor(content, "test")
    except (MalformedEvidence, LimitExceeded):
        return
    assert len(encode_cbor(value)) == len(content)
    assert decode_cbor(encode_cbor(value), "test") == value


@pytest.mark.parametrize(
    ("octets", "problem"),
    [
        ("", "head needs 1 bytes"),
        ("a201020103", "the map key 1 occurs twice"),
        ("a2616101616102", "the map key 'a' occurs twice"),
        ("a1f401", "a map key that is neither"),
        ("a1800101", "a map key that is neither"),
        ("9fff", "an indefinite length"),
        ("5f41ffff", "an indefinite length"),
        ("1801", "longer than needed"),
        ("190001", "longer than needed"),
        ("1a00000001", "longer than needed"),
        ("1b0000000000000001", "longer than needed"),
        ("f97e00", "a simple value or float"),
        ("fb3ff0000000000000", "a simple value or float"),
        ("f7", "a simple value or float"),
        ("9a7fffffff", "elements in 0 octets"),
        ("ba7fffffff", "elements in 0 octets"),
        ("5affffffff", "byte string needs 4294967295 bytes"),
        ("61ff", "not UTF-8"),
        ("0000", "1 bytes too many"),
        ("1c", "an indefinite length or a reserved head"),
    ],
)
def test_loose_encodings_are_refused(octets: str, problem: str) -> None:
    with pytest.raises(MalformedEvidence, match=problem):
        decode_cbor(bytes.fromhex(octets), "test")


def test_depth_and_number_are_bounded() -> None:
    deep = b"\x81" * (limits.CBOR_DEPTH + 1) + b"\x00"
    with pytest.raises(LimitExceeded, match="nesting"):
        decode_cbor(deep, "test")
    assert decode_cbor(deep[1:], "test")
    with pytest.raises(LimitExceeded, match="values"):
        decode_cbor(encode_cbor((0,) * limits.CBOR_VALUES), "test")

"""The one decoder for untrusted JSON, and the encoder of what the service emits.

Refused, where the standard library is silent: duplicate names (also when they differ only by case), NaN and infinities,
a byte order mark, invalid UTF-8, lone surrogates, numbers of absurd length, deep nesting (attack cases CO-02, IN-03).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final, NoReturn

from assay import limits

JsonValue = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]
JsonObject = Mapping[str, JsonValue]

_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")
# An unterminated string matches too, so that the scan stays linear.
_STRUCTURE: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)


class JsonError(ValueError):
    """The text is not JSON, or not JSON that is accepted from strangers."""


def _members(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    if len(pairs) > limits.JSON_MEMBERS:
        raise JsonError(f"an object of more than {limits.JSON_MEMBERS} members")
    members = dict(pairs)
    if len(members) != len(pairs) or len({name.lower() for name in members}) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name.lower() in seen:
                raise JsonError(f"the name {name!r} occurs twice (case ignored)")
            seen.add(name.lower())
    return members


def _refuse_constant(text: str) -> NoReturn:
    raise JsonError(f"{text} is not JSON")


def _integer(text: str) -> int:
    if len(text) > limits.JSON_NUMBER_DIGITS:
        raise JsonError(f"a number of {len(text)} digits")
    return int(text)


def _float(text: str) -> float:
    if len(text) > 4 * limits.JSON_NUMBER_DIGITS:
        raise JsonError(f"a number of {len(text)} digits")
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise JsonError("a number out of range")
    return number


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_members,
    parse_constant=_refuse_constant,
    parse_int=_integer,
    parse_float=_float,
)


def _has_many_brackets(content: bytes) -> bool:
    """Whether there are more opening brackets than may nest; `find` is quicker than `count` where there are few."""
    found = 0
    for bracket in (b"{", b"["):
        place = content.find(bracket)
        while place >= 0:
            found += 1
            if found > limits.JSON_DEPTH:
                return True
            place = content.find(bracket, place + 1)
    return False


def _check_depth(content: bytes) -> None:
    depth = 0
    for token in _STRUCTURE.finditer(content):
        match content[token.start()]:
            case 0x5B | 0x7B:
                depth += 1
                if depth > limits.JSON_DEPTH:
                    raise JsonError(f"nested deeper than {limits.JSON_DEPTH}")
            case 0x5D | 0x7D:
                depth -= 1


def decode(content: bytes) -> JsonValue:
    """The value of a JSON text in UTF-8; raises `JsonError`. The caller bounds the size."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise JsonError(f"not UTF-8 at byte {error.start}") from error
    if text.startswith("\ufeff"):
        raise JsonError("a byte order mark")
    if _has_many_brackets(content):
        _check_depth(content)
    try:
        value: JsonValue = _DECODER.decode(text)
    except JsonError:
        raise
    except ValueError as error:
        raise JsonError(str(error)) from error
    # One character is found much quicker than two, and most texts have no escape at all.
    if "\\" in text and "\\u" in text and _has_surrogate(value):
        raise JsonError("a lone surrogate")
    return value


def decode_object(content: bytes) -> dict[str, JsonValue]:
    """Like `decode`, but the text must be an object; raises `JsonError`."""
    value = decode(content)
    if not isinstance(value, dict):
        raise JsonError("not a JSON object")
    return value


def _has_surrogate(value: JsonValue) -> bool:
    match value:
        case str():
            return _SURROGATE.search(value) is not None
        case dict():
            return any(_has_surrogate(name) or _has_surrogate(member) for name, member in value.items())
        case list():
            return any(map(_has_surrogate, value))
        case _:
            return False


# What is encoded is made here, out of trees: nothing can contain itself.
_SORTED: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False)
_ORDERED: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False)


def encode_compact(value: JsonValue | Mapping[str, JsonValue]) -> bytes:
    """Compact UTF-8 JSON, members sorted by code point at every level (rest-api 2.4)."""
    return _SORTED.encode(value).encode("utf-8")


def encode_ordered(value: JsonValue | Mapping[str, JsonValue]) -> bytes:
    """Compact UTF-8 JSON, members in the order given."""
    return _ORDERED.encode(value).encode("utf-8")

"""A strict decoder of CBOR (RFC 8949) for what strangers send: one value, definite lengths, shortest heads, no twins.

Refused, where libraries are silent or keep the last: map keys that occur twice, indefinite lengths, heads that are
longer than needed, floating point, simple values other than false, true and null, octets after the value (attack cases
AZ-12 and TOK-05's class; ADR 0031).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from assay import limits
from assay.errors import LimitExceeded, MalformedEvidence
from assay.formats.reader import BigEndianReader

_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = range(8)
_SIMPLE_VALUES: Final[Mapping[int, bool | None]] = {20: False, 21: True, 22: None}
# The octets of an argument that follows its head, and the least value that needs so many (RFC 8949, 3 and 4.2.1).
_ARGUMENTS: Final = {24: (1, 24), 25: (2, 1 << 8), 26: (4, 1 << 16), 27: (8, 1 << 32)}


class Tagged(NamedTuple):
    """A tagged value, whatever the tag means."""

    tag: int
    value: CborValue


CborKey = int | bytes | str
CborValue = None | bool | int | bytes | str | tuple["CborValue", ...] | Mapping[CborKey, "CborValue"] | Tagged


def decode_cbor(content: bytes, what: str) -> CborValue:
    """The one value that the octets encode; raises `MalformedEvidence`, and `LimitExceeded` for depth and number."""
    decoder = _Decoder(content, what)
    value = decoder.value(0)
    decoder.reader.finish()
    return value


class _Decoder:
    """Decodes values in order; counts them, since four octets can promise four thousand million."""

    __slots__ = ("_count", "_what", "reader")

    def __init__(self, content: bytes, what: str) -> None:
        self.reader = BigEndianReader(content, what, MalformedEvidence)
        self._what, self._count = what, 0

    def value(self, depth: int) -> CborValue:
        """The next value; `depth` is how many values it is inside of."""
        self._bound(depth)
        head = self.reader.u8("head")
        major, information = head >> 5, head & 0x1F
        if major == _SIMPLE:
            if information not in _SIMPLE_VALUES:
                raise self._error(f"a simple value or float ({head:#04x})")
            return _SIMPLE_VALUES[information]
        return self._composed(major, self._argument(information), depth)

    def _composed(self, major: int, argument: int, depth: int) -> CborValue:
        match major:
            case 0:
                return argument
            case 1:
                return -1 - argument
            case 2:
                return self.reader.take(argument, "byte string")
            case 3:
                return self._text(argument)
            case 4:
                return tuple(self.value(depth + 1) for _ in range(self._sized(argument)))
            case 5:
                return self._map(self._sized(argument), depth)
            case _:
                return Tagged(argument, self.value(depth + 1))

    def _argument(self, information: int) -> int:
        if information < 24:
            return information
        if information not in _ARGUMENTS:
            raise self._error("an indefinite length or a reserved head")
        size, least = _ARGUMENTS[information]
        argument = int.from_bytes(self.reader.take(size, "argument"), "big")
        if argument < least:
            raise self._error("a head that is longer than needed")
        return argument

    def _sized(self, number: int) -> int:
        """A number of elements that the octets which remain can hold: each takes one at least."""
        if number > self.reader.remaining:
            raise self._error(f"{number} elements in {self.reader.remaining} octets")
        return number

    def _text(self, size: int) -> str:
        try:
            return self.reader.take(size, "text string").decode("utf-8")
        except UnicodeDecodeError as error:
            raise self._error("a text string that is not UTF-8") from error

    def _map(self, size: int, depth: int) -> Mapping[CborKey, CborValue]:
        members: dict[CborKey, CborValue] = {}
        for _ in range(size):
            key = self.value(depth + 1)
            # Not bool, which Python holds equal to the integers 0 and 1.
            if isinstance(key, bool) or not isinstance(key, int | bytes | str):
                raise self._error("a map key that is neither an integer nor a string")
            if key in members:
                raise self._error(f"the map key {key!r} occurs twice")
            members[key] = self.value(depth + 1)
        return members

    def _bound(self, depth: int) -> None:
        self._count += 1
        if depth > limits.CBOR_DEPTH:
            raise LimitExceeded(f"{self._what}, CBOR nesting", limit=limits.CBOR_DEPTH)
        if self._count > limits.CBOR_VALUES:
            raise LimitExceeded(f"{self._what}, CBOR values", limit=limits.CBOR_VALUES)

    def _error(self, problem: str) -> MalformedEvidence:
        return MalformedEvidence(self._what, problem, offset=self.reader.offset)


def encode_head(major: int, argument: int) -> bytes:
    """The shortest head of a value (RFC 8949, 4.2.1)."""
    if argument < 24:
        return bytes([major << 5 | argument])
    for information, (size, _) in _ARGUMENTS.items():
        if argument < 1 << 8 * size:
            return bytes([major << 5 | information]) + argument.to_bytes(size, "big")
    raise ValueError(f"{argument} does not fit into 64 bits")


def encode_cbor(value: CborValue) -> bytes:
    """The deterministic encoding of a value (RFC 8949, 4.2.1): shortest heads, map keys sorted by their octets."""
    match value:
        case None | bool():
            return bytes([0xE0 | (22 if value is None else 20 + value)])
        case int():
            return encode_head(_UNSIGNED, value) if value >= 0 else encode_head(_NEGATIVE, -1 - value)
        case bytes():
            return encode_head(_BYTES, len(value)) + value
        case str():
            text = value.encode("utf-8")
            return encode_head(_TEXT, len(text)) + text
        case Tagged(tag, inner):
            return encode_head(_TAG, tag) + encode_cbor(inner)
        case tuple():
            return encode_head(_ARRAY, len(value)) + b"".join(map(encode_cbor, value))
        case _:
            members = sorted((encode_cbor(key), encode_cbor(member)) for key, member in value.items())
            return encode_head(_MAP, len(members)) + b"".join(key + member for key, member in members)

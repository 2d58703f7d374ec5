"""Intel's signed JSON documents: the signature covers the inner object exactly as served (quote-verification 3.4)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from assay import limits
from assay.errors import LimitExceeded, MalformedEndorsement
from assay.formats import strict_json
from assay.formats.strict_json import JsonError, JsonValue

_TAIL: Final = re.compile(rb'\s*,\s*"signature"\s*:\s*"([0-9a-fA-F]{128})"\s*\}\Z')
_PIECE: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[{}]', re.DOTALL)
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class SignedJson:
    """`signed` are the bytes under the signature, `signature` its 64 octets `r || s`, `members` the decoded object."""

    signed: bytes
    signature: bytes
    members: Members


def split_signed_json(body: bytes, name: str) -> tuple[bytes, bytes]:
    """The signed bytes and the signature of `{"<name>":{...},"signature":"<128 hex digits>"}`.

    Raises `MalformedEndorsement`.
    """
    if len(body) > limits.COLLATERAL_JSON:
        raise LimitExceeded(f"{name}, octets", limit=limits.COLLATERAL_JSON, found=len(body))
    head = re.match(rb'\s*\{\s*"%s"\s*:\s*(?=\{)' % name.encode("ascii"), body)
    if head is None:
        raise MalformedEndorsement(name, f'not an object that begins with "{name}"')
    end = _closing_brace(body, head.end(), name)
    tail = _TAIL.match(body, end)
    if tail is None:
        raise MalformedEndorsement(name, "the object is not followed by a signature of 128 hex digits", offset=end)
    return body[head.end() : end], bytes.fromhex(tail[1].decode("ascii"))


def _closing_brace(body: bytes, start: int, name: str) -> int:
    depth = 0
    for piece in _PIECE.finditer(body, start):
        if piece[0] == b"{":
            depth += 1
        elif piece[0] == b"}":
            depth -= 1
            if depth == 0:
                return piece.end()
    raise MalformedEndorsement(name, "the object is not closed", offset=start)


def parse_signed_json(body: bytes, name: str) -> SignedJson:
    """A signed document, split and decoded; raises `MalformedEndorsement` (duplicate members among the reasons)."""
    signed, signature = split_signed_json(body, name)
    try:
        return SignedJson(signed, signature, Members(strict_json.decode_object(signed), name))
    except JsonError as error:
        raise MalformedEndorsement(name, str(error)) from error


class Members:
    """Typed access to the members of a JSON object; a missing or wrong member raises `MalformedEndorsement`."""

    __slots__ = ("_values", "_what")

    def __init__(self, values: Mapping[str, JsonValue], what: str) -> None:
        self._values, self._what = values, what

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def wrong(self, name: str, problem: str) -> MalformedEndorsement:
        return MalformedEndorsement(f"{self._what}.{name}", problem)

    def text(self, name: str) -> str:
        value = self._values.get(name)
        if not isinstance(value, str):
            raise self.wrong(name, "not a string")
        return value

    def integer(self, name: str, *, most: int = 0xFFFF) -> int:
        value = self._values.get(name)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
            raise self.wrong(name, f"not an integer from 0 to {most}")
        return value

    def octets(self, name: str, size: int) -> bytes:
        """Hex digits of either case for exactly `size` octets."""
        text = self.text(name)
        if not re.fullmatch(rf"[0-9a-fA-F]{{{2 * size}}}", text):
            raise self.wrong(name, f"not {2 * size} hex digits")
        return bytes.fromhex(text)

    def time(self, name: str) -> datetime:
        """A time `YYYY-MM-DDThh:mm:ssZ`."""
        text = self.text(name)
        try:
            if not _TIME.match(text):
                raise ValueError(text)
            return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        except ValueError as error:
            raise self.wrong(name, "not a time YYYY-MM-DDThh:mm:ssZ") from error

    def member(self, name: str) -> Members:
        value = self._values.get(name)
        if not isinstance(value, dict):
            raise self.wrong(name, "not an object")
        return Members(value, f"{self._what}.{name}")

    def objects(self, name: str, *, size: int | None = None) -> Sequence[Members]:
        """A non-empty list of objects, of exactly `size` elements when given."""
        value = self._values.get(name)
        if not isinstance(value, list) or not value or (size is not None and len(value) != size):
            raise self.wrong(name, "not a list of the expected length")
        found = []
        for index, element in enumerate(value):
            if not isinstance(element, dict):
                raise self.wrong(name, f"element {index} is not an object")
            found.append(Members(element, f"{self._what}.{name}[{index}]"))
        return found

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of strings; an absent member is an empty list."""
        value = self._values.get(name, [])
        if not isinstance(value, list):
            raise self.wrong(name, "not a list")
        found = []
        for element in value:
            if not isinstance(element, str):
                raise self.wrong(name, "not a list of strings")
            found.append(element)
        return tuple(found)

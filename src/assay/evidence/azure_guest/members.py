"""Members of the JSON in a guest's request, read by name and kind (tpm-and-guest 3.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from assay import limits
from assay.errors import LimitExceeded, MalformedEvidence
from assay.formats import base64url
from assay.formats.base64url import Base64Error
from assay.formats.strict_json import JsonValue

_WHAT: Final = "AttestationInfo"
_NUMBER_DIGITS: Final = 10


class Members:
    """The members of one object, found without regard to case; `path` names the object in errors."""

    __slots__ = ("_members", "_path")

    def __init__(self, value: JsonValue, path: str = "") -> None:
        if not isinstance(value, dict):
            raise MalformedEvidence(_WHAT, f"{path or 'it'} is not an object")
        # The decoder refused names that differ only by case.
        self._members: Mapping[str, JsonValue] = {name.lower(): member for name, member in value.items()}
        self._path = path

    def get(self, name: str) -> JsonValue:
        """The member as it is; null equals absent (rest-api 2.1.3)."""
        return self._members.get(name.lower())

    def object(self, name: str) -> Members:
        return Members(self.get(name), self.path(name))

    def array(self, name: str) -> list[JsonValue]:
        value = self.get(name)
        if not isinstance(value, list):
            raise self._wrong(name, "an array")
        return value

    def octets(self, name: str, limit: int) -> bytes:
        """A byte string in base64 or base64url, padded or not (tpm-and-guest 0.2); raises when it is absent."""
        value = self.get(name)
        if not isinstance(value, str):
            raise self._wrong(name, "a string of base64")
        # Refused unread: four digits hold three octets, and two more may be padding.
        if len(value) > (limit + 2) // 3 * 4:
            raise LimitExceeded(f"{_WHAT}: {self.path(name)}, characters of base64", limit=limit, found=len(value))
        try:
            return base64url.decode_lenient(value)
        except Base64Error as error:
            raise MalformedEvidence(_WHAT, f"{self.path(name)}: {error}") from error

    def text(self, name: str) -> str | None:
        """A text whose UTF-8 is in base64; None when it is absent."""
        if self.get(name) is None:
            return None
        try:
            return self.octets(name, limits.GUEST_TEXT).decode("utf-8")
        except UnicodeDecodeError as error:
            raise MalformedEvidence(_WHAT, f"{self.path(name)}: not UTF-8 at byte {error.start}") from error

    def number(self, name: str) -> int | None:
        """A number that is not negative, also as decimal text (the Python client); None when it is absent."""
        value = self.get(name)
        if value is None:
            return None
        if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= _NUMBER_DIGITS:
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 32:
            raise self._wrong(name, "a number")
        return value

    def path(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name

    def _wrong(self, name: str, expected: str) -> MalformedEvidence:
        absent = "absent" if self.get(name) is None else "not"
        return MalformedEvidence(
            _WHAT, f"{self.path(name)} is {absent}{' ' if absent == 'not' else ', expected '}{expected}"
        )

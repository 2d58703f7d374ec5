"""X.501 names as their octets, and the attributes that profiles look at."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from assay import limits
from assay.errors import MalformedEndorsement
from assay.formats.der import SEQUENCE, DerReader

_SET: Final = 0x31
_UTF8: Final = (0x0C, 0x13, 0x16)  # UTF8String, PrintableString, IA5String
_COMMON_NAME: Final = bytes.fromhex("550403")
_ORGANISATION: Final = bytes.fromhex("55040a")
# RFC 4514, section 3, by the octets of the identifier.
_SHORT_NAMES: Final = {
    _COMMON_NAME: "CN",
    _ORGANISATION: "O",
    bytes.fromhex("550406"): "C",
    bytes.fromhex("550407"): "L",
    bytes.fromhex("550408"): "ST",
    bytes.fromhex("55040b"): "OU",
}


class NameAttributes(NamedTuple):
    """The common name and the organisation, empty when absent, repeated or in another character set; all as text."""

    common_name: str
    organisation: str
    text: str


@lru_cache(maxsize=limits.IDENTIFIERS)
def read_name(name: bytes) -> NameAttributes:
    """The attributes of a Name in DER; remembered, since a vendor's certificates share a few names.

    Raises `MalformedEndorsement`.
    """
    outer = DerReader(name, "name")
    relative = DerReader(outer.expect(SEQUENCE, "name"), "name")
    outer.finish()
    found: dict[bytes, list[str]] = {}
    while not relative.at_end:
        for identifier, tag, value in DerReader(relative.expect(_SET, "relative name"), "name").pairs():
            found.setdefault(identifier, []).append(_text(tag, value))
    parts = (f"{_SHORT_NAMES.get(kind, kind.hex())}={value}" for kind, values in found.items() for value in values)
    return NameAttributes(_only(found.get(_COMMON_NAME)), _only(found.get(_ORGANISATION)), ", ".join(parts))


def _only(values: list[str] | None) -> str:
    return values[0] if values is not None and len(values) == 1 else ""


def _text(tag: int, value: bytes) -> str:
    if tag not in _UTF8:
        return ""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedEndorsement("name", "a string that is not UTF-8") from error

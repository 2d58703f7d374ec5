"""A small DER encoder (X.690) for what certificate libraries do not build: vendor extensions, odd revocation lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

_BOOLEAN, _INTEGER, _BIT_STRING, _OCTET_STRING, _OID, _ENUMERATED = 0x01, 0x02, 0x03, 0x04, 0x06, 0x0A
_UTC_TIME, _GENERALIZED_TIME, _SEQUENCE, _CONTEXT = 0x17, 0x18, 0x30, 0xA0


def encode(tag: int, content: bytes) -> bytes:
    """One element of a single-byte tag in definite form (X.690, 8.1 and 10.1)."""
    if len(content) < 0x80:
        return bytes((tag, len(content))) + content
    size = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(size))) + size + content


def sequence(*elements: bytes) -> bytes:
    return encode(_SEQUENCE, b"".join(elements))


def explicit(number: int, element: bytes) -> bytes:
    """An element under an explicit context tag."""
    return encode(_CONTEXT | number, element)


def integer(number: int) -> bytes:
    """An INTEGER of least length, negative numbers included (X.690, 8.3)."""
    magnitude = number if number >= 0 else ~number
    return encode(_INTEGER, number.to_bytes(magnitude.bit_length() // 8 + 1, "big", signed=True))


def enumerated(number: int) -> bytes:
    return encode(_ENUMERATED, integer(number)[2:])


def boolean(value: bool) -> bytes:
    return encode(_BOOLEAN, b"\xff" if value else b"\x00")


def octet_string(content: bytes) -> bytes:
    return encode(_OCTET_STRING, content)


def bit_string(content: bytes) -> bytes:
    """A BIT STRING of whole bytes."""
    return encode(_BIT_STRING, b"\x00" + content)


def oid(dotted: str) -> bytes:
    """An OBJECT IDENTIFIER from its dotted form (X.690, 8.19)."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    return encode(_OID, b"".join(_base_128(arc) for arc in (40 * first + second, *rest)))


def time(instant: datetime) -> bytes:
    """UTCTime until 2049 and GeneralizedTime from 2050 (RFC 5280, 4.1.2.5); the instant is in UTC."""
    if instant.year < 2050:
        return encode(_UTC_TIME, instant.strftime("%y%m%d%H%M%SZ").encode())
    return encode(_GENERALIZED_TIME, instant.strftime("%Y%m%d%H%M%SZ").encode())


def _base_128(arc: int) -> bytes:
    septets = [arc & 0x7F]
    while arc := arc >> 7:
        septets.append(0x80 | arc & 0x7F)
    return bytes(reversed(septets))

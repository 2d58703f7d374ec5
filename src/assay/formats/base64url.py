"""Base64 as it occurs in requests, and base64url as JOSE demands it."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

_LENIENT: Final = re.compile(r"[A-Za-z0-9+/_-]*={0,2}\Z")
_STRICT: Final = re.compile(r"[A-Za-z0-9_-]*\Z")
_TO_STANDARD: Final = str.maketrans("-_", "+/")


class Base64Error(ValueError):
    """The text is not base64 in an accepted spelling."""


def encode(content: bytes) -> str:
    """Base64url without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")


def decode_strict(text: str) -> bytes:
    """Unpadded base64url with canonical last bits, as in JOSE; raises `Base64Error`."""
    if not _STRICT.match(text):
        raise Base64Error("not unpadded base64url")
    return _decode(text)


def decode_lenient(text: str) -> bytes:
    """A byte string of a request: base64url or standard base64, with or without padding (rest-api 2.1.5).

    White space, a mixture of the two alphabets, wrong padding and non-canonical last bits are refused (attack case
    IN-02). Raises `Base64Error`.
    """
    if not _LENIENT.match(text):
        raise Base64Error("a character outside the base64 and base64url alphabets")
    body = text.rstrip("=")
    if ("+" in body or "/" in body) and ("-" in body or "_" in body):
        raise Base64Error("the two base64 alphabets are mixed")
    if len(body) != len(text) and len(text) % 4:
        raise Base64Error("wrong padding")
    return _decode(body)


def _decode(body: str) -> bytes:
    if len(body) % 4 == 1:
        raise Base64Error("impossible length")
    standard = body.translate(_TO_STANDARD)
    try:
        content = binascii.a2b_base64(standard + "=" * (-len(body) % 4), strict_mode=True)
    except binascii.Error as error:
        raise Base64Error(str(error)) from error
    if len(body) % 4 and binascii.b2a_base64(content[-(len(content) % 3) :], newline=False).rstrip(b"=") != (
        standard[-(len(body) % 4) :].encode("ascii")
    ):
        raise Base64Error("non-canonical last bits")
    return content

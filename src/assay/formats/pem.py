"""PEM certificate chains, read strictly (RFC 7468), and the other spellings of revocation lists."""

from __future__ import annotations

import binascii
import re
from functools import lru_cache
from typing import Final

from assay import limits
from assay.errors import LimitExceeded, Malformed

_BLOCK: Final = re.compile(
    rb"-----BEGIN ([A-Z0-9 ]{1,32})-----\r?\n([A-Za-z0-9+/=\r\n]+\n)"
    # Some producers put no line end between two blocks.
    rb"-----END \1-----(?:\r?\n|(?=-----BEGIN|\x00|\Z))"
)
_SMALL: Final = 4096
_GAP: Final = re.compile(rb"[\r\n]*")
_HEX: Final = re.compile(rb"(?:[0-9a-fA-F]{2})+\s*\Z")


def decode_certificates(text: bytes, what: str, error: type[Malformed]) -> tuple[bytes, ...]:
    """The DER of each certificate of a PEM chain, in its order.

    Trailing NUL octets are dropped (quote-verification 13); anything else between or around the blocks is refused, as
    are other labels and more than `limits.CERTIFICATES_IN_CHAIN` certificates. Raises `error`.
    """
    return decode_blocks(text, "CERTIFICATE", what, error)


def decode_blocks(text: bytes, label: str, what: str, error: type[Malformed]) -> tuple[bytes, ...]:
    """The DER of each PEM block of one label; raises `error` as `decode_certificates` says."""
    end = len(text.rstrip(b"\x00"))
    offset = _GAP.match(text).end()  # type: ignore[union-attr]  # the pattern matches the empty text
    decoded: list[bytes] = []
    while offset < end:
        block = _BLOCK.match(text, offset)
        if block is None:
            raise error(what, f"not a PEM {label.lower()}", offset=offset)
        if block[1] != label.encode("ascii"):
            raise error(what, f"a PEM block labelled {block[1].decode('ascii')!r}", offset=offset)
        if len(decoded) == limits.CERTIFICATES_IN_CHAIN:
            raise LimitExceeded(f"{what}, certificates", limit=limits.CERTIFICATES_IN_CHAIN)
        try:
            decoded.append(_decode_body(block[2]))
        except binascii.Error as cause:
            raise error(what, f"base64 inside PEM: {cause}") from cause
        offset = _GAP.match(text, block.end()).end()  # type: ignore[union-attr]
    if not decoded:
        raise error(what, f"no PEM {label.lower()}")
    return tuple(decoded)


def _decode_body(body: bytes) -> bytes:
    """The DER in a block; small ones are remembered, since the authorities' certificates come with every quote."""
    return _decode_small(body) if len(body) <= _SMALL else _decode_base64(body)


@lru_cache(maxsize=limits.IDENTIFIERS)
def _decode_small(body: bytes) -> bytes:
    return _decode_base64(body)


def _decode_base64(body: bytes) -> bytes:
    packed = body.replace(b"\r", b"").replace(b"\n", b"")
    der = binascii.a2b_base64(packed, strict_mode=True)
    if binascii.b2a_base64(der, newline=False) != packed:
        raise binascii.Error("non-canonical last bits")
    return der


def decode_revocation_list(body: bytes, what: str, error: type[Malformed]) -> bytes:
    """The DER of a revocation list that comes as DER, as PEM, or as hex text of the DER (quote-verification 6.2)."""
    if body.startswith(b"-----BEGIN"):
        blocks = decode_blocks(body, "X509 CRL", what, error)
        if len(blocks) != 1:
            raise error(what, f"{len(blocks)} revocation lists in one document")
        return blocks[0]
    if _HEX.match(body):
        return binascii.unhexlify(body.strip())
    return body


def encode(der: bytes, label: str) -> bytes:
    """PEM with 64 columns, LF and a final LF."""
    packed = binascii.b2a_base64(der, newline=False)
    lines = [packed[start : start + 64] for start in range(0, len(packed), 64)]
    name = label.encode("ascii")
    return b"-----BEGIN " + name + b"-----\n" + b"\n".join(lines) + b"\n-----END " + name + b"-----\n"

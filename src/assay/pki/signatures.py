"""Signatures over the bytes received."""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384

P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_ZERO: Final = bytes(32)
_ORDER: Final = P256_ORDER.to_bytes(32, "big")
_ECDSA_SHA256: Final = ec.ECDSA(SHA256())
_ECDSA_SHA384: Final = ec.ECDSA(SHA384())
P384_ORDER: Final = int(
    "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973", 16
)


class SignatureError(ValueError):
    """A signature that does not verify; the text says why."""


def load_p256_point(point: bytes) -> ec.EllipticCurvePublicKey:
    """The P-256 key of `x || y`, 32 bytes each, big-endian; raises `SignatureError` off the curve."""
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + point)
    except ValueError as error:
        raise SignatureError("the public key is not a point of P-256") from error


def verify_p256_raw(key: ec.EllipticCurvePublicKey, signature: bytes, message: bytes) -> None:
    """ECDSA P-256 with SHA-256, the signature as `r || s`, 32 bytes each, big-endian.

    Raises `SignatureError` when r or s is zero or not below the order, and when the signature does not verify.
    """
    if len(signature) != 64:
        raise SignatureError(f"{len(signature)} octets instead of 64")
    r, s = signature[:32], signature[32:]
    # Octets of equal length compare as the numbers they are.
    if not (_ZERO < r < _ORDER and _ZERO < s < _ORDER):
        raise SignatureError("r or s out of range")
    content = _encode_positive(r) + _encode_positive(s)
    verify_p256_der(key, b"\x30%c%b" % (len(content), content), message)


def _encode_positive(number: bytes) -> bytes:
    """The DER INTEGER of 32 big-endian octets that are not all zero (X.690, 8.3)."""
    if number[0] >= 0x80:
        return b"\x02\x21\x00" + number
    if number[0] == 0:
        shortest = number.lstrip(b"\x00")
        number = b"\x00" + shortest if shortest[0] >= 0x80 else shortest
    return b"\x02%c%b" % (len(number), number)


def verify_p256_der(key: ec.EllipticCurvePublicKey, signature: bytes, message: bytes) -> None:
    """ECDSA P-256 with SHA-256, the signature in DER; raises `SignatureError`."""
    try:
        key.verify(signature, message, _ECDSA_SHA256)
    except InvalidSignature as error:
        raise SignatureError("the signature does not verify") from error


def verify_p384_little_endian(key: ec.EllipticCurvePublicKey, r: bytes, s: bytes, message: bytes) -> None:
    """ECDSA P-384 with SHA-384, r and s as little-endian integers of any length (AMD's form, 72 octets).

    Raises `SignatureError` when r or s is zero or not below the order, and when the signature does not verify.
    """
    first, second = int.from_bytes(r, "little"), int.from_bytes(s, "little")
    if not (0 < first < P384_ORDER and 0 < second < P384_ORDER):
        raise SignatureError("r or s out of range")
    try:
        key.verify(encode_dss_signature(first, second), message, _ECDSA_SHA384)
    except InvalidSignature as error:
        raise SignatureError("the signature does not verify") from error

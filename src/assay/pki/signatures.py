"""Signatures over the bytes received."""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_ECDSA_SHA256: Final = ec.ECDSA(SHA256())


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
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if not (0 < r < P256_ORDER and 0 < s < P256_ORDER):
        raise SignatureError("r or s out of range")
    verify_p256_der(key, encode_dss_signature(r, s), message)


def verify_p256_der(key: ec.EllipticCurvePublicKey, signature: bytes, message: bytes) -> None:
    """ECDSA P-256 with SHA-256, the signature in DER; raises `SignatureError`."""
    try:
        key.verify(signature, message, _ECDSA_SHA256)
    except InvalidSignature as error:
        raise SignatureError("the signature does not verify") from error

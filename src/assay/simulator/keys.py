"""Keys of the synthetic vendors, each derived from a public name.

Nothing here is secret: whoever reads this file can sign as any synthetic vendor. That is why the synthetic roots are
refused outside development mode, by key and by name (design, section 9).
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

# FIPS 186-5 / SP 800-186, 3.2.1.3: the order of P-256.
ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

# RFC 6979, so that the same recipe gives the same bytes.
_ALGORITHM: Final = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)


@lru_cache(maxsize=4096)
def derive_key(name: str) -> ec.EllipticCurvePrivateKey:
    """The P-256 key of a public name: d = SHA-256("assay simulator: " + name) mod (n-1) + 1."""
    digest = hashlib.sha256(f"assay simulator: {name}".encode()).digest()
    return ec.derive_private_key(int.from_bytes(digest, "big") % (ORDER - 1) + 1, ec.SECP256R1())


@lru_cache(maxsize=4096)
def public_point(name: str) -> bytes:
    """The public key of a name as x‖y, 64 bytes (quote-verification 1.4)."""
    public = derive_key(name).public_key()
    return public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]


def key_sha256(name: str) -> str:
    """The SHA-256 of the SubjectPublicKeyInfo, as the table of trust anchors pins it."""
    public = derive_key(name).public_key()
    return hashlib.sha256(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def sign_der(name: str, message: bytes) -> bytes:
    """ECDSA with SHA-256 over the message by the key of a name, as DER."""
    return derive_key(name).sign(message, _ALGORITHM)


def sign_raw(name: str, message: bytes) -> bytes:
    """ECDSA with SHA-256 over the message by the key of a name, as r‖s, 64 bytes."""
    r, s = decode_dss_signature(sign_der(name, message))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def filler(name: str, size: int) -> bytes:
    """Bytes that stand for a measurement or an identifier: the head of SHA-512("assay simulator: " + name)."""
    return hashlib.sha512(f"assay simulator: {name}".encode()).digest()[:size]

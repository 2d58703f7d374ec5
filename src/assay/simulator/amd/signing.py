"""How the synthetic AMD signs: deterministic RSASSA-PSS, also with what a verifier must refuse, and ECDSA P-384."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384

from assay.simulator import der
from assay.simulator.rsa_keys import derive_rsa_key

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

_SHA384: Final = der.sequence(der.oid("2.16.840.1.101.3.4.2.2"), b"\x05\x00")
_PSS: Final = der.oid("1.2.840.113549.1.1.10")
_MGF1: Final = der.oid("1.2.840.113549.1.1.8")
_PKCS1_SHA384: Final = der.sequence(der.oid("1.2.840.113549.1.1.12"), b"\x05\x00")
_BITS: Final = 4096
# FIPS 186-5 / SP 800-186: the order of P-384.
P384_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973


class Scheme(NamedTuple):
    """RSASSA-PSS with SHA-384 and a length of salt; `pkcs1` in its place the older padding."""

    salt: int = 48
    pkcs1: bool = False

    @property
    def identifier(self) -> bytes:
        """The AlgorithmIdentifier in DER."""
        if self.pkcs1:
            return _PKCS1_SHA384
        mask = der.sequence(_MGF1, _SHA384)
        salt = der.explicit(2, der.integer(self.salt))
        return der.sequence(_PSS, der.sequence(der.explicit(0, _SHA384), der.explicit(1, mask), salt))


PSS: Final = Scheme()


@lru_cache(maxsize=1024)
def sign_as_authority(name: str, message: bytes, scheme: Scheme = PSS) -> bytes:
    """The signature by the RSA key of a name; the salt is drawn from the message: equal input, equal bytes."""
    key = derive_rsa_key(name, _BITS)
    if scheme.pkcs1:
        return key.sign(message, padding.PKCS1v15(), SHA384())
    salt = hashlib.shake_256(b"salt: " + message).digest(scheme.salt)
    return _raw(key, _encode_pss(hashlib.sha384(message).digest(), salt))


def _encode_pss(digest: bytes, salt: bytes) -> bytes:
    """EMSA-PSS for a modulus of 4096 bits (RFC 8017, 9.1.1)."""
    size = _BITS // 8
    hashed = hashlib.sha384(bytes(8) + digest + salt).digest()
    block = bytes(size - len(salt) - len(hashed) - 2) + b"\x01" + salt
    mask = _mask(hashed, len(block))
    masked = bytes(left ^ right for left, right in zip(block, mask, strict=True))
    return bytes((masked[0] & 0x7F,)) + masked[1:] + hashed + b"\xbc"


def _mask(seed: bytes, size: int) -> bytes:
    """MGF1 with SHA-384 (RFC 8017, B.2.1)."""
    blocks = (hashlib.sha384(seed + counter.to_bytes(4, "big")).digest() for counter in range(-(-size // 48)))
    return b"".join(blocks)[:size]


def _raw(key: RSAPrivateKey, encoded: bytes) -> bytes:
    """The private operation, by the Chinese remainder theorem."""
    numbers = key.private_numbers()
    message = int.from_bytes(encoded, "big")
    first, second = pow(message, numbers.dmp1, numbers.p), pow(message, numbers.dmq1, numbers.q)
    signature = second + (numbers.iqmp * (first - second) % numbers.p) * numbers.q
    return signature.to_bytes(_BITS // 8, "big")


@lru_cache(maxsize=1024)
def derive_p384_key(name: str) -> ec.EllipticCurvePrivateKey:
    """The P-384 key of a public name."""
    drawn = hashlib.sha512(f"assay simulator: {name}".encode()).digest()
    return ec.derive_private_key(int.from_bytes(drawn, "big") % (P384_ORDER - 1) + 1, ec.SECP384R1())


def sign_p384(name: str, message: bytes) -> tuple[int, int]:
    """ECDSA P-384 with SHA-384 by the key of a name: r and s."""
    signature = derive_p384_key(name).sign(message, ec.ECDSA(SHA384(), deterministic_signing=True))
    return decode_dss_signature(signature)

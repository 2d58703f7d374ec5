"""The signature algorithms of certificates and lists, read with their parameters and never guessed.

An AlgorithmIdentifier is matched whole: what RSASSA-PSS leaves open (hash, mask, salt) is part of what a profile
accepts, and parameters that a standard does not admit are another algorithm.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm

from assay import limits
from assay.errors import MalformedEndorsement
from assay.formats.der import DerReader
from assay.pki.signatures import SignatureError

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey

_WHAT: Final = "signature algorithm"
_NULL: Final = (0x05, b"")
_PSS: Final = "1.2.840.113549.1.1.10"
_MGF1: Final = "1.2.840.113549.1.1.8"
_HASHES: Final[Mapping[str, HashAlgorithm]] = {"sha256": SHA256(), "sha384": SHA384(), "sha512": SHA512()}
_HASH_IDENTIFIERS: Final = {
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}


class Scheme(str, Enum):
    """How a key signs."""

    ECDSA = "ECDSA"
    PKCS1 = "RSASSA-PKCS1-v1_5"
    PSS = "RSASSA-PSS"


class SignatureAlgorithm(NamedTuple):
    """A scheme, its hash, and of RSASSA-PSS the length of the salt (the mask is MGF1 with the same hash)."""

    scheme: Scheme
    hash_name: str
    salt: int = 0

    def __str__(self) -> str:
        salt = f", salt {self.salt}" if self.scheme is Scheme.PSS else ""
        return f"{self.scheme.value} with {self.hash_name}{salt}"


ECDSA_SHA256: Final = SignatureAlgorithm(Scheme.ECDSA, "sha256")
ECDSA_SHA384: Final = SignatureAlgorithm(Scheme.ECDSA, "sha384")
PKCS1_SHA256: Final = SignatureAlgorithm(Scheme.PKCS1, "sha256")
PKCS1_SHA384: Final = SignatureAlgorithm(Scheme.PKCS1, "sha384")
PKCS1_SHA512: Final = SignatureAlgorithm(Scheme.PKCS1, "sha512")
PSS_SHA384: Final = SignatureAlgorithm(Scheme.PSS, "sha384", 48)

# RFC 5758, 3.2: without parameters. RFC 4055, 5: with NULL. Both by the dotted identifier.
_WITHOUT_PARAMETERS: Final = {"1.2.840.10045.4.3.2": ECDSA_SHA256, "1.2.840.10045.4.3.3": ECDSA_SHA384}
_WITH_NULL: Final = {
    "1.2.840.113549.1.1.11": PKCS1_SHA256,
    "1.2.840.113549.1.1.12": PKCS1_SHA384,
    "1.2.840.113549.1.1.13": PKCS1_SHA512,
}


@lru_cache(maxsize=limits.IDENTIFIERS)
def read_algorithm(identifier: bytes) -> SignatureAlgorithm:
    """The algorithm of an AlgorithmIdentifier in DER; raises `SignatureError` for any that is not known here."""
    try:
        return _read(identifier)
    except MalformedEndorsement as error:
        raise SignatureError(error.message) from error


def _read(identifier: bytes) -> SignatureAlgorithm:
    outer = DerReader(identifier, _WHAT)
    content = outer.sequence("identifier")
    outer.finish()
    dotted = content.object_identifier("algorithm")
    if dotted == _PSS:
        algorithm = _read_pss(content.sequence("RSASSA-PSS parameters"))
        content.finish()
        return algorithm
    parameters = None if content.at_end else content.element()
    content.finish()
    known = _WITHOUT_PARAMETERS.get(dotted) if parameters is None else None
    known = _WITH_NULL.get(dotted) if parameters == _NULL else known
    if known is None:
        raise SignatureError(f"signature algorithm {dotted} is not known with these parameters")
    return known


def _read_pss(parameters: DerReader) -> SignatureAlgorithm:
    """The parameters of RFC 4055, 3.1; the defaults (SHA-1) are not accepted, so hash, mask and salt are written."""
    hashed = _read_hash(DerReader(parameters.expect(0xA0, "hash"), _WHAT))
    mask = DerReader(parameters.expect(0xA1, "mask"), _WHAT).sequence("mask")
    if mask.object_identifier("mask generation function") != _MGF1 or _read_hash(mask) != hashed:
        raise SignatureError("RSASSA-PSS with another mask than MGF1 of its hash")
    salt = DerReader(parameters.expect(0xA2, "salt"), _WHAT).integer("salt length")
    # The trailer field's only value is its default, 1; AMD's own certificates write it.
    if not parameters.at_end and DerReader(parameters.expect(0xA3, "trailer"), _WHAT).integer("trailer field") != 1:
        raise SignatureError("RSASSA-PSS with another trailer field than 1")
    parameters.finish()
    return SignatureAlgorithm(Scheme.PSS, hashed, salt)


def _read_hash(reader: DerReader) -> str:
    """The name of a hash's AlgorithmIdentifier; NULL and absent parameters are both right (RFC 4055, 2.1)."""
    identifier = reader.sequence("hash")
    reader.finish()
    dotted = identifier.object_identifier("hash")
    if not identifier.at_end and identifier.element() != _NULL:
        raise SignatureError(f"hash {dotted} with parameters")
    identifier.finish()
    if dotted not in _HASH_IDENTIFIERS:
        raise SignatureError(f"hash {dotted} is not known")
    return _HASH_IDENTIFIERS[dotted]


def verify_signature(key: PublicKey, algorithm: SignatureAlgorithm, signature: bytes, message: bytes) -> None:
    """A signature in the form that certificates carry (ECDSA in DER); raises `SignatureError`."""
    hashed = _HASHES[algorithm.hash_name]
    try:
        if isinstance(key, ec.EllipticCurvePublicKey) and algorithm.scheme is Scheme.ECDSA:
            key.verify(signature, message, ec.ECDSA(hashed))
        elif isinstance(key, rsa.RSAPublicKey) and algorithm.scheme is Scheme.PKCS1:
            key.verify(signature, message, padding.PKCS1v15(), hashed)
        elif isinstance(key, rsa.RSAPublicKey) and algorithm.scheme is Scheme.PSS:
            key.verify(signature, message, padding.PSS(padding.MGF1(hashed), algorithm.salt), hashed)
        else:
            raise SignatureError(f"{algorithm} is not an algorithm of this key")
    except InvalidSignature as error:
        raise SignatureError("the signature does not verify") from error

"""COSE_Sign1 (RFC 9052, 4.2): one message, its headers as received, and its signature under a named key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm

from assay import limits
from assay.errors import LimitExceeded, MalformedEvidence
from assay.formats.cbor import CborKey, CborValue, Tagged, decode_cbor, encode_cbor

COSE_SIGN1: Final = 18
ALGORITHM: Final = 1
CRITICAL: Final = 2
CONTENT_TYPE: Final = 3
CWT_CLAIMS: Final = 15
X5CHAIN: Final = 33
X5T: Final = 34
PAYLOAD_HASH_ALGORITHM: Final = 258

Headers = Mapping[CborKey, CborValue]
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey


class CoseError(ValueError):
    """A signature, or an algorithm that is not admitted; the text says why."""


class CoseSign1(NamedTuple):
    """A message; `protected_octets` and `payload` are what is signed, as received."""

    protected: Headers
    unprotected: Headers
    protected_octets: bytes
    payload: bytes
    signature: bytes


class _Ecdsa(NamedTuple):
    """ECDSA with one hash on one curve, named with its curve here as RFC 9864 does for new identifiers."""

    hashed: HashAlgorithm
    curve: str
    size: int


# RFC 9053, 2.1 and RFC 8230, 2: the identifiers that are admitted, and nothing else.
_ECDSA: Final = {
    -7: _Ecdsa(SHA256(), "secp256r1", 32),
    -35: _Ecdsa(SHA384(), "secp384r1", 48),
    -36: _Ecdsa(SHA512(), "secp521r1", 66),
}
_PSS: Final[Mapping[int, HashAlgorithm]] = {-37: SHA256(), -38: SHA384(), -39: SHA512()}
_NAMES: Final = {-7: "ES256", -35: "ES384", -36: "ES512", -37: "PS256", -38: "PS384", -39: "PS512"}
_LEAST_RSA_BITS: Final = 2048
# Labels that this module or its callers act upon; `crit` may name no other (RFC 9052, 3.1).
_UNDERSTOOD: Final = frozenset({ALGORITHM, CONTENT_TYPE, CWT_CLAIMS, X5CHAIN, X5T, PAYLOAD_HASH_ALGORITHM})


def parse_cose_sign1(content: bytes, what: str, bound: int) -> CoseSign1:
    """Parse a message of at most `bound` octets, with its tag or without.

    Raises as `decode_cose_sign1`, and for a header in both maps, an algorithm outside the protected headers, a critical
    header that is not understood (attack case AZ-12).
    """
    message = decode_cose_sign1(content, what, bound)
    _require_sound_headers(message, what)
    return message


def decode_cose_sign1(content: bytes, what: str, bound: int) -> CoseSign1:
    """The parts of a message, to be looked at: its headers may demand what is not understood.

    Raises `MalformedEvidence` for anything else, a detached payload among it, and `LimitExceeded` when it is larger.
    """
    if len(content) > bound:
        raise LimitExceeded(f"{what}, octets", limit=bound, found=len(content))
    value = decode_cbor(content, what)
    if isinstance(value, Tagged):
        if value.tag != COSE_SIGN1:
            raise MalformedEvidence(what, f"CBOR tag {value.tag} instead of {COSE_SIGN1}")
        value = value.value
    match value:
        case (bytes() as octets, Mapping() as unprotected, bytes() as payload, bytes() as signature) if payload:
            return CoseSign1(_protected(octets, what), unprotected, octets, payload, signature)
        case _:
            raise MalformedEvidence(
                what, "not protected headers, unprotected headers, an attached payload, a signature"
            )


def _protected(octets: bytes, what: str) -> Headers:
    headers = decode_cbor(octets, f"{what}, protected headers")
    if not isinstance(headers, Mapping):
        raise MalformedEvidence(what, "protected headers that are no map")
    return headers


def _require_sound_headers(message: CoseSign1, what: str) -> None:
    both = set(message.protected) & set(message.unprotected)
    if both:
        raise MalformedEvidence(what, f"headers that are protected and unprotected: {sorted(map(str, both))}")
    outside = {ALGORITHM, CRITICAL, X5CHAIN} & set(message.unprotected)
    if outside:
        raise MalformedEvidence(what, f"headers that must be protected are not: {sorted(outside)}")
    critical = message.protected.get(CRITICAL, ())
    unknown = [label for label in critical if label not in _UNDERSTOOD] if isinstance(critical, tuple) else [critical]
    if unknown:
        raise MalformedEvidence(what, f"critical headers that are not understood: {', '.join(map(str, unknown))}")


def verify_cose_sign1(message: CoseSign1, key: PublicKey) -> str:
    """The signature by `key` under the protected algorithm, whose name is returned; raises `CoseError`."""
    algorithm = message.protected.get(ALGORITHM)
    if not isinstance(algorithm, int) or isinstance(algorithm, bool) or algorithm not in _NAMES:
        raise CoseError(f"algorithm {algorithm!r} is none of {', '.join(_NAMES.values())}")
    signed = encode_cbor(("Signature1", message.protected_octets, b"", message.payload))
    try:
        if algorithm in _ECDSA:
            _verify_ecdsa(_ECDSA[algorithm], key, message.signature, signed)
        else:
            _verify_pss(_PSS[algorithm], key, message.signature, signed)
    except InvalidSignature as error:
        raise CoseError("the signature does not verify") from error
    return _NAMES[algorithm]


def _verify_ecdsa(algorithm: _Ecdsa, key: PublicKey, signature: bytes, signed: bytes) -> None:
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != algorithm.curve:
        raise CoseError(f"a key that is not on {algorithm.curve}")
    if len(signature) != 2 * algorithm.size:
        raise CoseError(f"a signature of {len(signature)} octets instead of {2 * algorithm.size}")
    r, s = (int.from_bytes(part, "big") for part in (signature[: algorithm.size], signature[algorithm.size :]))
    key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(algorithm.hashed))


def _verify_pss(hashed: HashAlgorithm, key: PublicKey, signature: bytes, signed: bytes) -> None:
    if not isinstance(key, rsa.RSAPublicKey) or not _LEAST_RSA_BITS <= key.key_size <= limits.RSA_BITS:
        raise CoseError("a key that is not RSA of 2048 bits or more")
    # RFC 8230, 2: the salt is as long as the hash.
    key.verify(signature, signed, padding.PSS(padding.MGF1(hashed), hashed.digest_size), hashed)

"""JSON web signatures in compact form: the one verifier (RFC 7515, RFC 7518, RFC 8725).

The algorithm follows from the kind of the key and the header must agree, so that no header can choose another one
(attack cases TOK-01, TOK-02). Nothing that a header points to or brings along (`jku`, `x5u`, `jwk`, `x5c`) is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from assay import limits
from assay.errors import LimitExceeded, MalformedToken, TokenRejected
from assay.formats import base64url, strict_json
from assay.formats.base64url import Base64Error
from assay.formats.strict_json import JsonError, JsonObject

if TYPE_CHECKING:
    from collections.abc import Callable

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

# RFC 7518, 3.3 and 3.5.
RSA_BITS_LEAST: Final = 2048
_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_PSS: Final = padding.PSS(padding.MGF1(SHA256()), padding.PSS.DIGEST_LENGTH)
# RFC 7515, 4.1.11 and RFC 7797: what changes the meaning of a token must be understood, and none of it is.
_REFUSED_MEMBERS: Final = ("crit", "b64", "zip")


@dataclass(frozen=True, slots=True)
class Jws:
    """A parsed signature whose signature is not verified yet; `signed` are the octets that it covers."""

    header: JsonObject
    payload: bytes
    signed: bytes
    signature: bytes

    @property
    def algorithm(self) -> str:
        """`alg` of the header, as spelled there; no decision may rest on it alone."""
        value = self.header.get("alg")
        return value if isinstance(value, str) else ""

    @property
    def key_id(self) -> str | None:
        """`kid` of the header, or None when there is none."""
        value = self.header.get("kid")
        return value if isinstance(value, str) else None

    @property
    def is_unsecured(self) -> bool:
        """Whether the header says, in any case, that nobody signed this (RFC 7518, 3.6)."""
        return self.algorithm.casefold() == "none"


def parse_jws(text: str, *, limit: int = limits.TOKEN) -> Jws:
    """Three parts of unpadded base64url, the first a JSON object with `alg`; nothing is believed yet.

    Raises `MalformedToken` (duplicate members, padding, non-canonical bits among the reasons) and `LimitExceeded`.
    """
    if len(text) > limit:
        raise LimitExceeded("token, characters", limit=limit, found=len(text))
    parts = text.split(".")
    if len(parts) != 3:
        raise MalformedToken("token", f"{len(parts)} parts instead of header, payload and signature")
    header, payload, signature = (
        _decode(part, name) for part, name in zip(parts, ("header", "payload", "signature"), strict=True)
    )
    members = decode_members(header, "header")
    if not isinstance(members.get("alg"), str):
        raise MalformedToken("token header", "alg is not a string")
    if "kid" in members and not isinstance(members["kid"], str):
        raise MalformedToken("token header", "kid is not a string")
    return Jws(members, payload, f"{parts[0]}.{parts[1]}".encode("ascii"), signature)


def decode_members(content: bytes, part: str) -> JsonObject:
    """The JSON object in a part of a token; raises `MalformedToken`."""
    try:
        return strict_json.decode_object(content)
    except JsonError as error:
        raise MalformedToken(f"token {part}", str(error)) from error


def _decode(part: str, name: str) -> bytes:
    try:
        return base64url.decode_strict(part)
    except Base64Error as error:
        raise MalformedToken(f"token {name}", str(error)) from error


def verify_jws(jws: Jws, key: PublicKey, *, algorithm: str | None = None) -> None:
    """The signature, by this key, with the algorithm that belongs to its kind.

    RSA keys sign with RS256 or PS256, P-256 keys with ES256, and nothing else is supported; `algorithm` narrows that to
    what the key's issuer declared for it. Raises `TokenRejected` with the reason `Unsecured`, `UnknownExtension`,
    `KeyNotAllowed`, `AlgorithmNotAllowed` or `SignatureInvalid`.
    """
    if jws.is_unsecured:
        raise TokenRejected("Unsecured", "the token is not signed (alg none)")
    for name in _REFUSED_MEMBERS:
        if name in jws.header:
            raise TokenRejected("UnknownExtension", f"the header member {name!r} is not supported")
    verify = _verifier(key).get(jws.algorithm)
    if verify is None or algorithm not in (None, jws.algorithm):
        raise TokenRejected("AlgorithmNotAllowed", f"alg {jws.algorithm!r} is not an algorithm of this key")
    try:
        verify(jws)
    except InvalidSignature:
        raise TokenRejected("SignatureInvalid", "the signature does not verify") from None


def _verifier(key: PublicKey) -> dict[str, Callable[[Jws], None]]:
    match key:
        case rsa.RSAPublicKey():
            if not RSA_BITS_LEAST <= key.key_size <= limits.RSA_BITS:
                raise TokenRejected("KeyNotAllowed", f"an RSA key of {key.key_size} bits, at least {RSA_BITS_LEAST}")
            return {"RS256": lambda jws: _verify_rs256(key, jws), "PS256": lambda jws: _verify_ps256(key, jws)}
        case ec.EllipticCurvePublicKey():
            if key.curve.name != "secp256r1":
                raise TokenRejected("KeyNotAllowed", f"an EC key on {key.curve.name}, not P-256")
            return {"ES256": lambda jws: _verify_es256(key, jws)}


def _verify_rs256(key: rsa.RSAPublicKey, jws: Jws) -> None:
    key.verify(jws.signature, jws.signed, padding.PKCS1v15(), SHA256())


def _verify_ps256(key: rsa.RSAPublicKey, jws: Jws) -> None:
    key.verify(jws.signature, jws.signed, _PSS, SHA256())


def _verify_es256(key: ec.EllipticCurvePublicKey, jws: Jws) -> None:
    # RFC 7518, 3.4: exactly r || s; DER, zero and values from the order up are refused (TOK-07).
    r, s = int.from_bytes(jws.signature[:32], "big"), int.from_bytes(jws.signature[32:], "big")
    if len(jws.signature) != 64 or not (0 < r < _P256_ORDER and 0 < s < _P256_ORDER):
        raise InvalidSignature
    key.verify(encode_dss_signature(r, s), jws.signed, ec.ECDSA(SHA256()))

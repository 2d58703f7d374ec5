"""An issuer's key set (rest-api 5.2, RFC 7517): the only source of keys that tokens are verified with."""

from __future__ import annotations

import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from assay import limits
from assay.errors import LimitExceeded, MalformedToken, TokenRejected
from assay.formats import base64url, strict_json
from assay.formats.base64url import Base64Error
from assay.formats.strict_json import JsonError, JsonObject, JsonValue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assay.formats.jws import PublicKey

_WHAT: Final = "key set"


@dataclass(frozen=True, slots=True)
class IssuerKey:
    """One key of an issuer; `algorithm` is what the issuer declared for it, or None."""

    key_id: str
    public_key: PublicKey
    algorithm: str | None


@dataclass(frozen=True, slots=True)
class KeySet:
    """The keys of one issuer as published.

    A key is read when a token asks for it, so that a key of a kind that is not
    supported here (a 1024-bit key of 2019, say) harms nobody else.
    """

    members: tuple[JsonObject, ...]

    def __len__(self) -> int:
        return len(self.members)

    @property
    def key_ids(self) -> tuple[str, ...]:
        return tuple(kid for kid in (key.get("kid") for key in self.members) if isinstance(kid, str))

    def find(self, key_id: str) -> IssuerKey:
        """The one key with this `kid`; there is no fallback to another (TOK-05).

        Raises `TokenRejected` with the reason `KeyUnknown`, `KeyAmbiguous` or `KeyNotAllowed`.
        """
        found = [key for key in self.members if key.get("kid") == key_id]
        if not found:
            raise TokenRejected("KeyUnknown", f"no key of the issuer has the kid {key_id[:100]!r}")
        if len(found) > 1:
            raise TokenRejected("KeyAmbiguous", f"{len(found)} keys of the issuer have the kid {key_id[:100]!r}")
        try:
            return _read_key(key_id, found[0])
        except (MalformedToken, LimitExceeded) as error:
            raise TokenRejected("KeyNotAllowed", error.message) from error


def parse_key_set(body: bytes) -> KeySet:
    """The key set in a JSON text `{"keys": [...]}`; raises `MalformedToken` and `LimitExceeded` (TOK-16)."""
    if len(body) > limits.KEY_SET_BODY:
        raise LimitExceeded("key set, octets", limit=limits.KEY_SET_BODY, found=len(body))
    try:
        keys = strict_json.decode_object(body).get("keys")
    except JsonError as error:
        raise MalformedToken(_WHAT, str(error)) from error
    if not isinstance(keys, list):
        raise MalformedToken(_WHAT, "no list of keys")
    if len(keys) > limits.KEY_SET_KEYS:
        raise LimitExceeded("key set, keys", limit=limits.KEY_SET_KEYS, found=len(keys))
    found = tuple(key for key in keys if isinstance(key, dict))
    if not found or len(found) != len(keys):
        raise MalformedToken(_WHAT, "empty" if not keys else "a key that is not an object")
    return KeySet(found)


def _read_key(key_id: str, members: JsonObject) -> IssuerKey:
    if members.get("use") not in (None, "sig"):
        raise MalformedToken(_WHAT, "the key is not for signatures")
    operations = members.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        raise MalformedToken(_WHAT, "the key is not for verifying")
    algorithm = members.get("alg")
    if algorithm is not None and not isinstance(algorithm, str):
        raise MalformedToken(_WHAT, "alg is not a string")
    parameters, certified = _read_parameters(members), _read_certificate(members.get("x5c"))
    # RFC 7517, 4.7: the first certificate holds the same key as the other members.
    if parameters is not None and certified is not None and parameters != certified:
        raise MalformedToken(_WHAT, "the certificate holds another key than the other members")
    key = parameters or certified
    if key is None:
        raise MalformedToken(_WHAT, "neither key parameters nor a certificate")
    if members.get("kty") != ("RSA" if isinstance(key, rsa.RSAPublicKey) else "EC"):
        raise MalformedToken(_WHAT, "kty is not the kind of the key")
    return IssuerKey(key_id, key, algorithm)


def _read_parameters(members: JsonObject) -> PublicKey | None:
    names = ("n", "e") if members.get("kty") == "RSA" else ("x", "y")
    if not any(name in members for name in names):
        return None
    first, second = (_octets(members, name) for name in names)
    try:
        if names == ("n", "e"):
            return _rsa_key(first, second)
        if members.get("crv") != "P-256" or len(first) != 32 or len(second) != 32:
            raise MalformedToken(_WHAT, "an EC key that is not P-256 with coordinates of 32 octets")
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + first + second)
    except ValueError as error:
        raise MalformedToken(_WHAT, str(error)) from error


def _rsa_key(modulus: bytes, exponent: bytes) -> rsa.RSAPublicKey:
    if len(modulus) * 8 > limits.RSA_BITS or len(exponent) > 8:
        raise LimitExceeded("RSA key, bits", limit=limits.RSA_BITS, found=len(modulus) * 8)
    return rsa.RSAPublicNumbers(int.from_bytes(exponent, "big"), int.from_bytes(modulus, "big")).public_key()


def _octets(members: Mapping[str, JsonValue], name: str) -> bytes:
    value = members.get(name)
    if not isinstance(value, str):
        raise MalformedToken(_WHAT, f"{name} is not a string")
    try:
        return base64url.decode_strict(value)
    except Base64Error as error:
        raise MalformedToken(_WHAT, f"{name}: {error}") from error


def _read_certificate(chain: JsonValue) -> PublicKey | None:
    """The key in the first certificate of `x5c`: the key set vouches for it, so no chain or window is looked at."""
    if chain is None:
        return None
    if not isinstance(chain, list) or not chain or not isinstance(chain[0], str):
        raise MalformedToken(_WHAT, "x5c is not a list of certificates")
    try:
        key = x509.load_der_x509_certificate(binascii.a2b_base64(chain[0], strict_mode=True)).public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise MalformedToken(_WHAT, f"x5c: {error}") from error
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise MalformedToken(_WHAT, f"x5c: a key of type {type(key).__name__}")
    return key

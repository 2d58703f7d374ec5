"""An issuer for tests: keys, the key set that publishes them, and tokens with any part chosen."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

ISSUER = "https://attest.example"
AT = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)
NOW = int(AT.timestamp())
PAYLOAD = {
    "iss": ISSUER,
    "iat": NOW,
    "nbf": NOW,
    "exp": NOW + 28800,
    "jti": "ab" * 32,
    "x-ms-ver": "1.0",
    "x-ms-attestation-type": "sgx",
}


def encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def encode_number(number: int) -> str:
    return encode(number.to_bytes((number.bit_length() + 7) // 8, "big"))


_generate_rsa = cache(lambda bits: rsa.generate_private_key(65537, bits))
_generate_ec = cache(ec.generate_private_key)
_P256, _P384 = ec.SECP256R1(), ec.SECP384R1()


def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return _generate_rsa(bits)


def ec_key(curve: str = "secp256r1") -> ec.EllipticCurvePrivateKey:
    return _generate_ec(_P256 if curve == "secp256r1" else _P384)


def rsa_jwk(kid: str, bits: int = 2048, **members: object) -> dict[str, object]:
    numbers = rsa_key(bits).public_key().public_numbers()
    return {"kid": kid, "kty": "RSA", "n": encode_number(numbers.n), "e": encode_number(numbers.e), **members}


def ec_jwk(kid: str, **members: object) -> dict[str, object]:
    numbers = ec_key().public_key().public_numbers()
    x, y = (encode(number.to_bytes(32, "big")) for number in (numbers.x, numbers.y))
    return {"kid": kid, "kty": "EC", "crv": "P-256", "x": x, "y": y, **members}


KEYS = {"keys": [rsa_jwk("rsa"), ec_jwk("ec"), rsa_jwk("small", 1024)]}
KEY_SET = json.dumps(KEYS).encode()


def sign_rs256(message: bytes, bits: int = 2048) -> bytes:
    return rsa_key(bits).sign(message, padding.PKCS1v15(), SHA256())


def sign_ps256(message: bytes) -> bytes:
    return rsa_key().sign(message, padding.PSS(padding.MGF1(SHA256()), 32), SHA256())


def sign_es256(message: bytes) -> bytes:
    r, s = decode_dss_signature(ec_key().sign(message, ec.ECDSA(SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


SIGN = {"RS256": sign_rs256, "PS256": sign_ps256, "ES256": sign_es256}
KID = {"RS256": "rsa", "PS256": "rsa", "ES256": "ec"}


def token(alg: str = "RS256", header=None, payload=None, sign=None) -> str:
    """A good token, but for what is given; members set to None are left out."""
    full = {"alg": alg, "kid": KID.get(alg, "rsa"), "typ": "JWT", **(header or {})}
    said = {**PAYLOAD, **(payload or {})}
    head, body = (
        json.dumps({name: value for name, value in members.items() if value is not None}).encode()
        for members in (full, said)
    )
    return assemble(head, body, sign=sign or SIGN[alg])


def assemble(header: bytes, payload: bytes, sign=sign_rs256) -> str:
    signed = f"{encode(header)}.{encode(payload)}"
    return f"{signed}.{encode(sign(signed.encode()))}"

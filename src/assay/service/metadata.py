"""The key set and the discovery document (rest-api 5.2 and 5.3)."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa

from assay.formats import base64url
from assay.formats.strict_json import JsonValue
from assay.store import SigningKey

_CLAIMS: Final = (
    "cnf",
    "nonce",
    "x-ms-ver",
    "x-ms-attestation-type",
    "x-ms-policy-hash",
    "x-ms-policy-signer",
    "x-ms-sgx-is-debuggable",
    "x-ms-sgx-mrenclave",
    "x-ms-sgx-mrsigner",
    "x-ms-sgx-svn",
    "x-ms-sgx-ehd",
    "x-ms-sgx-collateral",
    "is-debuggable",
    "sgx-mrsigner",
    "sgx-mrenclave",
    "product-id",
    "svn",
    "tee",
)


def encode_key_set(keys: Iterable[SigningKey], reporting: Iterable[SigningKey] = ()) -> dict[str, JsonValue]:
    """The JWK set: the recorded members, and `n`, `e` (or `x`, `y`), `alg`, `use` for generic JOSE libraries.

    `reporting` are keys that signed reports, which go by other identifiers and certificates there (rest-api 5.1).
    """
    tokens = [_encode_key(key, key.kid, key.certificates) for key in keys]
    return {"keys": [*tokens, *(_encode_key(key, key.report_kid, key.report_certificates) for key in reporting)]}


def _encode_key(key: SigningKey, kid: str, certificates: tuple[bytes, ...]) -> JsonValue:
    chain: list[JsonValue] = [base64.b64encode(der).decode("ascii") for der in certificates]
    public = key.private_key.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        numbers = public.public_numbers()
        parts: dict[str, JsonValue] = {"n": _octets(numbers.n, 256), "e": _octets(numbers.e, 3)}
        return {"x5c": chain, "kid": kid, "kty": "RSA", "alg": key.algorithm, "use": "sig", **parts}
    point = public.public_numbers()
    parts = {"crv": "P-256", "x": _octets(point.x, 32), "y": _octets(point.y, 32)}
    return {"x5c": chain, "kid": kid, "kty": "EC", "alg": key.algorithm, "use": "sig", **parts}


def _octets(number: int, size: int) -> str:
    return base64url.encode(number.to_bytes(size, "big"))


def encode_discovery(base_url: str, algorithms: Iterable[str]) -> dict[str, JsonValue]:
    """The discovery document; `issuer` is the base URL to the byte."""
    return {
        "response_types_supported": ["token", "none"],
        "id_token_signing_alg_values_supported": list(algorithms),
        "revocation_endpoint": f"{base_url}/revoke",
        "issuer": base_url,
        "jwks_uri": f"{base_url}/certs",
        "claims_supported": list(_CLAIMS),
    }

"""The JWS that administer a provider: policies and signers, unsecured or signed by whom their header names (8.2, 9).

What a header brings along is used here as the set-policy wire asks for it, and believed by nobody: a caller compares
the certificate with the provider's own set, or only echoes it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm

from assay import limits
from assay.errors import InvalidOperation
from assay.formats import base64url, strict_json
from assay.policy.signers import read_certificate, read_x5c, require_signer_chain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assay.formats.strict_json import JsonObject
    from assay.pki.certificate import Certificate

_JWS: Final = 3 * limits.POLICY_TEXT
# rest-api 8.2: the Python library writes RSA256, and ECDH256 for EC keys; the key decides, the name has to fit it.
_HASHES: Final[Mapping[str, type[HashAlgorithm]]] = {
    "RS256": SHA256,
    "RSA256": SHA256,
    "RS384": SHA384,
    "RS512": SHA512,
    "PS256": SHA256,
    "ES256": SHA256,
    "ECDH256": SHA256,
    "ES384": SHA384,
    "ES512": SHA512,
}
_CURVES: Final = ("secp256r1", "secp384r1", "secp521r1")
_MEMBER_NAMES: Final = ("policyCertificate", "maa-policyCertificate", "aas-policyCertificate", "x-ms-policyCertificate")


@dataclass(frozen=True, slots=True)
class ManagementJws:
    """A JWS as submitted. `x5c` are the certificates of its header as given, empty when it is unsecured."""

    text: str
    algorithm: str
    x5c: tuple[str, ...]
    payload: bytes
    signature: bytes

    @property
    def is_unsecured(self) -> bool:
        return self.algorithm.casefold() == "none"

    @property
    def token_hash(self) -> str:
        """`x-ms-policy-token-hash`: over the text as submitted (rest-api 6.3)."""
        return base64url.encode(hashlib.sha256(self.text.encode("ascii")).digest())

    @property
    def signer(self) -> JsonObject | None:
        """`x-ms-policy-signer` of attest tokens (policy-language 11.2), None when nobody signed."""
        if self.is_unsecured:
            return None
        kind = "EC" if isinstance(read_certificate(self.x5c[0]).public_key, ec.EllipticCurvePublicKey) else "RSA"
        return {"kty": kind, "x5c": list(self.x5c)}


def parse_management_jws(text: str) -> ManagementJws:
    """Three parts, a header with `alg`, and the certificate of the signer under `x5c` or `jwk.x5c` unless unsecured.

    Raises `InvalidOperation`, padding among its reasons (RFC 7515, 2). JSON may be spaced; nothing is encoded again
    (rest-api 8.2).
    """
    if len(text) > _JWS or not text.isascii():
        raise InvalidOperation(f"Malformed JWT: more than {_JWS} characters, or characters outside ASCII")
    parts = text.split(".")
    if len(parts) != 3:
        missing = ("first", "second")[len(parts) - 1] if len(parts) < 3 else "exactly the second"
        raise InvalidOperation(f"Malformed JWT: Could not find {missing} period in the token.")
    header, payload, signature = (_decode(part) for part in parts)
    members = _object(header, "header")
    algorithm = members.get("alg")
    if not isinstance(algorithm, str):
        raise InvalidOperation("Malformed JWT: the header has no alg")
    if algorithm.casefold() == "none":
        if signature:
            raise InvalidOperation("Malformed JWT: alg none with a signature")
        return ManagementJws(text, algorithm, (), payload, b"")
    for name in ("crit", "b64", "zip"):
        if name in members:
            raise InvalidOperation(f"Malformed JWT: the header member {name} is not supported")
    return ManagementJws(text, algorithm, _signer_chain(members), payload, signature)


def _signer_chain(header: JsonObject) -> tuple[str, ...]:
    jwk = header.get("jwk")
    found = header.get("x5c") or (jwk.get("x5c") if isinstance(jwk, dict) else None)
    return read_x5c(found, "Malformed JWT: a signed token needs its certificate in x5c or jwk.x5c")


def verify_management_jws(jws: ManagementJws) -> Certificate:
    """The certificate whose key signed the JWS.

    Raises `InvalidOperation` when the signature does not verify, and `ChainUntrusted` for a certificate that cannot
    sign policies: a weak key or digest, a chain that does not hold together or whose last member is no CA (8.4).
    """
    if jws.is_unsecured:
        raise InvalidOperation("the token is not signed (alg none)")
    require_signer_chain(jws.x5c)
    certificate = read_certificate(jws.x5c[0])
    signed = jws.text.rpartition(".")[0].encode("ascii")
    digest = _HASHES.get(jws.algorithm)
    if digest is None:
        raise InvalidOperation(f"alg {jws.algorithm[:20]!r} is none of {', '.join(_HASHES)}")
    try:
        _verify(certificate, jws, signed, digest())
    except InvalidSignature:
        raise InvalidOperation("the signature of the token does not verify with its own certificate") from None
    return certificate


def _verify(certificate: Certificate, jws: ManagementJws, signed: bytes, digest: HashAlgorithm) -> None:
    match certificate.public_key:
        case rsa.RSAPublicKey() as key:
            if jws.algorithm.startswith("E"):
                raise InvalidOperation(f"alg {jws.algorithm} with an RSA certificate")
            if jws.algorithm.startswith("PS"):
                pss = padding.PSS(padding.MGF1(digest), padding.PSS.DIGEST_LENGTH)
                key.verify(jws.signature, signed, pss, digest)
            else:
                key.verify(jws.signature, signed, padding.PKCS1v15(), digest)
        case ec.EllipticCurvePublicKey() as key:
            if not jws.algorithm.startswith("E"):
                raise InvalidOperation(f"alg {jws.algorithm} with an EC certificate")
            if key.curve.name not in _CURVES:
                raise InvalidOperation(f"an EC key on {key.curve.name}: use one of {', '.join(_CURVES)}")
            key.verify(_der_signature(jws.signature, key), signed, ec.ECDSA(digest))


def _der_signature(signature: bytes, key: ec.EllipticCurvePublicKey) -> bytes:
    """R || S as JOSE has it, and DER as some signers send it (rest-api 8.2)."""
    size = (key.curve.key_size + 7) // 8
    if len(signature) != 2 * size:
        return signature
    r, s = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
    return encode_dss_signature(r, s)


def policy_text(jws: ManagementJws) -> str:
    """The policy of a set-policy JWS: base64url of UTF-8 under `AttestationPolicy`; raises `InvalidOperation`."""
    member = _object(jws.payload, "payload").get("AttestationPolicy")
    if not isinstance(member, str):
        raise InvalidOperation('Could not find "AttestationPolicy" claim in policy token')
    try:
        return base64url.decode_lenient(member).decode("utf-8")
    except (base64url.Base64Error, UnicodeDecodeError) as error:
        raise InvalidOperation(f"AttestationPolicy is not UTF-8 text in base64url: {error}") from error


def signer_chain(jws: ManagementJws) -> tuple[str, ...]:
    """The certificate (with its chain) that an add or remove is about (rest-api 9); raises `InvalidOperation`."""
    members = _object(jws.payload, "payload")
    found = next((members[name] for name in _MEMBER_NAMES if name in members), None)
    if not isinstance(found, dict):
        raise InvalidOperation('Could not find "policyCertificate" claim in policy token')
    return read_x5c(found.get("x5c"), "policyCertificate: a JWK with x5c is required")


def _decode(part: str) -> bytes:
    try:
        return base64url.decode_strict(part)
    except base64url.Base64Error as error:
        raise InvalidOperation(f"Malformed JWT: {error}") from error


def _object(content: bytes, part: str) -> JsonObject:
    try:
        return strict_json.decode_object(content)
    except strict_json.JsonError as error:
        raise InvalidOperation(f"Malformed JWT: the {part} is not a JSON object: {error}") from error


def require_empty_payload(jws: ManagementJws) -> None:
    """Raises `InvalidOperation` for a reset that carries something (rest-api 8.2)."""
    if jws.payload:
        raise InvalidOperation("a policy reset has an empty payload")

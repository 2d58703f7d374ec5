"""Policy signers and the JWS that they make, written with the standard library and `cryptography` only."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

BEGIN, END = datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
UNSECURED = "eyJhbGciOiJub25lIn0"
PERMIT_ALL = "version=1.0; authorizationrules{=> permit();}; issuancerules{};"
RESET = f"{UNSECURED}.."
_DIGESTS: dict[str, hashes.HashAlgorithm] = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
_CURVES: dict[str, ec.EllipticCurve] = {"P256": ec.SECP256R1(), "P384": ec.SECP384R1(), "P521": ec.SECP521R1()}

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def b64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")


def policy_payload(text: str) -> dict[str, Any]:
    return {"AttestationPolicy": b64url(text.encode("utf-8"))}


def unsecured(text: str) -> str:
    """A policy as the JavaScript library sends it unsigned (rest-api 18)."""
    return f"{UNSECURED}.{b64url(_compact(policy_payload(text)))}."


def policy_hash_of(text: str) -> str:
    """`x-ms-policy-hash` (rest-api 6.3)."""
    return b64url(hashlib.sha256(b64url(text.encode("utf-8")).encode("ascii")).digest())


def token_hash_of(jws: str) -> str:
    """`x-ms-policy-token-hash` (rest-api 6.3)."""
    return b64url(hashlib.sha256(jws.encode("ascii")).digest())


def _compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("utf-8")


@dataclass(frozen=True)
class PolicySigningKey:
    """A key with its certificate (DER) and the certificates above it."""

    key: PrivateKey
    certificates: tuple[bytes, ...]

    @property
    def x5c(self) -> list[str]:
        return [base64.b64encode(der).decode("ascii") for der in self.certificates]

    @property
    def jwk(self) -> dict[str, Any]:
        return {"kty": "RSA" if isinstance(self.key, rsa.RSAPrivateKey) else "EC", "x5c": self.x5c}

    @property
    def thumbprint(self) -> str:
        return hashlib.sha1(self.certificates[0]).hexdigest().upper()

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.certificates[0]).hexdigest()

    @property
    def certificate_pem(self) -> str:
        return x509.load_der_x509_certificate(self.certificates[0]).public_bytes(Encoding.PEM).decode("ascii")

    @property
    def key_pem(self) -> str:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")

    @property
    def algorithm(self) -> str:
        if isinstance(self.key, rsa.RSAPrivateKey):
            return "RS256"
        return {"secp256r1": "ES256", "secp384r1": "ES384"}[self.key.curve.name]

    def jws(self, payload: object, *, header: dict[str, Any] | None = None, der: bool = False, digits: str = "") -> str:
        """A JWS over a payload (None: an empty one); `digits` are the bits of the digest when `alg` does not say them."""
        members = {"alg": self.algorithm, "x5c": self.x5c} if header is None else header
        return self.sign(_compact(members), b"" if payload is None else _compact(payload), der=der, digits=digits)

    def sign(self, header: bytes, payload: bytes, *, der: bool = False, digits: str = "") -> str:
        signed = f"{b64url(header)}.{b64url(payload)}"
        algorithm = str(json.loads(header)["alg"])
        digest = _DIGESTS[digits or algorithm[-3:]]
        return f"{signed}.{b64url(self._signature(signed.encode('ascii'), algorithm, digest, der=der))}"

    def _signature(self, signed: bytes, algorithm: str, digest: hashes.HashAlgorithm, *, der: bool) -> bytes:
        if isinstance(self.key, rsa.RSAPrivateKey):
            if algorithm.startswith("PS"):
                return self.key.sign(signed, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
            return self.key.sign(signed, padding.PKCS1v15(), digest)
        signature = self.key.sign(signed, ec.ECDSA(digest))
        if der:
            return signature
        size = (self.key.curve.key_size + 7) // 8
        return b"".join(number.to_bytes(size, "big") for number in decode_dss_signature(signature))

    def policy(self, text: str) -> str:
        """A signed policy, in the form of the JavaScript and C++ libraries (rest-api 8.2)."""
        return self.jws(policy_payload(text))

    def policy_of_python(self, text: str) -> str:
        """A signed policy, in the form of the Python library: `RSA256`, `jwk.x5c`, spaces (rest-api 8.2)."""
        header = {"alg": "RSA256", "jwk": {"x5c": self.x5c}}
        return self.sign(json.dumps(header).encode(), json.dumps(policy_payload(text)).encode())

    def reset(self) -> str:
        return self.jws(None)

    def certificate_change(self, other: PolicySigningKey, name: str = "policyCertificate") -> str:
        """What `/certificates:add` and `:remove` take (rest-api 9)."""
        return self.jws({name: other.jwk})


def make_key(kind: str = "RSA2048") -> PrivateKey:
    if kind.startswith("RSA"):
        return rsa.generate_private_key(65537, int(kind.removeprefix("RSA")))
    return ec.generate_private_key(_CURVES[kind])


def make_signer(
    name: str = "Policy signer",
    kind: str = "RSA2048",
    *,
    ca: bool | None = True,
    begin: datetime = BEGIN,
    end: datetime = END,
    parent: PolicySigningKey | None = None,
    issuer_name: str | None = None,
) -> PolicySigningKey:
    """A signer, self-signed unless it has a parent; `ca` None leaves BasicConstraints out."""
    key = make_key(kind)
    own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer = x509.load_der_x509_certificate(parent.certificates[0]).subject if parent else own
    if issuer_name is not None:
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer_name)])
    builder = x509.CertificateBuilder(issuer, own, key.public_key(), x509.random_serial_number(), begin, end)
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    certificate = builder.sign(parent.key if parent else key, hashes.SHA256())
    above = parent.certificates if parent else ()
    return PolicySigningKey(key, (certificate.public_bytes(Encoding.DER), *above))


def signed_with_sha1(one: PolicySigningKey, by: rsa.RSAPrivateKey) -> PolicySigningKey:
    """The same with its certificate signed with SHA-1, which `cryptography` makes no more."""
    with_sha256, with_sha1 = (bytes.fromhex("2a864886f70d0101" + last) for last in ("0b", "05"))
    der = one.certificates[0].replace(with_sha256, with_sha1)
    found = x509.load_der_x509_certificate(der)
    size = (by.key_size + 7) // 8
    # RFC 8017, 9.2: DigestInfo of SHA-1 behind the padding, in hand.
    digest = bytes.fromhex("3021300906052b0e03021a05000414") + hashlib.sha1(found.tbs_certificate_bytes).digest()
    padded = b"\x00\x01" + b"\xff" * (size - 3 - len(digest)) + b"\x00" + digest
    numbers = by.private_numbers()
    signature = pow(int.from_bytes(padded, "big"), numbers.d, numbers.public_numbers.n).to_bytes(size, "big")
    return PolicySigningKey(one.key, (der[:-size] + signature, *one.certificates[1:]))


@cache
def signer(name: str = "alice", kind: str = "RSA2048") -> PolicySigningKey:
    """One of a few signers that tests share: equal names are equal keys."""
    return make_signer(name, kind)

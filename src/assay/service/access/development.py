"""The service's own issuer of bearer tokens, for `--dev` only: a key and one token for each role, in files."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from assay.errors import ConfigurationError, TokenRejected
from assay.formats import base64url, strict_json
from assay.formats.key_set import IssuerKey
from assay.formats.strict_json import JsonValue
from assay.service.access.roles import EVERY_PROVIDER, Grant, Role
from assay.service.access.terms import AZURE_AUDIENCE, GrantRule, TokenTerms
from assay.service.tls import write_private

# Not an address: no issuer of a configuration can have this name, nor can a key set be fetched from it.
ISSUER: Final = "assay-development"
LIFETIME: Final = timedelta(days=30)
_KEY_FILE: Final = "issuer.key"
_ALGORITHM: Final = "ES256"
_ROLES: Final = {role: f"Attestation.{role.value.capitalize()}" for role in Role}
_TERMS: Final = TokenTerms(
    issuer=ISSUER,
    audiences=(AZURE_AUDIENCE,),
    algorithms=(_ALGORITHM,),
    rules=tuple(GrantRule("roles", name, Grant(role, EVERY_PROVIDER)) for role, name in _ROLES.items()),
)


@dataclass(frozen=True, slots=True)
class DevelopmentIssuer:
    """The public side of the development issuer: its one key, and what its tokens grant."""

    key: IssuerKey

    @property
    def terms(self) -> TokenTerms:
        return _TERMS

    @property
    def key_set_url(self) -> None:
        """Its key set is published nowhere."""
        return

    async def find(self, key_id: str) -> IssuerKey:
        """The key, when it has this `kid`; raises `TokenRejected`."""
        if key_id != self.key.key_id:
            raise TokenRejected("KeyUnknown", "the development issuer has another key now")
        return self.key


def ensure_development_tokens(directory: Path, at: datetime) -> DevelopmentIssuer:
    """Writes `reader.token`, `contributor.token` and `operator.token`, good for 30 days, and the key where missing.

    To be called once, before workers start. Raises `ConfigurationError` for a key that cannot be read.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = directory / _KEY_FILE
    if not path.exists():
        made = ec.generate_private_key(ec.SECP256R1())
        write_private(path, made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    key = _load_key(path)
    for role in Role:
        write_private(token_file(directory, role), _sign_token(key, role, at).encode("ascii"))
    return _issuer_of(key)


def load_development_issuer(directory: Path) -> DevelopmentIssuer:
    """The issuer that `ensure_development_tokens` made there, for a worker; raises `ConfigurationError`."""
    return _issuer_of(_load_key(directory / _KEY_FILE))


def token_file(directory: Path, role: Role) -> Path:
    """Where the token of a role is."""
    return directory / f"{role.value}.token"


def _load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise ConfigurationError(f"{path}: not the key of the development issuer ({error}); delete it") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ConfigurationError(f"{path}: not a P-256 key; delete it")
    return key


def _issuer_of(key: ec.EllipticCurvePrivateKey) -> DevelopmentIssuer:
    return DevelopmentIssuer(IssuerKey(_key_id(key), key.public_key(), _ALGORITHM))


def _key_id(key: ec.EllipticCurvePrivateKey) -> str:
    encoded = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64url.encode(hashlib.sha256(encoded).digest())


def _sign_token(key: ec.EllipticCurvePrivateKey, role: Role, at: datetime) -> str:
    begins = int(at.timestamp())
    header: dict[str, JsonValue] = {"alg": _ALGORITHM, "kid": _key_id(key), "typ": "at+jwt"}
    payload: dict[str, JsonValue] = {
        "aud": AZURE_AUDIENCE,
        "exp": begins + int(LIFETIME.total_seconds()),
        "iat": begins,
        "iss": ISSUER,
        "jti": secrets.token_hex(16),
        "nbf": begins,
        "roles": [_ROLES[role]],
        "sub": f"development-{role.value}",
    }
    signed = ".".join(base64url.encode(strict_json.encode_compact(part)) for part in (header, payload))
    r, s = decode_dss_signature(key.sign(signed.encode("ascii"), ec.ECDSA(SHA256())))
    # RFC 7518, 3.4: r and s of 32 octets each.
    return f"{signed}.{base64url.encode(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"

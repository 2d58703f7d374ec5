"""Signing with a key in this process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, assert_never

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from assay.store import SigningKey

_PKCS1: Final = padding.PKCS1v15()
_SHA256: Final = SHA256()
_ECDSA: Final = ec.ECDSA(SHA256())


@dataclass(frozen=True, slots=True)
class LocalSigner:
    """A `result.token.Signer` over a key of the store, as a signer of reports where it `reports`."""

    key: SigningKey
    reports: bool = False

    @property
    def key_id(self) -> str:
        return self.key.report_kid if self.reports else self.key.kid

    @property
    def algorithm(self) -> str:
        return self.key.algorithm

    @property
    def certificates(self) -> tuple[bytes, ...]:
        return self.key.report_certificates if self.reports else self.key.certificates

    def sign(self, message: bytes) -> bytes:
        """RSASSA-PKCS1-v1_5 with SHA-256, or ECDSA P-256 as `r || s` (RFC 7518, 3.3 and 3.4)."""
        match self.key.private_key:
            case rsa.RSAPrivateKey() as key:
                return key.sign(message, _PKCS1, _SHA256)
            case ec.EllipticCurvePrivateKey() as key:
                r, s = decode_dss_signature(key.sign(message, _ECDSA))
                return r.to_bytes(32, "big") + s.to_bytes(32, "big")
            case other:
                assert_never(other)

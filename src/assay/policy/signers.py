"""Certificates that may sign policies: how `x5c` is read, what a chain must be, when it is valid (rest-api 8.4, 9)."""

from __future__ import annotations

import base64
import binascii
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import rsa

from assay import limits
from assay.errors import AssayError, ChainUntrusted, InvalidOperation, OutsideValidity
from assay.pki.certificate import Certificate, parse_certificate

if TYPE_CHECKING:
    from datetime import datetime

    from assay.formats.strict_json import JsonValue

_CHECK: Final = "policy.signer"
_RSA_BITS_LEAST: Final = 2048
_WEAK_SIGNATURES: Final = frozenset({"sha1", "md5"})


def read_x5c(value: JsonValue, problem: str) -> tuple[str, ...]:
    """The certificates of an `x5c` member, each readable.

    Raises `InvalidOperation` with `problem` for another form, and `ChainUntrusted` for what is no certificate.
    """
    if not isinstance(value, list) or not 0 < len(value) <= limits.CERTIFICATES_IN_CHAIN:
        raise InvalidOperation(problem)
    chain = tuple(text for text in value if isinstance(text, str))
    if len(chain) != len(value):
        raise InvalidOperation(problem)
    for text in chain:
        read_certificate(text)
    return chain


def read_certificate(text: str) -> Certificate:
    """A certificate of `x5c`: base64, not base64url, of DER (RFC 7515, 4.1.6)."""
    try:
        return parse_certificate(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError) as error:
        raise InvalidOperation(f"x5c: not base64: {error}") from error
    except AssayError as error:
        raise _rejected(f"x5c: {error.message}") from error


def require_signer_chain(x5c: tuple[str, ...]) -> None:
    """Raises `ChainUntrusted` unless each certificate is issued by the next and the last is a CA (attack POL-05)."""
    chain = [read_certificate(text) for text in x5c]
    for certificate in chain:
        _require_strong(certificate)
    for child, parent in pairwise(chain):
        if not parent.is_ca:
            raise _no_ca(parent)
        if child.issuer != parent.subject:
            raise _rejected(f"Unable to find issuer certificate of CN={child.common_name[:80]}")
        try:
            child.parsed.verify_directly_issued_by(parent.parsed)
        except (ValueError, TypeError, InvalidSignature) as error:
            raise _rejected(f"CN={child.common_name[:80]} is not signed by the next certificate") from error
    if not chain[-1].is_ca:
        raise _no_ca(chain[-1])


def _require_strong(certificate: Certificate) -> None:
    key, name = certificate.public_key, certificate.common_name[:80]
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < _RSA_BITS_LEAST:
        raise _rejected(f"CN={name} has an RSA key of {key.key_size} bits, at least {_RSA_BITS_LEAST} are required")
    used = certificate.parsed.signature_hash_algorithm
    if used is not None and used.name in _WEAK_SIGNATURES:
        raise _rejected(f"CN={name} is signed with {used.name.upper()}, which is broken")


def require_valid(certificate: Certificate, at: datetime) -> None:
    """Raises `OutsideValidity` unless the signer's certificate is valid at a time (attack POL-01)."""
    if not certificate.not_before <= at <= certificate.not_after:
        raise OutsideValidity(
            f"the signer's certificate is valid from {certificate.not_before:%Y-%m-%d} to "
            f"{certificate.not_after:%Y-%m-%d}, not at {at:%Y-%m-%d}",
            code="PolicySignerOutsideValidity",
            check=_CHECK,
        )


def _no_ca(certificate: Certificate) -> ChainUntrusted:
    return _rejected(f"CN={certificate.common_name[:80]} is no CA: its BasicConstraints do not say CA=TRUE")


def _rejected(message: str) -> ChainUntrusted:
    return ChainUntrusted(message, code="PolicySignerRejected", check=_CHECK)

"""The identifier and the self-signed certificate of a signing key (rest-api 5.1)."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from assay.errors import ConfigurationError

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

# rest-api 5.1: the validity of every recorded certificate. RFC 5280, 4.1.2.5 wants UTCTime for the first and
# GeneralizedTime for the second, and so they are encoded; the recorded ones have GeneralizedTime for both.
_NOT_BEFORE: Final = datetime(2019, 5, 1, tzinfo=UTC)
_NOT_AFTER: Final = datetime(2050, 12, 31, 23, 59, 59, tzinfo=UTC)

# RFC 5280, appendix A.1: ub-common-name.
_COMMON_NAME: Final = 64


def key_identifier(key: PublicKey) -> str:
    """Base64 with padding of SHA-256 over the key as PEM SubjectPublicKeyInfo and one NUL octet."""
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(pem + b"\x00").digest()).decode("ascii")


def issue_certificate(key: PrivateKey, issuer: str) -> bytes:
    """The self-signed certificate in DER that names the base URL `issuer`.

    The common name is the URL. A URL longer than a common name may be is cut there, and stands whole as the URI of a
    SubjectAlternativeName. Raises `ConfigurationError` for a URL that no certificate can carry.
    """
    if not issuer or not issuer.isascii() or not issuer.isprintable():
        raise ConfigurationError(f"base URL {issuer!r}: a certificate needs ASCII; write the host in Punycode")
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer[:_COMMON_NAME])])
    public_key = key.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public_key)
        .serial_number(1)
        .not_valid_before(_NOT_BEFORE)
        .not_valid_after(_NOT_AFTER)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public_key), critical=False)
    )
    if len(issuer) > _COMMON_NAME:
        whole = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(issuer)])
        builder = builder.add_extension(whole, critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def named_issuer(certificate: x509.Certificate) -> str:
    """The base URL that a certificate of `issue_certificate` names."""
    try:
        alternative = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return str(certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
    return alternative.get_values_for_type(x509.UniformResourceIdentifier)[0]

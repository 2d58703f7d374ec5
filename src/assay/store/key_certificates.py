"""The identifier and the self-signed certificate of a signing key (rest-api 5.1)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from assay.errors import ConfigurationError
from assay.formats import base64url

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


def report_identifier(leaf: bytes) -> str:
    """The identifier of a signer of reports: base64url of the SHA-1 of its certificate (rest-api 5.1)."""
    return base64url.encode(hashlib.sha1(leaf, usedforsecurity=False).digest())


def issue_report_chain(key: PrivateKey, issuer: str) -> tuple[bytes, ...]:
    """The three certificates of a key that signs reports: of the key, of an authority, of its root (rest-api 5.1).

    The authorities' keys sign these certificates and are forgotten. Raises as `issue_certificate` does.
    """
    root, authority = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    leaf = x509.load_der_x509_certificate(issue_certificate(key, issuer))
    extensions = [extension.value for extension in leaf.extensions if not isinstance(extension.value, _REPLACED)]
    names = (leaf.subject, _own_name("Assay report signing CA"), _own_name("Assay report signing root"))
    certificates = (
        _certify(key, names[0], (authority, names[1]), (*extensions, x509.ExtendedKeyUsage([_REPORT_PURPOSE]))),
        _certify(authority, names[1], (root, names[2]), (x509.BasicConstraints(ca=True, path_length=0), _ISSUES)),
        _certify(root, names[2], (root, names[2]), (x509.BasicConstraints(ca=True, path_length=1), _ISSUES)),
    )
    return tuple(certificate.public_bytes(Encoding.DER) for certificate in certificates)


def _own_name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _certify(
    key: PrivateKey,
    subject: x509.Name,
    issuer: tuple[ec.EllipticCurvePrivateKey, x509.Name],
    extensions: Iterable[x509.ExtensionType],
) -> x509.Certificate:
    public_key = key.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[1])
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_NOT_BEFORE)
        .not_valid_after(_NOT_AFTER)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer[0].public_key()), critical=False)
    )
    for extension in extensions:
        is_critical = isinstance(extension, x509.BasicConstraints | x509.KeyUsage)
        builder = builder.add_extension(extension, critical=is_critical)
    return builder.sign(issuer[0], hashes.SHA256())


# rest-api 5.1: what the real service's signers of reports are for.
_REPORT_PURPOSE: Final = x509.ObjectIdentifier("1.3.6.1.4.1.311.76.50.3")
_REPLACED: Final = (x509.SubjectKeyIdentifier, x509.AuthorityKeyIdentifier)
_ISSUES: Final = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


def named_issuer(certificate: x509.Certificate) -> str:
    """The base URL that a certificate of `issue_certificate` names."""
    try:
        alternative = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return str(certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
    return alternative.get_values_for_type(x509.UniformResourceIdentifier)[0]

"""Certificates of the synthetic Intel, in the shape of the real ones.

Mirrored from genuine chains: subject order CN, O, L, ST, C; extensions in the order authority key identifier, CRL
distribution point, subject key identifier, key usage, basic constraints, SGX extension; the serial number of an
authority equals its key identifier.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID, ObjectIdentifier

from assay.simulator.keys import derive_key, public_point

ORGANISATION: Final = "Assay Simulator"
SGX_EXTENSION: Final = ObjectIdentifier("1.2.840.113741.1.13.1")

# The bounds of the genuine root certificate.
NOT_BEFORE: Final = datetime(2018, 5, 21, 10, 45, 10, tzinfo=UTC)
NOT_AFTER: Final = datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)

AUTHORITY_USES: Final = ("key_cert_sign", "crl_sign")
END_ENTITY_USES: Final = ("digital_signature", "content_commitment")
_USES: Final = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)

# RFC 2606: a name that never resolves, in the place of Intel's; nothing may follow it (attack case IN-07).
CRL_URL: Final = "https://simulator.invalid/IntelSGXRootCA.der"


@dataclass(frozen=True, slots=True)
class CertificateForm:
    """One certificate to be made; every field can be chosen, None means "as Intel does it".

    `key` and `signed_by` are names of keys (`simulator.keys`); `signed_by` puts another signature under the name of the
    genuine issuer. `key_identifier` replaces the identifier computed from the key.
    """

    common_name: str
    key: str
    organisation: str = ORGANISATION
    not_before: datetime = NOT_BEFORE
    not_after: datetime = NOT_AFTER
    ca: bool = False
    path_length: int | None = None
    uses: tuple[str, ...] = END_ENTITY_USES
    serial: int | None = None
    key_identifier: bytes | None = None
    crl_url: str = CRL_URL
    critical_extension: str | None = None
    sgx_extension: bytes | None = None
    signed_by: str | None = None


def key_identifier(form: CertificateForm) -> bytes:
    """The subject key identifier: SHA-1 of the public key (RFC 5280, 4.2.1.2, method 1), unless replaced."""
    if form.key_identifier is not None:
        return form.key_identifier
    return hashlib.sha1(b"\x04" + public_point(form.key)).digest()  # noqa: S324  # an identifier, not a protection


def serial_number(form: CertificateForm) -> int:
    """The serial number: the key identifier as a positive number of at most 159 bits, unless the form replaces it."""
    if form.serial is not None:
        return form.serial
    return int.from_bytes(key_identifier(form), "big") >> 1


def subject(form: CertificateForm) -> x509.Name:
    return x509.Name(
        (
            x509.NameAttribute(NameOID.COMMON_NAME, form.common_name),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, form.organisation),
            x509.NameAttribute(NameOID.LOCALITY_NAME, "Santa Clara"),
            x509.NameAttribute(NameOID.STATE_OR_PROVINCE_NAME, "CA"),
            x509.NameAttribute(NameOID.COUNTRY_NAME, "US"),
        )
    )


@lru_cache(maxsize=4096)
def mint_certificate(form: CertificateForm, issuer: CertificateForm) -> x509.Certificate:
    """The certificate of the form, issued under the issuer's name and signed by its key (or by `form.signed_by`)."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject(form))
        .issuer_name(subject(issuer))
        .public_key(derive_key(form.key).public_key())
        .serial_number(serial_number(form))
        .not_valid_before(form.not_before)
        .not_valid_after(form.not_after)
    )
    for extension, critical in _extensions(form, issuer):
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(derive_key(form.signed_by or issuer.key), hashes.SHA256(), ecdsa_deterministic=True)


def _extensions(form: CertificateForm, issuer: CertificateForm) -> tuple[tuple[x509.ExtensionType, bool], ...]:
    point = x509.DistributionPoint((x509.UniformResourceIdentifier(form.crl_url),), None, None, None)
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.AuthorityKeyIdentifier(key_identifier(issuer), None, None), False),
        (x509.CRLDistributionPoints((point,)), False),
        (x509.SubjectKeyIdentifier(key_identifier(form)), False),
        (x509.KeyUsage(**{use: use in form.uses for use in _USES}), True),
        (x509.BasicConstraints(ca=form.ca, path_length=form.path_length), True),
    ]
    if form.sgx_extension is not None:
        extensions.append((x509.UnrecognizedExtension(SGX_EXTENSION, form.sgx_extension), False))
    if form.critical_extension is not None:
        unknown = x509.UnrecognizedExtension(ObjectIdentifier(form.critical_extension), b"\x05\x00")
        extensions.append((unknown, True))
    return tuple(extensions)


@lru_cache(maxsize=4096)
def encode_pem(certificate: x509.Certificate) -> bytes:
    """The certificate as PEM with 64-character lines and a final line feed."""
    return certificate.public_bytes(Encoding.PEM)

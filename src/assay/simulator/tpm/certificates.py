"""Certificates of the synthetic TPM vendor: a root, an authority below it, and those of keys in TPMs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID, ObjectIdentifier

from assay.simulator.intel.certificates import NOT_AFTER, NOT_BEFORE, ORGANISATION
from assay.simulator.keys import derive_key

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

EK_CERTIFICATE: Final = "2.23.133.8.1"
AIK_CERTIFICATE: Final = "2.23.133.8.3"
ROOT_NAME: Final = "Assay Simulator TPM Root CA"
CA_NAME: Final = "Assay Simulator TPM CA"


@dataclass(frozen=True, slots=True)
class TpmCertificateForm:
    """A certificate of a key in a TPM; every field can be chosen. `signed_by` names the key of its authority."""

    common_name: str = "simulated.attestation.key"
    purposes: tuple[str, ...] = (AIK_CERTIFICATE,)
    not_before: datetime = NOT_BEFORE
    not_after: datetime = NOT_AFTER
    ca: bool = False
    digital_signature: bool = True
    issuer: str = CA_NAME
    signed_by: str = "tpm ca"


AIK_FORM: Final = TpmCertificateForm()
EK_FORM: Final = TpmCertificateForm("", (EK_CERTIFICATE,), digital_signature=False)


def _name(common_name: str) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANISATION)]
    if common_name:
        attributes.insert(0, x509.NameAttribute(NameOID.COMMON_NAME, common_name))
    return x509.Name(attributes)


def _builder(common_name: str, issuer: str, key: PublicKey) -> x509.CertificateBuilder:
    encoded = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    serial = int.from_bytes(hashlib.sha256(common_name.encode() + encoded).digest()[:15], "big") | 1
    return (
        x509.CertificateBuilder()
        .subject_name(_name(common_name))
        .issuer_name(_name(issuer))
        .public_key(key)
        .serial_number(serial)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _key_usage(*, signs: bool, issues: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs,
        content_commitment=False,
        key_encipherment=not signs and not issues,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=issues,
        crl_sign=issues,
        encipher_only=False,
        decipher_only=False,
    )


def mint_tpm_root() -> bytes:
    """The root of the synthetic vendor, in DER."""
    key = derive_key("tpm root")
    return _authority(ROOT_NAME, ROOT_NAME, key.public_key(), key, None)


def mint_tpm_ca(name: str = CA_NAME, key: str = "tpm ca") -> bytes:
    """The authority below the root that certifies keys, in DER."""
    return _authority(name, ROOT_NAME, derive_key(key).public_key(), derive_key("tpm root"), 0)


def _authority(
    name: str, issuer: str, key: PublicKey, signer: ec.EllipticCurvePrivateKey, path_length: int | None
) -> bytes:
    builder = (
        _builder(name, issuer, key)
        .not_valid_before(NOT_BEFORE)
        .not_valid_after(NOT_AFTER)
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(_key_usage(signs=False, issues=True), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    return _sign(builder, signer)


def mint_tpm_certificate(key: PublicKey, form: TpmCertificateForm = AIK_FORM) -> bytes:
    """The certificate of a key in a TPM, in DER."""
    signer = derive_key(form.signed_by)
    builder = (
        _builder(form.common_name, form.issuer, key)
        .not_valid_before(form.not_before)
        .not_valid_after(form.not_after)
        .add_extension(x509.BasicConstraints(ca=form.ca, path_length=None), critical=True)
        .add_extension(_key_usage(signs=form.digital_signature, issues=form.ca), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if form.purposes:
        purposes = x509.ExtendedKeyUsage([ObjectIdentifier(purpose) for purpose in form.purposes])
        builder = builder.add_extension(purposes, critical=False)
    return _sign(builder, signer)


def _sign(builder: x509.CertificateBuilder, signer: ec.EllipticCurvePrivateKey) -> bytes:
    # RFC 6979, so that the same form gives the same bytes.
    certificate = builder.sign(signer, hashes.SHA256(), ecdsa_deterministic=True)
    return certificate.public_bytes(Encoding.DER)

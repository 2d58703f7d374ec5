"""Which algorithms and keys a vendor's profile accepts; certificates are made by the library, the oracle of both."""

from __future__ import annotations

from datetime import timedelta
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512
from cryptography.hazmat.primitives.serialization import Encoding

from assay.errors import MalformedEndorsement
from assay.pki.algorithms import PSS_SHA384, read_algorithm
from assay.pki.certificate import parse_certificate
from assay.pki.chain import verify_issued
from assay.pki.profiles import AMD, INTEL, MICROSOFT, TPM_VENDORS, SigningProfile
from assay.pki.revocation import parse_revocation_list, verify_revocation_list
from assay.pki.signatures import SignatureError
from tests.appraisals import AT
from tests.shared_vectors import shared_path

_PSS48 = padding.PSS(padding.MGF1(SHA384()), 48)
_NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "authority")])


@cache
def _rsa(bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def _certificate(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, chosen: object, scheme: object = None) -> bytes:
    builder = x509.CertificateBuilder(_NAME, _NAME, key.public_key(), 7, AT, AT + timedelta(days=1))
    return builder.sign(key, chosen, rsa_padding=scheme).public_bytes(Encoding.DER)  # type: ignore[arg-type]


@cache
def _made() -> dict[str, bytes]:
    p256, p384 = ec.derive_private_key(5, ec.SECP256R1()), ec.derive_private_key(5, ec.SECP384R1())
    mixed = padding.PSS(padding.MGF1(SHA256()), 48)
    return {
        "p256-sha256": _certificate(p256, SHA256()),
        "p256-sha384": _certificate(p256, SHA384()),
        "p384-sha256": _certificate(p384, SHA256()),
        "p384-sha384": _certificate(p384, SHA384()),
        "p384-sha512": _certificate(p384, SHA512()),
        "rsa4096-pkcs1-sha256": _certificate(_rsa(4096), SHA256()),
        "rsa2048-pkcs1-sha384": _certificate(_rsa(2048), SHA384()),
        "rsa2048-pkcs1-sha512": _certificate(_rsa(2048), SHA512()),
        "rsa1024-pkcs1-sha256": _certificate(_rsa(1024), SHA256()),
        "rsa4096-pkcs1-sha384": _certificate(_rsa(4096), SHA384()),
        "rsa4096-pss-sha384-48": _certificate(_rsa(4096), SHA384(), _PSS48),
        "rsa2048-pss-sha384-48": _certificate(_rsa(2048), SHA384(), _PSS48),
        "rsa4096-pss-sha384-32": _certificate(_rsa(4096), SHA384(), padding.PSS(padding.MGF1(SHA384()), 32)),
        "rsa4096-pss-sha256-48": _certificate(_rsa(4096), SHA256(), padding.PSS(padding.MGF1(SHA256()), 48)),
        "rsa4096-pss-sha384-mgf-sha256": _certificate(_rsa(4096), SHA384(), mixed),
    }


_ELLIPTIC = {"p256-sha256", "p256-sha384", "p384-sha256", "p384-sha384"}
_PKCS1 = {"rsa4096-pkcs1-sha256", "rsa2048-pkcs1-sha384", "rsa2048-pkcs1-sha512", "rsa4096-pkcs1-sha384"}
_PSS = {"rsa4096-pss-sha384-48", "rsa2048-pss-sha384-48"}


@pytest.mark.parametrize(
    ("profile", "accepted"),
    [
        (INTEL, {"p256-sha256"}),
        (AMD, {"rsa4096-pss-sha384-48"}),
        (TPM_VENDORS, _ELLIPTIC | _PKCS1),
        (MICROSOFT, _ELLIPTIC | _PKCS1 | _PSS),
    ],
    ids=lambda value: value.name if isinstance(value, SigningProfile) else "",
)
def test_a_profile_accepts_its_own_algorithms_and_no_other(profile: SigningProfile, accepted: set[str]) -> None:
    passed = set()
    for name, der in _made().items():
        certificate = parse_certificate(der)
        try:
            verify_issued(certificate, certificate, profile)
        except SignatureError:
            continue
        passed.add(name)
    assert passed == accepted


@pytest.mark.parametrize("name", ["p384-sha384", "rsa4096-pss-sha384-48", "rsa2048-pkcs1-sha512"])
def test_a_flipped_signature_is_refused_under_every_algorithm(name: str) -> None:
    certificate = parse_certificate(_made()[name])
    flipped = parse_certificate(certificate.der[:-1] + bytes([certificate.der[-1] ^ 1]))
    for profile in (AMD, MICROSOFT):
        with pytest.raises(SignatureError):
            verify_issued(flipped, certificate, profile)


def test_the_two_algorithms_of_a_certificate_must_be_one() -> None:
    der = _made()["p384-sha384"]
    identifier = bytes.fromhex("06082a8648ce3d040303")
    other = der.rpartition(identifier)
    with pytest.raises(MalformedEndorsement, match="two different"):
        parse_certificate(other[0] + identifier[:-1] + b"\x02" + other[2])


def _identifier(parameters: str) -> bytes:
    content = bytes.fromhex("06092a864886f70d01010a" + parameters)
    return bytes([0x30, len(content)]) + content


_SHA384 = "300d06096086480165030402020500"
_BARE_SHA384 = "300b0609608648016503040202"
_MASK = "a11c301a06092a864886f70d010108" + _SHA384


@pytest.mark.parametrize(
    "parameters",
    [
        "3034" + "a00f" + _SHA384 + _MASK + "a203020130",
        "3039" + "a00f" + _SHA384 + _MASK + "a203020130" + "a303020101",
        "3030" + "a00d" + _BARE_SHA384 + "a11a301806092a864886f70d010108" + _BARE_SHA384 + "a203020130",
    ],
    ids=["with NULL", "with the trailer field", "without NULL"],
)
def test_every_right_spelling_of_the_parameters_is_read(parameters: str) -> None:
    assert read_algorithm(_identifier(parameters)) == PSS_SHA384


@pytest.mark.parametrize(
    "parameters",
    [
        "",
        "0500",
        "3000",
        "3039" + "a00f" + _SHA384 + _MASK + "a203020130" + "a303020102",
        "302f" + "a00f" + _SHA384 + _MASK,
        "303b" + "a00f" + _SHA384 + _MASK + "a203020130" + "a303020101" + "0500",
    ],
    ids=["none", "NULL", "all defaults", "another trailer", "default salt", "one field too many"],
)
def test_other_parameters_are_no_algorithm(parameters: str) -> None:
    with pytest.raises(SignatureError):
        read_algorithm(_identifier(parameters))


def test_a_serial_number_of_zero_is_amd_s_alone() -> None:
    made = parse_certificate(_made()["rsa4096-pss-sha384-48"]).der
    # The library does not make such certificates: the octet of the serial number is signed over again.
    zero = made.replace(bytes.fromhex("a003020102020107"), bytes.fromhex("a003020102020100"), 1)
    signed = parse_certificate(zero).signed
    signature = _rsa(4096).sign(signed, _PSS48, SHA384())
    certificate = parse_certificate(zero[: -len(signature)] + signature)
    assert certificate.serial == 0
    verify_issued(certificate, certificate, AMD)
    with pytest.raises(SignatureError, match="serial number zero"):
        verify_issued(certificate, certificate, MICROSOFT)


@pytest.mark.optional("shared")
@pytest.mark.parametrize(("product", "revoked"), [("milan", frozenset()), ("genoa", frozenset({0x20001}))])
def test_amd_s_lists_are_read_and_verified(product: str, revoked: frozenset[int]) -> None:
    folder = shared_path(f"evidence/roots/amd/{product}")
    root = parse_certificate((folder / "ark.der").read_bytes())
    revocation = parse_revocation_list((folder / "ark_crl.der").read_bytes(), "ARK CRL")
    assert revocation.serials == revoked
    verify_revocation_list(revocation, root, AMD)
    with pytest.raises(SignatureError):
        verify_revocation_list(revocation, parse_certificate((folder / "ask.der").read_bytes()), AMD)

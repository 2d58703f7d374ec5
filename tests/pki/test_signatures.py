"""Signatures and lists against an oracle: the library's own verification."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from assay.errors import MalformedEndorsement
from assay.formats import pem
from assay.pki.certificate import parse_certificate
from assay.pki.chain import verify_issued
from assay.pki.revocation import parse_revocation_list, verify_revocation_list
from assay.pki.signatures import P256_ORDER, SignatureError, load_p256_point, verify_p256_raw
from assay.simulator import HIERARCHY, Recipe, derive_key, simulate
from assay.simulator.keys import public_point, sign_raw
from tests.appraisals import AT

MESSAGE = b"message"
KEY = derive_key("a signer").public_key()
SIGNATURE = sign_raw("a signer", MESSAGE)
CRL = simulate(Recipe(AT)).collateral.pck_crl


def test_a_good_signature_verifies() -> None:
    verify_p256_raw(KEY, SIGNATURE, MESSAGE)


@pytest.mark.parametrize(
    "signature",
    [
        b"",
        SIGNATURE[:-1],
        SIGNATURE + b"\0",
        bytes(64),
        bytes(32) + SIGNATURE[32:],
        SIGNATURE[:32] + bytes(32),
        P256_ORDER.to_bytes(32, "big") + SIGNATURE[32:],
        SIGNATURE[:32] + P256_ORDER.to_bytes(32, "big"),
        b"\xff" * 64,
        SIGNATURE[32:] + SIGNATURE[:32],
    ],
)
def test_a_signature_out_of_its_range_or_form_is_refused(signature: bytes) -> None:
    with pytest.raises(SignatureError):
        verify_p256_raw(KEY, signature, MESSAGE)


def test_a_signature_over_another_message_is_refused() -> None:
    with pytest.raises(SignatureError):
        verify_p256_raw(KEY, SIGNATURE, MESSAGE + b".")


@pytest.mark.parametrize("point", [bytes(64), b"\xff" * 64, b"\x01" * 64, bytes(63), public_point("a")[:-1] + b"\0"])
def test_what_is_not_on_the_curve_is_no_key(point: bytes) -> None:
    with pytest.raises(SignatureError):
        load_p256_point(point)


def test_a_point_of_the_curve_is_a_key() -> None:
    assert load_p256_point(public_point("a signer")).public_numbers() == KEY.public_numbers()


def test_a_list_is_read_from_der_pem_and_hex() -> None:
    issuer = parse_certificate(HIERARCHY.pck_ca_certificate("processor").public_bytes(Encoding.DER))
    for spelling in (CRL, pem.encode(CRL, "X509 CRL"), CRL.hex().encode(), CRL.hex().upper().encode() + b"\n"):
        revocation = parse_revocation_list(spelling, "list")
        assert revocation.der == CRL
        verify_revocation_list(revocation, issuer)


def test_two_lists_in_one_text_are_refused() -> None:
    with pytest.raises(MalformedEndorsement):
        parse_revocation_list(pem.encode(CRL, "X509 CRL") * 2, "list")


def test_a_certificate_is_issued_by_its_issuer_and_by_nobody_else() -> None:
    root, authority = (
        parse_certificate(certificate.public_bytes(Encoding.DER))
        for certificate in (HIERARCHY.root_certificate(), HIERARCHY.pck_ca_certificate("platform"))
    )
    verify_issued(authority, root)
    verify_issued(root, root)
    with pytest.raises(SignatureError):
        verify_issued(root, authority)
    with pytest.raises(SignatureError):
        verify_issued(authority, authority)

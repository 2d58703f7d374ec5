"""The certificates against `cryptography`'s verification and against the shape of genuine chains."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Literal

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ObjectIdentifier

from assay.simulator import (
    HIERARCHY,
    Hierarchy,
    Machine,
    Platform,
    Recipe,
    encode_sgx_extension,
    find_knob,
    mint_pck_certificate,
    mint_pck_chain,
    simulate_sgx,
)
from tests.shared_vectors import shared_path

AT = datetime(2026, 3, 1, tzinfo=UTC)
SGX = ObjectIdentifier("1.2.840.113741.1.13.1")
RKL = "evidence/sgx-quote/sgx-rkl-confswhardening-dcapqvl"
ICX = "evidence/sgx-quote/sgx-icx-automata-onchain-2025"


def shape(encoded: bytes) -> object:
    """Tags, object identifiers and nesting of DER, values left out; independent of our encoder."""
    elements: list[object] = []
    while encoded:
        tag, length, start = encoded[0], encoded[1], 2
        if length & 0x80:
            start = 2 + (length & 0x7F)
            length = int.from_bytes(encoded[2:start], "big")
        content, encoded = encoded[start : start + length], encoded[start + length :]
        elements.append((tag, shape(content) if tag & 0x20 else content.hex() if tag == 6 else None))
    return elements


def sgx_extension(certificate: x509.Certificate) -> bytes:
    extension = certificate.extensions.get_extension_for_oid(SGX).value
    assert isinstance(extension, x509.UnrecognizedExtension)
    return extension.value


@pytest.mark.parametrize("ca", ["processor", "platform"])
def test_every_hop_of_the_chain_verifies(ca: Literal["processor", "platform"]) -> None:
    chain = x509.load_pem_x509_certificates(mint_pck_chain(Platform(ca=ca), Hierarchy()))
    assert [c.subject.rfc4514_string().rsplit("CN=", 1)[1] for c in chain] == [
        "Intel SGX PCK Certificate",
        f"Intel SGX PCK {ca.capitalize()} CA",
        "Intel SGX Root CA",
    ]
    for certificate, issuer in [*pairwise(chain), (chain[-1], chain[-1])]:
        certificate.verify_directly_issued_by(issuer)
    signing, root = x509.load_pem_x509_certificates(HIERARCHY.tcb_signing_chain())
    signing.verify_directly_issued_by(root)
    assert root == chain[-1]


def test_every_name_carries_the_simulator_as_organisation() -> None:
    for certificate in x509.load_pem_x509_certificates(mint_pck_chain(Platform(), Hierarchy())):
        for name in (certificate.subject, certificate.issuer):
            assert name.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME)[0].value == "Assay Simulator"


@pytest.mark.parametrize(("vector", "ca"), [(RKL, "processor"), (ICX, "platform")])
def test_certificates_have_the_shape_of_genuine_ones(vector: str, ca: Literal["processor", "platform"]) -> None:
    genuine = x509.load_pem_x509_certificates(shared_path(f"{vector}/pck_chain.pem").read_bytes())
    ours = x509.load_pem_x509_certificates(mint_pck_chain(Platform(ca=ca), Hierarchy()))
    genuine.append(
        x509.load_pem_x509_certificates(shared_path(f"{vector}/collateral/tcb_signing_chain.pem").read_bytes())[0]
    )
    ours.append(HIERARCHY.tcb_signing_certificate())
    for real, made in zip(genuine, ours, strict=True):
        assert [(e.oid, e.critical) for e in made.extensions] == [(e.oid, e.critical) for e in real.extensions]
        assert shape(made.public_bytes(Encoding.DER)) == shape(real.public_bytes(Encoding.DER))
        for kind in (x509.KeyUsage, x509.BasicConstraints):
            assert made.extensions.get_extension_for_class(kind) == real.extensions.get_extension_for_class(kind)


@pytest.mark.parametrize(("vector", "ca"), [(RKL, "processor"), (ICX, "platform")])
def test_the_sgx_extension_has_the_layout_of_a_genuine_one(vector: str, ca: Literal["processor", "platform"]) -> None:
    genuine = x509.load_pem_x509_certificates(shared_path(f"{vector}/pck_chain.pem").read_bytes())[0]
    assert shape(encode_sgx_extension(Platform(ca=ca))) == shape(sgx_extension(genuine))


def test_the_sgx_extension_of_a_genuine_platform_is_made_again_byte_for_byte() -> None:
    genuine = x509.load_pem_x509_certificates(shared_path(f"{RKL}/pck_chain.pem").read_bytes())[0]
    platform = Platform(
        fmspc="00a067110000",
        components=(11, 11, 2, 2, 255, 1, *(0,) * 10),
        pce_svn=13,
        ppid=bytes.fromhex("d04ec06d4e6d92dc90d0ad3cf5ee2ddf"),
    )
    assert encode_sgx_extension(platform) == sgx_extension(genuine)


def test_platforms_of_different_names_have_different_certificates() -> None:
    one, two = (mint_pck_certificate(Platform(name=name), Hierarchy()) for name in ("one", "two"))
    assert one.serial_number != two.serial_number
    assert one.public_key() != two.public_key()
    assert sgx_extension(one) != sgx_extension(two)


def test_a_forged_hierarchy_has_the_same_names_under_another_key() -> None:
    forged = find_knob("forged-pki-same-identifiers").turn(Recipe(AT)).machine.hierarchy
    genuine, other = HIERARCHY.root_certificate(), forged.root_certificate()
    other.verify_directly_issued_by(other)
    assert other.subject == genuine.subject
    assert other.public_key() != genuine.public_key()
    assert (
        other.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        == genuine.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    )


def test_the_pinned_root_is_the_genuine_one_even_for_a_forged_hierarchy() -> None:
    forged = find_knob("forged-pki").apply(Recipe(AT))
    assert forged.root == HIERARCHY.root_certificate().public_bytes(Encoding.DER) == simulate_sgx(AT).root


def test_a_template_keeps_what_the_caller_chose() -> None:
    template = replace(Platform().certificate, serial=77, key="chosen key")
    certificate = mint_pck_certificate(Machine(Platform(certificate=template)).platform, Hierarchy())
    assert certificate.serial_number == 77

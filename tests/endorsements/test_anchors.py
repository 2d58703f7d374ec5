"""Trust anchors: vendor roots pinned by name and key."""

from __future__ import annotations

import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from assay.endorsements.anchors import SIMULATOR_ROOTS, VENDOR_ROOTS, trust_anchors
from assay.pki.certificate import parse_certificate
from assay.simulator import HIERARCHY, forge_hierarchy
from tests.shared_vectors import shared_path


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


@pytest.mark.optional("shared")
@pytest.mark.parametrize("name", ["sgx_root_ca_2033.der", "sgx_root_ca_2049.der"])
def test_both_certificates_of_intels_root_have_the_pinned_key(name: str) -> None:
    content = shared_path(f"evidence/roots/intel/{name}").read_bytes()
    key = x509.load_der_x509_certificate(content).public_key()
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert hashlib.sha256(spki).hexdigest() == VENDOR_ROOTS[0].key_sha256
    assert trust_anchors().find(parse_certificate(content)) is VENDOR_ROOTS[0]


@pytest.mark.optional("shared")
def test_the_root_of_pre_production_platforms_is_not_found() -> None:
    content = shared_path("evidence/roots/intel/untrusted_preproduction_root.der").read_bytes()
    root = parse_certificate(content)
    assert root.common_name == VENDOR_ROOTS[0].name
    assert trust_anchors().find(root) is None


def test_a_forged_root_with_the_same_name_is_not_found() -> None:
    forged = parse_certificate(der(forge_hierarchy().root_certificate()))
    assert forged.common_name == VENDOR_ROOTS[0].name
    assert trust_anchors(allow_simulator=True).find(forged) is None


def test_the_root_of_the_simulator_is_found_in_development_only() -> None:
    root = parse_certificate(der(HIERARCHY.root_certificate()))
    assert trust_anchors(allow_simulator=True).find(root) is SIMULATOR_ROOTS[0]
    assert trust_anchors().find(root) is None


def test_a_pinned_key_under_another_name_is_not_found() -> None:
    authority = parse_certificate(der(HIERARCHY.pck_ca_certificate("processor")))
    anchors = trust_anchors([authority], allow_simulator=True)
    root = parse_certificate(der(HIERARCHY.root_certificate()))
    assert anchors.find(authority) is not None
    assert anchors.find(root) is SIMULATOR_ROOTS[0]
    assert {anchor.name for anchor in anchors.anchors if not anchor.name.startswith("ARK-")} == {
        authority.common_name,
        root.common_name,
    }

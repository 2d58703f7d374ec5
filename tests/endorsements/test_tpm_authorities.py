"""Authorities over TPM keys that come with the package: what they are, and whom they lead to."""

from __future__ import annotations

import pytest

from assay.collateral.trust_directory import read_anchors
from assay.endorsements.anchors import SIMULATOR_ORGANISATION, SIMULATOR_TPM_ROOT, trust_anchors
from assay.endorsements.tpm.authorities import PACKAGED_AUTHORITIES
from assay.endorsements.tpm.chain import ATTESTATION_KEY_PURPOSES, ChainError, build_chain
from assay.errors import MalformedEndorsement
from assay.formats import pem
from assay.pki.certificate import parse_certificate
from assay.simulator.rsa_keys import derive_rsa_key
from assay.simulator.tpm.certificates import mint_tpm_ca, mint_tpm_certificate, mint_tpm_root
from tests.shared_vectors import shared_path

PRODUCTION, DEVELOPMENT = trust_anchors(), trust_anchors(allow_simulator=True)


def lead(leaf, anchors):
    return build_chain(leaf, PACKAGED_AUTHORITIES, anchors, ATTESTATION_KEY_PURPOSES)


def test_the_package_holds_the_simulators_authorities_only():
    assert {one.organisation for one in PACKAGED_AUTHORITIES} == {SIMULATOR_ORGANISATION}
    assert {one.der for one in PACKAGED_AUTHORITIES} == {mint_tpm_root(), mint_tpm_ca()}


def test_the_simulators_root_is_pinned_in_development_only():
    (root,) = (one for one in PACKAGED_AUTHORITIES if one.subject == one.issuer)
    assert PRODUCTION.find_tpm_root(root) is None
    assert DEVELOPMENT.find_tpm_root(root) is SIMULATOR_TPM_ROOT


def test_no_packaged_root_is_believed_for_another_vendors_chains():
    assert all(DEVELOPMENT.find(one) is None for one in PACKAGED_AUTHORITIES)


def test_a_simulated_key_is_believed_in_development_only():
    leaf = parse_certificate(mint_tpm_certificate(derive_rsa_key("tpm ak").public_key()))
    assert lead(leaf, DEVELOPMENT).anchor.simulated
    with pytest.raises(ChainError):
        lead(leaf, PRODUCTION)


def test_a_real_key_that_came_alone_leads_to_its_root_by_the_operators_certificates():
    content = shared_path("evidence/cvm-tdx/cvm-tdx-90c06f-attestedtls/ak_certificates.pem").read_bytes()
    leaf = parse_certificate(pem.decode_certificates(content, "chain", MalformedEndorsement)[0])
    with pytest.raises(ChainError):
        lead(leaf, PRODUCTION)
    chain = lead(leaf, read_anchors([shared_path("evidence/roots/azure-vtpm")], allow_simulator=False))
    assert [one.common_name for one in chain.path[1:]] == [
        "Global Virtual TPM CA - 03",
        "Azure Virtual TPM Root Certificate Authority 2023",
    ]

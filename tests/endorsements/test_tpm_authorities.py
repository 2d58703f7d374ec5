"""Authorities over TPM keys that come with the package: what they are, and whom they lead to."""

from __future__ import annotations

import hashlib
import re
from importlib.resources import files

import pytest

from assay.endorsements.anchors import SIMULATOR_TPM_ROOT, trust_anchors
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


def test_the_readme_states_the_digests_of_the_vendors_files():
    text = (files("assay.endorsements.tpm") / "certificates" / "README.md").read_text(encoding="utf-8")
    stated = re.findall(r"^\| `\S+\.pem` .* `([0-9a-f]{64})` \|$", text, re.MULTILINE)
    genuine = [one for one in PACKAGED_AUTHORITIES if "Simulator" not in one.organisation]
    assert sorted(stated) == sorted(hashlib.sha256(one.der).hexdigest() for one in genuine)
    assert len(stated) == 3


def test_the_packaged_roots_are_pinned_in_production_but_for_the_simulators():
    roots = [one for one in PACKAGED_AUTHORITIES if one.subject == one.issuer]
    assert [PRODUCTION.find_tpm_root(one) is not None for one in roots] == [True, True, False]
    assert DEVELOPMENT.find_tpm_root(roots[2]) is SIMULATOR_TPM_ROOT


def test_no_packaged_root_is_believed_for_another_vendors_chains():
    assert all(DEVELOPMENT.find(one) is None for one in PACKAGED_AUTHORITIES)


def test_the_simulators_authorities_are_those_that_it_mints():
    held = {one.der for one in PACKAGED_AUTHORITIES}
    assert {mint_tpm_root(), mint_tpm_ca()} <= held


def test_a_simulated_key_is_believed_in_development_only():
    leaf = parse_certificate(mint_tpm_certificate(derive_rsa_key("tpm ak").public_key()))
    assert lead(leaf, DEVELOPMENT).anchor.simulated
    with pytest.raises(ChainError):
        lead(leaf, PRODUCTION)


def test_a_real_key_that_came_alone_leads_to_its_root():
    content = shared_path("evidence/cvm-tdx/cvm-tdx-90c06f-attestedtls/ak_certificates.pem").read_bytes()
    chain = lead(parse_certificate(pem.decode_certificates(content, "chain", MalformedEndorsement)[0]), PRODUCTION)
    assert [one.common_name for one in chain.path[1:]] == [
        "Global Virtual TPM CA - 03",
        "Azure Virtual TPM Root Certificate Authority 2023",
    ]

"""Paths of certificates of keys in TPMs: to a pinned root, by the rules, or none."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from assay.collateral.trust_directory import read_anchors
from assay.endorsements.anchors import SIMULATOR_TPM_ROOT, TrustAnchors, trust_anchors
from assay.endorsements.tpm.chain import (
    ATTESTATION_KEY_PURPOSES,
    EK_CERTIFICATE,
    ChainError,
    TpmChain,
    attestation_key_problem,
    build_chain,
    leaf_problem,
)
from assay.errors import ConfigurationError
from assay.pki.certificate import Certificate, parse_certificate
from assay.simulator import HIERARCHY
from assay.simulator.intel.certificates import encode_pem
from assay.simulator.rsa_keys import derive_rsa_key
from assay.simulator.tpm.certificates import (
    AIK_FORM,
    EK_FORM,
    TpmCertificateForm,
    mint_tpm_ca,
    mint_tpm_certificate,
    mint_tpm_root,
)
from tests.shared_vectors import shared_path

if TYPE_CHECKING:
    from pathlib import Path

KEY = derive_rsa_key("tpm ak").public_key()
CA, ROOT = parse_certificate(mint_tpm_ca()), parse_certificate(mint_tpm_root())
SIMULATED = trust_anchors(allow_simulator=True)


def leaf(form: TpmCertificateForm = AIK_FORM) -> Certificate:
    return parse_certificate(mint_tpm_certificate(KEY, form))


def chain(
    certificate: Certificate, *brought: Certificate, anchors: TrustAnchors = SIMULATED, purpose: str = ""
) -> TpmChain:
    return build_chain(certificate, brought, anchors, (purpose,) if purpose else ATTESTATION_KEY_PURPOSES)


def test_a_certificate_reaches_the_pinned_root() -> None:
    found = chain(leaf(), ROOT, CA)
    assert [certificate.common_name for certificate in found.path] == [
        "simulated.attestation.key",
        "Assay Simulator TPM CA",
        "Assay Simulator TPM Root CA",
    ]
    assert found.anchor is SIMULATOR_TPM_ROOT
    assert attestation_key_problem(found.path[0]) is None


def test_production_does_not_believe_the_synthetic_vendor() -> None:
    with pytest.raises(ChainError):
        chain(leaf(), CA, ROOT, anchors=trust_anchors())


def test_authorities_of_the_trust_directory_complete_a_path(tmp_path: Path) -> None:
    (tmp_path / "ca.der").write_bytes(CA.der)
    (tmp_path / "root.der").write_bytes(ROOT.der)
    found = chain(leaf(), anchors=read_anchors([tmp_path], allow_simulator=True))
    assert found.anchor.simulated
    with pytest.raises(ConfigurationError):
        read_anchors([tmp_path], allow_simulator=False)


def test_a_pinned_leaf_is_its_own_anchor_and_no_other_leaf_is(tmp_path: Path) -> None:
    (tmp_path / "aik.der").write_bytes(leaf().der)
    anchors = read_anchors([tmp_path], allow_simulator=True)
    found = chain(leaf(), anchors=anchors)
    assert found.path == (leaf(),)
    assert found.anchor.simulated
    with pytest.raises(ChainError):
        chain(leaf(replace(AIK_FORM, common_name="another")), anchors=anchors)


def test_a_certificate_of_another_kind_is_not_pinned(tmp_path: Path) -> None:
    (tmp_path / "leaf.pem").write_bytes(encode_pem(HIERARCHY.tcb_signing_certificate()))
    with pytest.raises(ConfigurationError, match="no self-issued certificate"):
        read_anchors([tmp_path], allow_simulator=True)


def test_tpm_11_a_self_made_root_with_the_vendors_name_is_not_believed() -> None:
    forged = parse_certificate(mint_tpm_ca("Assay Simulator TPM Root CA", "forger"))
    certificate = leaf(replace(AIK_FORM, issuer="Assay Simulator TPM Root CA", signed_by="forger"))
    with pytest.raises(ChainError):
        chain(certificate, forged)


def test_a_root_of_processors_does_not_vouch_for_a_tpm() -> None:
    root = parse_certificate(HIERARCHY.root_certificate().public_bytes(Encoding.DER))
    assert SIMULATED.find(root) is not None
    assert SIMULATED.find_tpm_root(root) is None
    assert SIMULATED.find(ROOT) is None


@pytest.mark.parametrize(
    ("form", "why"),
    [
        (replace(AIK_FORM, signed_by="forger"), "no trusted root"),
        (replace(AIK_FORM, issuer="Nobody"), "no trusted root"),
    ],
)
def test_a_certificate_that_the_authority_did_not_sign_has_no_path(form: TpmCertificateForm, why: str) -> None:
    with pytest.raises(ChainError, match=why):
        chain(leaf(form), CA, ROOT)


def test_an_attestation_key_may_not_issue() -> None:
    issuer = leaf()
    below = leaf(TpmCertificateForm("below", issuer="simulated.attestation.key", signed_by="tpm ca"))
    with pytest.raises(ChainError):
        chain(below, issuer, CA, ROOT)


@pytest.mark.parametrize(
    ("form", "why"),
    [
        (replace(AIK_FORM, purposes=()), "absent"),
        (replace(AIK_FORM, purposes=(EK_CERTIFICATE,)), "extended key usage"),
        (replace(AIK_FORM, ca=True), "authority"),
        (replace(AIK_FORM, digital_signature=False), "digitalSignature"),
    ],
)
def test_a_certificate_of_another_profile_is_none_of_an_attestation_key(form: TpmCertificateForm, why: str) -> None:
    problem = attestation_key_problem(leaf(form))
    assert problem is not None
    assert why in problem


def test_an_endorsement_key_has_its_own_purpose() -> None:
    certificate = leaf(EK_FORM)
    assert leaf_problem(certificate, (EK_CERTIFICATE,)) is None
    assert chain(certificate, CA, ROOT, purpose=EK_CERTIFICATE).anchor is SIMULATOR_TPM_ROOT


def test_the_window_of_a_path_is_that_of_its_shortest_lived_certificate() -> None:
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    window = chain(leaf(replace(AIK_FORM, not_before=start, not_after=end)), CA, ROOT).window
    assert (window.start, window.end) == (start, end)


@pytest.mark.optional("shared")
def test_the_roots_of_azures_virtual_tpms_are_pinned() -> None:
    folder = shared_path("evidence/roots/azure-vtpm")
    root = parse_certificate((folder / "azure_tpm_root_2023.der").read_bytes())
    assert trust_anchors().find_tpm_root(root) is not None
    issuing = parse_certificate((folder / "azure_tpm_intermediate_03.der").read_bytes())
    found = build_chain(issuing, (root,), trust_anchors(), ATTESTATION_KEY_PURPOSES)
    assert found.anchor.name == "Azure Virtual TPM Root Certificate Authority 2023"


@pytest.mark.optional("shared")
def test_a_real_attestation_key_of_azure_is_believed_only_where_it_is_pinned() -> None:
    path = shared_path("evidence/azureguest/azureguest-trustedlaunch-linux-v1/aik_certificate.der")
    certificate = parse_certificate(path.read_bytes())
    assert attestation_key_problem(certificate) is None
    with pytest.raises(ChainError):
        chain(certificate, anchors=trust_anchors())
    assert chain(certificate, anchors=read_anchors([path], allow_simulator=False)).path == (certificate,)

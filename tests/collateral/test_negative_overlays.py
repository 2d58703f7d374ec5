"""Genuine evidence with one endorsement replaced: the directory hands over what is wrong, and verification names it."""

from __future__ import annotations

import json
import shutil
from datetime import datetime
from pathlib import Path

import pytest

from assay.collateral import DirectorySource
from assay.endorsements.anchors import trust_anchors
from assay.errors import AssayError, EndorsementUnavailable, VerificationFailed
from assay.evidence.base import Grounds, Submission
from assay.evidence.sgx_enclave import SGX_ENCLAVE
from assay.simulator import KNOBS, Recipe, find_knob, simulate
from tests.collateral.intel import ANCHORS, AT
from tests.shared_vectors import shared_path

GENUINE = trust_anchors()


def verify(quote: bytes, directory: DirectorySource, at: datetime) -> None:
    submission = Submission(quote)
    evidence = SGX_ENCLAVE.parse(submission)
    anchors = GENUINE if directory._anchors is GENUINE else ANCHORS
    needs = SGX_ENCLAVE.needs(evidence, Grounds(at, anchors))
    SGX_ENCLAVE.verify(evidence, submission, Grounds(at, anchors, directory.endorsements(needs, at)))


@pytest.mark.parametrize(
    ("name", "check"),
    [
        ("neg-sgx-pck-crl-other-ca", "pck_crl.issuer"),
        ("neg-sgx-qe-identity-edited", "qe_identity.signature"),
        ("neg-sgx-qe-identity-wrong-enclave", "qe_identity.tee"),
        ("neg-sgx-root-crl-flipped", "root_crl.signature"),
        ("neg-sgx-tcb-info-forged-signer", "tcb_info_chain.trust"),
        ("neg-sgx-tcb-info-other-fmspc", "tcb_info.platform"),
        ("neg-sgx-tcb-info-reserialized", "tcb_info.signature"),
        ("neg-sgx-tcb-info-signature-flipped", "tcb_info.signature"),
        ("neg-sgx-tcb-info-status-edited", "tcb_info.signature"),
        ("neg-sgx-collateral-expired", ".validity"),
        ("neg-sgx-collateral-not-yet-valid", ".validity"),
    ],
)
def test_a_negative_overlay_fails_at_its_step(tmp_path: Path, name, check):
    overlay = shared_path(f"evidence/negative/{name}")
    meta = json.loads((overlay / "meta.json").read_text())
    base = shared_path(f"evidence/{meta['base']['kind']}/{meta['base']['id']}")
    shutil.copytree(base, tmp_path / "case")
    shutil.copytree(overlay, tmp_path / "case", dirs_exist_ok=True)
    directory = DirectorySource((tmp_path / "case",), GENUINE)
    at = datetime.fromisoformat(meta["verify_at"]["suggested"])
    with pytest.raises(VerificationFailed) as refusal:
        verify((tmp_path / "case" / "quote.bin").read_bytes(), directory, at)
    assert refusal.value.check.endswith(check)


COLLATERAL_KNOBS = [
    knob.name
    for knob in KNOBS
    if not (knob.enveloped or knob.rule or knob.status or knob.name.startswith("runtime-data"))
]


@pytest.mark.parametrize("name", COLLATERAL_KNOBS)
def test_what_the_simulator_breaks_is_refused_from_a_directory_too(tmp_path: Path, name):
    simulated = find_knob(name).apply(Recipe(AT))
    simulated.write(tmp_path)
    with pytest.raises(AssayError) as refusal:
        verify(simulated.quote, DirectorySource((tmp_path,), ANCHORS), AT)
    # Every one is decided: nothing that the directory holds counts as missing.
    assert not isinstance(refusal.value, EndorsementUnavailable)


def test_what_the_simulator_makes_is_accepted_from_a_directory(tmp_path: Path):
    simulated = simulate(Recipe(AT))
    simulated.write(tmp_path)
    verify(simulated.quote, DirectorySource((tmp_path,), ANCHORS), AT)

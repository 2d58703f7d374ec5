"""Genuine evidence of confidential containers, and what was damaged of it, judged as its meta files say."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from assay.appraise import appraise, needs_of
from assay.collateral.directory import DirectorySource
from assay.endorsements.anchors import TrustAnchors
from assay.errors import EndorsementUnavailable, VerificationFailed
from assay.evidence.base import Grounds, HeldData, HeldDataType, Submission
from assay.evidence.sev_snp_vm import SEV_SNP_VM
from assay.policy import draft_policy
from assay.result.attestation import AttestationResult
from tests.shared_vectors import SHARED

ACI = SHARED / "evidence/aci"
NEGATIVE = SHARED / "evidence/negative"
POLICY = draft_policy(SEV_SNP_VM.default_policy or "")
RUNTIME = ("runtime_data.public_key.pem", "runtime_data.json", "runtime_data.bin")
FAILING = {
    "host_data = SHA-256(policy)": "init_time_data.binding",
    "report_data = SHA-256(runtime data)": "runtime_data.binding",
    "did:x509 CA fingerprint": "uvm.issuer",
    "UVM launch measurement match": "uvm.measurement",
    "UVM COSE signature": "uvm.signature",
}


@dataclass(frozen=True)
class Vector:
    """A folder, and for a negative the folder whose files it replaces."""

    folder: Path
    base: Path | None = None

    @property
    def meta(self) -> dict[str, Any]:
        return json.loads((self.folder / "meta.json").read_text(encoding="utf-8"))

    def read(self, *names: str) -> bytes | None:
        folders = [folder for folder in (self.folder, self.base) if folder is not None]
        return next((p.read_bytes() for n in names for f in folders if (p := f / n).is_file()), None)

    def appraise(self, tmp_path: Path, *, tolerant: bool = True) -> AttestationResult:
        """The report under the documents of the folder and its base, as `assay verify` reads them."""
        for name in ("platform_certificates.pem", "uvm_endorsements.cose"):
            content = self.read(name)
            if content is not None:
                (tmp_path / name).write_bytes(content)
        report = self.read("report.bin")
        assert report is not None
        submission = Submission(report, _held(self.read(*RUNTIME)), _held(self.read("cce_policy.rego")))
        evidence = SEV_SNP_VM.parse(submission)
        grounds = Grounds(
            datetime.fromisoformat(self.meta["verify_at"]["suggested"]), TrustAnchors(), unsafe_no_revocation=tolerant
        )
        needs = needs_of(SEV_SNP_VM, evidence, grounds)
        source = DirectorySource((tmp_path,), grounds.anchors)
        full = Grounds(
            grounds.at, grounds.anchors, source.endorsements(needs, grounds.at), unsafe_no_revocation=tolerant
        )
        return appraise(SEV_SNP_VM, evidence, submission, full, POLICY)


def _held(content: bytes | None) -> HeldData | None:
    return None if content is None else HeldData(content, HeldDataType.BINARY, None)


def genuine() -> list[Any]:
    folders = [
        path.parent for path in sorted(ACI.glob("*/report.bin")) if (path.parent / "uvm_endorsements.cose").is_file()
    ]
    skip = pytest.mark.skip(reason="the shared vectors are not here: evidence/aci")
    return [pytest.param(folder, id=folder.name) for folder in folders] or [pytest.param(None, marks=skip)]


def damaged() -> list[Any]:
    skip = pytest.mark.skip(reason="the shared vectors are not here: evidence/negative")
    folders = sorted(NEGATIVE.glob("neg-aci-*"))
    return [pytest.param(folder, id=folder.name) for folder in folders] or [pytest.param(None, marks=skip)]


@pytest.mark.parametrize("folder", genuine())
def test_genuine_evidence_is_accepted_without_its_revocation_list_only_by_the_unsafe_option(
    folder: Path, tmp_path: Path
) -> None:
    vector = Vector(folder)
    assert vector.meta["expected"]["verdict"] == "valid"
    result = vector.appraise(tmp_path)
    members = result.statement.members
    assert members["x-ms-compliance-status"] == "azure-compliant-uvm"
    assert members["x-ms-sevsnpvm-hostdata"] == vector.meta["fields"]["host_data"]
    policy = vector.read("cce_policy.rego")
    if policy is not None:
        assert members["x-ms-sevsnpvm-hostdata"] == hashlib.sha256(policy).hexdigest()
    with pytest.raises(EndorsementUnavailable, match="revocation list of the ARK"):
        vector.appraise(tmp_path, tolerant=False)


@pytest.mark.parametrize("folder", damaged())
def test_damaged_evidence_is_refused_at_the_step_that_was_damaged(folder: Path, tmp_path: Path) -> None:
    """Attack cases AZ-08, AZ-09, AZ-10 and SNP-20's class."""
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    vector = Vector(folder, SHARED / "evidence" / meta["base"]["kind"] / meta["base"]["id"])
    with pytest.raises(VerificationFailed) as caught:
        vector.appraise(tmp_path)
    assert caught.value.check == FAILING[meta["expected"]["failing_step"]]

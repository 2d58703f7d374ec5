"""Confidential VMs and containers under AMD SEV-SNP: the attestation report of the secure processor."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from assay.evidence._snp.claims import ATTESTATION_TYPE
from assay.evidence.base import EvidenceType, Profile
from assay.evidence.sev_snp_vm.claims import sev_snp_vm_claims
from assay.evidence.sev_snp_vm.report import SevSnpVmEvidence, decode_sev_snp_vm, parse_sev_snp_vm
from assay.evidence.sev_snp_vm.verify import SEV_SNP_VM_CHECKS, VerifiedSevSnpVm, needs_of, verify_sev_snp_vm

SEV_SNP_VM: Final[EvidenceType[SevSnpVmEvidence, VerifiedSevSnpVm]] = EvidenceType(
    name="SevSnpVm",
    path="SevSnpVm",
    member="report",
    summary="an AMD SEV-SNP attestation report (versions 2 to 5)",
    default_policy=(files(__package__) / "default.policy").read_text(encoding="utf-8"),
    profile=Profile(ATTESTATION_TYPE),
    checks=SEV_SNP_VM_CHECKS,
    decode=decode_sev_snp_vm,
    parse=lambda submission: parse_sev_snp_vm(submission.evidence),
    needs=needs_of,
    verify=verify_sev_snp_vm,
    claims=sev_snp_vm_claims,
    policy_type=lambda _evidence: "SevSnpVm",
)

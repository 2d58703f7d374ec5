"""VBS enclaves: the report of Windows' secure kernel, bound to the attestation of its machine's TPM."""

from __future__ import annotations

from typing import Final

from assay.errors import UnsupportedEvidence
from assay.evidence.base import EvidenceType, Profile, Submission
from assay.evidence.tpm import TPM_EVIDENCE
from assay.evidence.tpm.envelope import answer_report, decode_envelope, enclose
from assay.evidence.tpm.request import is_enclave_request, parse_request
from assay.evidence.vbs_enclave.claims import VBS, vbs_claims
from assay.evidence.vbs_enclave.report import parse_vbs_report
from assay.evidence.vbs_enclave.verify import VBS_CHECKS, VbsEvidence, VerifiedVbsEnclave, verify_vbs_enclave


def _parse(submission: Submission) -> VbsEvidence:
    request = parse_request(submission)
    if not request.is_enclave:
        raise UnsupportedEvidence("attestation request", "it is no enclave's", code="NoEnclaveRequest")
    return VbsEvidence(request, parse_vbs_report(request.enclave_report))


VBS_ENCLAVE: Final[EvidenceType[VbsEvidence, VerifiedVbsEnclave]] = EvidenceType(
    name="VbsEnclave",
    path=None,
    member="data",
    summary="a VBS enclave's report with the attestation of its machine's TPM",
    default_policy=None,
    profile=Profile(VBS, doubled_claims=False, is_report=True),
    checks=VBS_CHECKS,
    decode=decode_envelope,
    parse=_parse,
    needs=lambda _evidence, _grounds: (),
    verify=verify_vbs_enclave,
    claims=vbs_claims,
    policy_type=lambda _evidence: "VbsEnclave",
    answer=answer_report,
    session=lambda evidence: evidence.request.service_context,
    enclose=enclose,
    carrier=TPM_EVIDENCE.name,
    recognises=is_enclave_request,
)

"""TPMs: the two-round protocol of `/attest/Tpm`, quotes over PCRs, logs of measured boots."""

from __future__ import annotations

from typing import Final

from assay import limits
from assay.errors import UnsupportedEvidence
from assay.evidence.base import EvidenceType, Profile, Submission
from assay.evidence.tpm.claims import TPM, tpm_claims
from assay.evidence.tpm.envelope import answer_report, begin, decode_envelope, enclose
from assay.evidence.tpm.request import TpmRequest, parse_request
from assay.evidence.tpm.verify import TPM_CHECKS, VerifiedTpm, needs_of, verify_request

REPORT_PROFILE: Final = Profile(TPM, doubled_claims=False, is_report=True)


def _parse(submission: Submission) -> TpmRequest:
    request = parse_request(submission)
    if request.is_enclave:
        raise UnsupportedEvidence("attestation request", "it is an enclave's", code="EnclaveRequest")
    return request


TPM_EVIDENCE: Final[EvidenceType[TpmRequest, VerifiedTpm]] = EvidenceType(
    name="Tpm",
    path="Tpm",
    member="data",
    summary="a TPM's quote with the log of its boot, as a signed request",
    default_policy=None,
    profile=REPORT_PROFILE,
    checks=TPM_CHECKS,
    decode=decode_envelope,
    parse=_parse,
    needs=needs_of,
    verify=verify_request,
    claims=tpm_claims,
    policy_type=lambda _request: "Tpm",
    answer=answer_report,
    begin=begin,
    session=lambda request: request.service_context,
    enclose=enclose,
    is_authenticated=True,
    body_limit=limits.GUEST_REQUEST_BODY,
)

"""Open Enclave: an SGX quote in the envelope of the Open Enclave SDK, a near relative of SGX."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from assay.evidence.base import EvidenceType, Submission
from assay.evidence.held_data import decode_submission
from assay.evidence.open_enclave.report import OpenEnclaveReport, parse_open_enclave
from assay.evidence.open_enclave.verify import OPEN_ENCLAVE_CHECKS, needs_of, verify_open_enclave
from assay.evidence.sgx_enclave import SGX_ENCLAVE
from assay.evidence.sgx_enclave.verify import VerifiedSgxQuote


def _parse(submission: Submission) -> OpenEnclaveReport:
    return parse_open_enclave(submission.evidence)


OPEN_ENCLAVE: Final[EvidenceType[OpenEnclaveReport, VerifiedSgxQuote]] = EvidenceType(
    name="OpenEnclave",
    path="OpenEnclave",
    member="report",
    summary="an Open Enclave report or evidence around an SGX quote",
    default_policy=(files(__package__) / "default.policy").read_text(encoding="utf-8"),
    profile=SGX_ENCLAVE.profile,
    checks=OPEN_ENCLAVE_CHECKS,
    decode=lambda members: decode_submission(members, "report"),
    parse=_parse,
    needs=needs_of,
    verify=verify_open_enclave,
    claims=SGX_ENCLAVE.claims,
    policy_type=lambda _report: "OpenEnclave",
)

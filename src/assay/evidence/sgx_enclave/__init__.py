"""SGX enclaves: the ECDSA quote of Intel's quoting enclave."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from assay.evidence.base import EvidenceType, Profile, Submission
from assay.evidence.held_data import decode_submission
from assay.evidence.sgx_enclave.claims import ATTESTATION_TYPE, sgx_claims
from assay.evidence.sgx_enclave.quote import SgxQuote, parse_sgx_quote
from assay.evidence.sgx_enclave.verify import SGX_CHECKS, VerifiedSgxQuote, needs_of, verify_sgx_quote


def _parse(submission: Submission) -> SgxQuote:
    return parse_sgx_quote(submission.evidence)


SGX_ENCLAVE: Final[EvidenceType[SgxQuote, VerifiedSgxQuote]] = EvidenceType(
    name="SgxEnclave",
    path="SgxEnclave",
    member="quote",
    summary="an SGX enclave's ECDSA quote (version 3)",
    default_policy=(files(__package__) / "default.policy").read_text(encoding="utf-8"),
    profile=Profile(ATTESTATION_TYPE),
    checks=SGX_CHECKS,
    decode=lambda members: decode_submission(members, "quote"),
    parse=_parse,
    needs=needs_of,
    verify=verify_sgx_quote,
    claims=sgx_claims,
    policy_type=lambda _quote: "SgxEnclave",
)

"""Intel TDX trust domains: the ECDSA quote of the TD quoting enclave."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from assay.evidence.base import EvidenceType, Profile, Submission
from assay.evidence.held_data import decode_submission
from assay.evidence.tdx_vm.claims import ATTESTATION_TYPE, tdx_claims
from assay.evidence.tdx_vm.quote import TdxQuote, parse_tdx_quote
from assay.evidence.tdx_vm.verify import TDX_CHECKS, VerifiedTdxQuote, needs_of, verify_tdx_quote


def _parse(submission: Submission) -> TdxQuote:
    return parse_tdx_quote(submission.evidence)


TDX_VM: Final[EvidenceType[TdxQuote, VerifiedTdxQuote]] = EvidenceType(
    name="TdxVm",
    path="TdxVm",
    member="quote",
    summary="a trust domain's ECDSA quote (version 4 or 5)",
    default_policy=(files(__package__) / "default.policy").read_text(encoding="utf-8"),
    profile=Profile(ATTESTATION_TYPE),
    checks=TDX_CHECKS,
    decode=lambda members: decode_submission(members, "quote"),
    parse=_parse,
    needs=needs_of,
    verify=verify_tdx_quote,
    claims=tdx_claims,
    policy_type=lambda _quote: "TdxVm",
)

"""Intel TDX trust domains: the ECDSA quote of the TD quoting enclave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib.resources import files
from typing import Final

from assay.evidence.base import EvidenceType, Profile, Submission
from assay.evidence.held_data import decode_optional, decode_submission
from assay.evidence.tdx_vm.claims import ATTESTATION_TYPE, tdx_claims
from assay.evidence.tdx_vm.quote import TdxQuote, parse_tdx_quote
from assay.evidence.tdx_vm.verify import TDX_CHECKS, VerifiedTdxQuote, needs_of, verify_tdx_quote
from assay.formats.strict_json import JsonValue


def _parse(submission: Submission) -> TdxQuote:
    return parse_tdx_quote(submission.evidence, submission.event_log)


def _decode(members: Mapping[str, JsonValue]) -> Submission:
    """The body of the wire; `eventLog` is our own optional member, a CC event log in base64url."""
    return replace(decode_submission(members, "quote"), event_log=decode_optional(members, "eventLog"))


TDX_VM: Final[EvidenceType[TdxQuote, VerifiedTdxQuote]] = EvidenceType(
    name="TdxVm",
    path="TdxVm",
    member="quote",
    summary="a trust domain's ECDSA quote (version 4 or 5)",
    default_policy=(files(__package__) / "default.policy").read_text(encoding="utf-8"),
    profile=Profile(ATTESTATION_TYPE),
    checks=TDX_CHECKS,
    decode=_decode,
    parse=_parse,
    needs=needs_of,
    verify=verify_tdx_quote,
    claims=tdx_claims,
    policy_type=lambda _quote: "TdxVm",
)

"""Guests of Azure: Trusted Launch and confidential VMs, by their virtual TPM, boot log and hardware report."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from assay import limits
from assay.evidence.azure_guest.attestation_info import AttestationInfo, parse_attestation_info
from assay.evidence.azure_guest.claims import ATTESTATION_TYPE, azure_guest_claims
from assay.evidence.azure_guest.sealing import seal_token
from assay.evidence.azure_guest.verify import AZURE_GUEST_CHECKS, VerifiedGuest, needs_of, verify_guest
from assay.evidence.base import EvidenceType, Profile
from assay.evidence.held_data import decode_submission

AZURE_GUEST: Final[EvidenceType[AttestationInfo, VerifiedGuest]] = EvidenceType(
    name="AzureGuest",
    path="AzureGuest",
    member="AttestationInfo",
    summary="the request of a guest of Azure: virtual TPM, boot log, and the hardware's proof of a confidential VM",
    default_policy=(files(__package__) / "default.policy").read_text(encoding="utf-8"),
    profile=Profile(ATTESTATION_TYPE),
    checks=AZURE_GUEST_CHECKS,
    decode=lambda members: decode_submission(members, "AttestationInfo"),
    parse=lambda submission: parse_attestation_info(submission.evidence),
    needs=needs_of,
    verify=verify_guest,
    claims=azure_guest_claims,
    policy_type=lambda _info: "AzureGuest",
    answer=seal_token,
    is_json=True,
    body_limit=limits.GUEST_REQUEST_BODY,
)

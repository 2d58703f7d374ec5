"""Guests of Azure as cases: what the simulator mints, judged under the simulator's roots."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from assay.evidence.base import Submission
from assay.policy import AppraisalPolicy, stored_policy
from assay.simulator import SnpRecipe, simulate, simulate_snp, tdx_recipe
from assay.simulator.azure_guest import Guest, good_guest, mint_attestation_info
from tests.appraisals import AT, Case, documents_of, evidence_type, judge
from tests.snp_cases import snp_documents

if TYPE_CHECKING:
    from assay.endorsements.documents import Document, DocumentKind
    from assay.result.attestation import AttestationResult

PERMIT: AppraisalPolicy = stored_policy("version=1.0; authorizationrules{=> permit();}; issuancerules{};")
LINUX, WINDOWS = Guest(AT), Guest(AT, windows=True)


TDX, SNP = good_guest(AT, "Tdx"), good_guest(AT, "SevSnp")


@lru_cache(maxsize=1)
def documents() -> dict[DocumentKind, Document]:
    """What the hardware of the guests above needs."""
    return {**documents_of(simulate(tdx_recipe(AT)).collateral), **snp_documents(simulate_snp(SnpRecipe(AT)))}


def guest_case(guest: Guest) -> Case:
    return case_of(mint_attestation_info(guest))


def case_of(content: bytes) -> Case:
    return Case(evidence_type("AzureGuest"), Submission(content), documents())


def judge_guest(guest: Guest) -> AttestationResult:
    """The result under a policy that permits all."""
    return judge(guest_case(guest), policy=PERMIT)


def members_of(guest: Guest) -> dict[str, Any]:
    members = json.loads(mint_attestation_info(guest))
    assert isinstance(members, dict)
    return members

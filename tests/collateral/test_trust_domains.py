"""Documents of TDX beside those of SGX for one platform: fetched from its own addresses, and never taken for the other's."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from assay.appraise import appraise, needs_of, parse_evidence
from assay.collateral import DirectorySource
from assay.collateral.vetting import vet
from assay.endorsements.documents import DocumentKind, Need
from assay.errors import EndorsementUnavailable
from assay.evidence.base import Grounds, Submission
from assay.evidence.tdx_vm import TDX_VM
from assay.policy import stored_policy
from assay.simulator import Machine, Platform, Recipe, simulate, tdx_recipe
from tests.collateral.intel import ANCHORS, AT, IDENTITY, TCB, Answer, Intel, answers, collector, service, write

PLATFORM = Platform(name="server", ca="platform", fmspc="00806f050000")
DOMAIN = tdx_recipe(AT)
DOMAIN = replace(DOMAIN, machine=replace(DOMAIN.machine, platform=PLATFORM))
MADE, ENCLAVE = simulate(DOMAIN), simulate(Recipe(AT, machine=Machine(PLATFORM)))
TCB_INFO = Need(DocumentKind.INTEL_TCB_INFO, tee="tdx", platform=PLATFORM.fmspc)
QE_IDENTITY = Need(DocumentKind.INTEL_QE_IDENTITY, tee="tdx")
TDX_TCB, TDX_IDENTITY = TCB.replace("/sgx/", "/tdx/"), IDENTITY.replace("/sgx/", "/tdx/")


@pytest.fixture
def intel() -> Intel:
    """A service that has both TEEs' documents of the platform."""
    domain = answers(MADE.collateral)
    return Intel({**answers(ENCLAVE.collateral), TDX_TCB: domain[TCB], TDX_IDENTITY: domain[IDENTITY]})


@pytest.mark.parametrize("need", [TCB_INFO, QE_IDENTITY], ids=lambda need: need.kind.value)
def test_each_document_is_fetched_from_its_own_address(intel: Intel, need: Need) -> None:
    for tee, body in (("tdx", MADE.collateral), ("sgx", ENCLAVE.collateral)):
        document = asyncio.run(service(intel).fetch(replace(need, tee=tee)))
        vet(replace(need, tee=tee), document, ANCHORS, AT)
        assert document.body in (body.tcb_info, body.qe_identity)
        assert f"/{tee}/certification/v4/" in intel.asked[-1]


@pytest.mark.parametrize(("path", "need"), [(TDX_TCB, TCB_INFO), (TDX_IDENTITY, QE_IDENTITY)])
def test_the_other_tees_document_is_an_answer_to_another_question(intel: Intel, path: str, need: Need) -> None:
    """QV-15: genuine, of the very platform, and of the wrong TEE."""
    intel.good[path] = intel.good[path.replace("/tdx/", "/sgx/")]
    document = asyncio.run(service(intel).fetch(need))
    with pytest.raises(EndorsementUnavailable, match="another question"):
        vet(need, document, ANCHORS, AT)


def test_a_collector_keeps_both_apart(intel: Intel) -> None:
    grounds = Grounds(AT, ANCHORS)
    submission = Submission(MADE.evidence)
    evidence = parse_evidence(TDX_VM, submission)
    needs = tuple(replace(need, vouched=True) for need in needs_of(TDX_VM, evidence, grounds))
    both = (*needs, *(replace(need, tee="sgx") for need in needs if need.tee))

    async def collect():
        source = collector(intel)
        first = await source.collect(both, AT)
        second = await source.collect(needs, AT)
        return first, second

    first, second = asyncio.run(collect())
    for need in needs:
        assert first.find(need) is second.find(need)
        if need.tee:
            assert first.find(replace(need, tee="sgx")) is not first.find(need)
    result = appraise(
        TDX_VM, evidence, submission, replace(grounds, endorsements=second), stored_policy(TDX_VM.default_policy or "")
    )
    assert result.statement.members["attester_tcb_status"] == "UpToDate"
    assert intel.count(TDX_TCB) == intel.count(TCB) == 1


def test_a_directory_with_both_gives_each_its_own(tmp_path) -> None:
    write(tmp_path / "sgx", ENCLAVE.collateral)
    write(tmp_path / "tdx", MADE.collateral)
    source = DirectorySource((tmp_path,), ANCHORS)
    for need in (TCB_INFO, QE_IDENTITY):
        for tee, body in (("tdx", MADE.collateral), ("sgx", ENCLAVE.collateral)):
            asked = replace(need, tee=tee)
            document = source.endorsements((asked,), AT).find(asked)
            assert document is not None
            assert document.body in (body.tcb_info, body.qe_identity)


def test_a_platform_that_the_service_does_not_know_for_tdx_is_not_judged_by_its_sgx_documents(intel: Intel) -> None:
    intel.good[TDX_TCB] = Answer(status=404)
    with pytest.raises(EndorsementUnavailable, match="TDX TCB info"):
        asyncio.run(service(intel).fetch(TCB_INFO))

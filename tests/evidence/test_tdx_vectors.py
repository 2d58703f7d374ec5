"""Real quotes of trust domains, each judged at its time as its source states."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from assay.appraise import parse_evidence
from assay.endorsements.documents import DocumentKind
from assay.endorsements.intel.tcb import TcbStatus
from assay.errors import EndorsementUnavailable, TcbRejected
from assay.evidence.base import HeldData, HeldDataType, PlatformRules
from assay.verdict import Outcome
from tests.appraisals import (
    ANY_STATUS,
    PRODUCTION,
    Case,
    claim_values,
    evidence_type,
    failing_check,
    judge,
    read_json,
    refusal,
    tcb_status,
)
from tests.vectors import EVIDENCE, Vector, vectors

if TYPE_CHECKING:
    from assay.formats.strict_json import JsonObject
    from assay.result.attestation import AttestationResult

NO_LEVEL = "none"
# What must refuse a vector that is not valid, or that a verifier with production roots must not believe.
INVALID = {"tdx4-untrusted-root-preproduction": "pck_chain.root", "tdx4-intel-qvl-sample-testpki": "evidence.form"}
STEPS = {
    "attestation key binding (QE report data)": "qe_report.binding",
    "parsing (certification data size)": "evidence.form",
    "parsing": "evidence.form",
    # Of this set the PCK CRL is the first document that is looked at and has ended.
    "collateral validity (nextUpdate / notAfter)": "pck_crl.validity",
    "PCK chain root of trust": "pck_chain.root",
    "PCK CRL issuer": "pck_crl.issuer",
    "QE identity id": "qe_identity.tee",
    "quote signature": "quote.signature",
    "TCB info FMSPC match": "tcb_info.platform",
    "TCB info signature": "tcb_info.signature",
    "QE report signature": "qe_report.signature",
}
EVERY_QUOTE = [*vectors("tdx-quote-v4"), *vectors("tdx-quote-v5")]


def case_of(vector: Vector) -> Case:
    return vector.case("TdxVm", "quote.bin", "td_quote.bin", "quote.dat")


def stated(vector: Vector) -> str:
    """The status that the source states, else the recomputed one."""
    said = str(vector.meta["expected"].get("tcb_status", "unstated"))
    if said == "TD relaunch advised":
        return TcbStatus.TD_RELAUNCH_ADVISED.value
    return str(vector.meta["computed"]["tcb_status"]) if said == "unstated" else said


def assert_judged_as_stated(vector: Vector) -> None:
    case, status = case_of(vector), stated(vector)
    if status.startswith(NO_LEVEL):
        error, decisive = refusal(case, ANY_STATUS)
        assert (decisive.check.name, error.code) == ("tcb.level", "TcbNotSupported")
        return
    result = judge_as_possible(case)
    assert tcb_status(result) == status
    advisories = dict.fromkeys(vector.meta["computed"]["advisory_ids"])
    assert claim_values(result, "attester_advisory_ids") == list(advisories)
    assert_claims_are_the_fields(result, vector.meta["fields"]["body"])
    if TcbStatus(status) not in PlatformRules().accepted_tcb:
        assert failing_check(case) in ("tcb.status", "endorsements.available")


def judge_as_possible(case: Case) -> AttestationResult:
    """Where no revocation list for the window exists: not decided, and judged only by the unsafe option."""
    if {DocumentKind.INTEL_ROOT_CRL, DocumentKind.INTEL_PCK_CRL} <= case.documents.keys():
        return judge(case, ANY_STATUS)
    error, decisive = refusal(case, ANY_STATUS)
    assert isinstance(error, EndorsementUnavailable)
    assert (decisive.check.name, decisive.outcome) == ("endorsements.available", Outcome.MISSING)
    return judge(case, ANY_STATUS, unsafe_no_revocation=True)


def assert_claims_are_the_fields(result: AttestationResult, body: JsonObject) -> None:
    members = result.statement.members
    renamed = {"seam_attributes": "tdx_seam_attributes", "td_attributes": "tdx_td_attributes"}
    for name, value in body.items():
        claim = renamed.get(name, f"tdx_{name}")
        if name not in ("tee_tcb_svn2", "mrservicetd"):
            assert members[claim] == value, claim


@pytest.mark.parametrize("vector", EVERY_QUOTE)
def test_a_real_quote_is_judged_as_its_source_states(vector: Vector) -> None:
    expected = INVALID.get(vector.folder.name)
    if expected is not None:
        assert failing_check(case_of(vector), ANY_STATUS) == expected
        return
    assert vector.meta["expected"]["verdict"] in ("valid", "unstated")
    assert_judged_as_stated(vector)


@pytest.mark.parametrize("vector", vectors("cvm-tdx"))
def test_the_quote_of_a_confidential_machine_binds_its_runtime_claims(vector: Vector) -> None:
    case = case_of(vector)
    runtime = vector.read("runtime_data.json")
    assert runtime is not None
    held = HeldData(runtime, HeldDataType.JSON, json.loads(runtime))
    bound = replace(case, submission=replace(case.submission, runtime_data=held))
    result = judge(bound)
    assert tcb_status(result) == stated(vector)
    assert result.statement.members["x-ms-runtime"] == json.loads(runtime)
    other = replace(held, content=runtime + b" ")
    changed = replace(case, submission=replace(case.submission, runtime_data=other))
    assert failing_check(changed) == "runtime_data.binding"


@pytest.mark.parametrize(
    "vector", [*vectors("negative", base_kind="tdx-quote-v4"), *vectors("negative", base_kind="tdx-quote-v5")]
)
def test_a_real_quote_with_one_thing_changed_is_refused_at_the_stated_step(vector: Vector) -> None:
    assert failing_check(case_of(vector), ANY_STATUS) == STEPS[vector.meta["expected"]["failing_step"]]
    assert vector.base is not None
    base = Vector(vector.base, None, read_json(vector.base / "meta.json"))
    assert tcb_status(judge(case_of(base), ANY_STATUS)) == stated(base)


def named(name: str) -> Case:
    folder = EVIDENCE / ("tdx-quote-v5" if name.startswith("tdx5") else "tdx-quote-v4") / name
    if not folder.is_dir():
        pytest.skip(f"the shared vectors are not here: {name}")
    return case_of(Vector(folder, None, read_json(folder / "meta.json")))


def test_a_baseline_raises_what_is_out_of_date_from_its_date_on() -> None:
    """quote-verification 5.7: the matched date is 2023-08-09; a baseline of that instant lifts, one second later not."""
    case = named("tdx5-00806f-outofdate-oe-eval21")
    lifted = PlatformRules(tcb_baseline=datetime.fromtimestamp(1691539200, UTC))
    result = judge(case, lifted)
    assert tcb_status(result) == "UpToDate"
    assert result.statement.members["x-assay-tcb"] == {"status": "OutOfDate", "tcb_date": "2023-08-09T00:00:00Z"}
    error, decisive = refusal(case, replace(lifted, tcb_baseline=datetime.fromtimestamp(1691539201, UTC)))
    assert isinstance(error, TcbRejected)
    assert decisive.check.name == "tcb.status"


def test_a_relaunch_is_advised_only_to_whom_the_operator_lets_it() -> None:
    case = named("tdx5-90c06f-relaunch-oe")
    assert failing_check(case) == "tcb.status"
    rules = PlatformRules(frozenset({TcbStatus.TD_RELAUNCH_ADVISED}))
    assert judge(case, rules).statement.members["attester_tcb_status"] == "TDRelaunchAdvised"


def test_a_quote_of_a_trust_domain_is_refused_as_an_enclaves_and_the_reverse() -> None:
    domain = named("tdx4-b0c06f-uptodate-dcapqvl")
    enclave = evidence_type("SgxEnclave")
    with pytest.raises(Exception, match="TEE type 0x81") as caught:
        parse_evidence(enclave, domain.submission)
    assert getattr(caught.value, "code", "") == "UnsupportedTeeType"
    quote = EVIDENCE / "sgx-quote" / "sgx-rkl-confswhardening-dcapqvl" / "quote.bin"
    with pytest.raises(Exception, match="quote version 3") as caught:
        parse_evidence(evidence_type("TdxVm"), replace(domain.submission, evidence=quote.read_bytes()))
    assert getattr(caught.value, "code", "") == "UnsupportedQuoteVersion"
    assert domain.anchors is PRODUCTION

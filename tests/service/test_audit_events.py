"""What is recorded of attest decisions, made of real ones."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from assay.endorsements.documents import DocumentKind, Need
from assay.errors import AssayError, MalformedEvidence, StoreUnavailable, Unauthorized
from assay.evidence import EVIDENCE_TYPES
from assay.evidence.base import Endorsements
from assay.policy import draft_policy
from assay.service.audit_events import (
    Asked,
    Known,
    attest_operation,
    changed_event,
    issued_event,
    opening_details,
    refused_event,
)
from assay.simulator import simulate_sgx
from assay.store.audit_event import encode_record
from tests.appraisals import AT, Case, binary, default_policy, judge, simulated_case

if TYPE_CHECKING:
    from assay.result.attestation import AttestationResult
    from assay.store.audit_event import AuditEvent

ASKED = Asked("default", "AttestSgxEnclave", "00-ab-cd-00", "10.0.0.1", "joe of https://sts.example")
NEEDS = (Need(DocumentKind.INTEL_ROOT_CRL), Need(DocumentKind.INTEL_TCB_INFO, "sgx", "00906ea10000"))
NONCE = "a nonce that nobody else may learn"
HELD = b'{"key":"held data of the caller"}'


@pytest.fixture(scope="module")
def case() -> Case:
    made = simulated_case(simulate_sgx(AT, runtime_data=HELD))
    return replace(made, submission=replace(made.submission, nonce=NONCE))


def known(case: Case) -> Known:
    found = {need: case.documents[need.kind] for need in NEEDS}
    return Known(case.submission, default_policy(case.kind).identity, NEEDS, Endorsements(found))


def members(event: AuditEvent) -> dict[str, Any]:
    return json.loads(encode_record(1, event))


def refused(case: Case) -> AssayError:
    with pytest.raises(AssayError) as caught:
        judge(case)
    return caught.value


def declared_checks() -> list[str]:
    details: dict[str, Any] = opening_details()
    names: list[str] = details["checks"]["SgxEnclave"]
    return names


@pytest.fixture(scope="module")
def result(case: Case) -> AttestationResult:
    return judge(case)


def test_an_issued_token_is_recorded_with_its_digests(case: Case, result: AttestationResult):
    seen = members(issued_event(ASKED, known(case), result, "ab" * 32))
    assert {name: seen[name] for name in ("operation", "outcome", "provider", "status", "caller", "remote")} == {
        "operation": "AttestSgxEnclave",
        "outcome": "issued",
        "provider": "default",
        "status": 200,
        "caller": "joe of https://sts.example",
        "remote": "10.0.0.1",
    }
    assert seen["request"] == "00-ab-cd-00"
    assert seen["evidence"] == hashlib.sha256(case.submission.evidence).hexdigest()
    assert seen["policy"] == result.policy.hash
    assert seen["token"] == "ab" * 32
    assert seen["collateral"] == {
        "intel.root_ca_crl": hashlib.sha256(case.documents[DocumentKind.INTEL_ROOT_CRL].body).hexdigest(),
        "intel.tcb_info.sgx": hashlib.sha256(case.documents[DocumentKind.INTEL_TCB_INFO].body).hexdigest(),
    }
    assert seen["details"] == {"unsafe": ["simulator"]}


def test_the_verdict_counts_along_the_checks_of_the_opening(case: Case, result: AttestationResult):
    seen = members(issued_event(ASKED, known(case), result, "ab" * 32))["verdict"]
    declared = declared_checks()
    assert [entry.check.name for entry in result.verdict] == declared
    inapplicable = [entry.check.name for entry in result.verdict if entry.outcome.value == "not applicable"]
    assert seen == {"passed": len(declared) - len(inapplicable), "not_applicable": inapplicable}


def test_verdicts_of_other_patterns_are_told_apart(case: Case, result: AttestationResult):
    plain = judge(replace(case, submission=replace(case.submission, runtime_data=None)))
    first = members(issued_event(ASKED, known(case), result, ""))["verdict"]
    second = members(issued_event(ASKED, known(case), plain, ""))["verdict"]
    assert first != second


def test_a_refusal_names_the_check_that_decided(case: Case):
    broken = bytearray(case.submission.evidence)
    broken[60] ^= 1
    error = refused(case.of(bytes(broken)))
    seen = members(refused_event(ASKED, known(case.of(bytes(broken))), error, 400))
    assert error.verdict is not None
    assert error.verdict.decisive is not None
    assert (seen["outcome"], seen["status"], seen["code"]) == ("refused", 400, error.code)
    assert seen["verdict"]["failed"]["check"] == error.verdict.decisive.check.name
    assert seen["evidence"] == hashlib.sha256(broken).hexdigest()
    counted = seen["verdict"]
    total = counted["passed"] + len(counted.get("not_applicable", [])) + 1 + counted["not_reached"]
    assert total == len(declared_checks())


def test_missing_collateral_leaves_it_undecided(case: Case):
    error = refused(case.without(DocumentKind.INTEL_PCK_CRL))
    seen = members(refused_event(ASKED, Known(case.submission), error, 503))
    assert (seen["outcome"], seen["code"]) == ("undecided", "EndorsementUnavailable")
    assert "check" in seen["verdict"]["missing"]


def test_a_draft_policy_is_marked(case: Case):
    text = "version= 1.0; authorizationrules { => permit(); }; issuancerules {};"
    seen = members(issued_event(ASKED, Known(), judge(case, policy=draft_policy(text)), ""))
    assert seen["details"]["draft"] is True


@pytest.mark.parametrize(
    ("error", "outcome", "code"),
    [
        (Unauthorized("no bearer"), "unauthorized", "Unauthorized"),
        (StoreUnavailable("down"), "undecided", "StoreUnavailable"),
        (MalformedEvidence("quote", "short"), "refused", "MalformedEvidence"),
        (None, "undecided", "InternalError"),
    ],
)
def test_every_error_has_an_outcome(error: AssayError | None, outcome: str, code: str):
    seen = members(refused_event(ASKED, Known(), error, 400))
    assert (seen["outcome"], seen["code"]) == (outcome, code)
    assert not {"evidence", "policy", "collateral", "verdict", "details", "token"} & set(seen)


def test_a_change_says_what_was_before():
    asked = Asked("default", "SetPolicy", "r", caller="joe")
    seen = members(changed_event(asked, 200, "new", {"type": "X", "previous": "old", "version": 3}))
    assert (seen["operation"], seen["outcome"], seen["policy"]) == ("SetPolicy", "changed", "new")
    assert seen["details"] == {"type": "X", "previous": "old", "version": 3}


@pytest.mark.parametrize("place", [60, 400, 1000])
def test_no_record_holds_evidence_held_data_or_a_nonce(case: Case, result: AttestationResult, place: int):
    broken = bytearray(case.submission.evidence)
    broken[place] ^= 1
    unbound = replace(case, submission=replace(case.submission, runtime_data=binary(HELD + b"!")))
    lines = [
        encode_record(1, issued_event(ASKED, known(case), result, "ab" * 32)),
        encode_record(1, refused_event(ASKED, known(case), refused(case.of(bytes(broken))), 400)),
        encode_record(1, refused_event(ASKED, known(case), refused(unbound), 400)),
    ]
    for line in lines:
        assert NONCE.encode() not in line
        assert b"held data of the caller" not in line
        for start in range(0, len(case.submission.evidence) - 48, 16):
            part = case.submission.evidence[start : start + 48]
            if len(set(part)) > 8:
                assert part.hex().encode() not in line
                assert base64.b64encode(part) not in line


def test_the_operations_are_named_as_azure_names_them():
    assert [attest_operation(kind.name) for kind in EVIDENCE_TYPES][:2] == ["AttestSgxEnclave", "AttestOpenEnclave"]

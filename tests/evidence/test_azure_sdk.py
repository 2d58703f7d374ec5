"""The evidence of the Azure SDKs' own tests, as its manifest describes it, and the tokens the real service made of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from assay.endorsements.documents import Document, DocumentKind
from assay.endorsements.intel.signing_chain import parse_signing_chain
from assay.errors import BindingMismatch
from assay.evidence.base import AnyEvidenceType, HeldDataType, Submission
from assay.evidence.held_data import held_data
from assay.evidence.sgx_enclave.claims import sgx_claims
from assay.formats import base64url
from assay.pki.revocation import parse_revocation_list
from assay.policy import AppraisalPolicy, PolicyIdentity, draft_policy, stored_policy
from assay.result.payload import Envelope, encode_payload
from tests.appraisals import (
    ANY_STATUS,
    PRODUCTION,
    Case,
    binary,
    documents_in,
    evidence_type,
    judge,
    read_json,
    refusal,
)
from tests.shared_vectors import SHARED
from tests.vectors import EVIDENCE

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.optional("shared")

SDK = SHARED / "vectors" / "azure-sdk"
# Collateral of the FMSPC of all this evidence, 00906ed50000, valid together at this instant.
COLLATERAL = EVIDENCE / "sgx-quote" / "sgx-cfl-azure-intelsdk-debug"
AT = datetime(2023, 5, 12, 13, 43, 27, tzinfo=UTC)


def lines(path: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []


def manifest() -> list[Any]:
    path = SDK / "evidence" / "manifest.json"
    sets = json.loads(path.read_bytes()) if path.is_file() else []
    return [pytest.param(entry, id=entry["name"]) for entry in sets] or [
        pytest.param(None, marks=pytest.mark.skip(reason="the shared vectors are not here: vectors/azure-sdk"))
    ]


def case_of(kind: AnyEvidenceType, submission: Submission) -> Case:
    return Case(kind, submission, documents_in(COLLATERAL), AT, PRODUCTION)


def read_set(name: str, form: str) -> bytes:
    return (SDK / "evidence" / f"{name}.{form}.bin").read_bytes()


@pytest.mark.parametrize("entry", manifest())
@pytest.mark.parametrize(
    ("kind", "form", "hash_member"),
    [("SgxEnclave", "quote", "quotehash_sgx"), ("OpenEnclave", "oe-report", "quotehash_oe")],
)
def test_evidence_of_the_sdks_gives_what_the_manifest_says(
    entry: Mapping[str, Any], kind: str, form: str, hash_member: str
) -> None:
    if kind == "OpenEnclave" and not entry["has_oe_header"]:
        assert not (SDK / "evidence" / f"{entry['name']}.oe-report.bin").exists()
        return
    runtime = read_set(entry["name"], "runtime")
    submission = Submission(read_set(entry["name"], form), runtime_data=binary(runtime))
    case = case_of(evidence_type(kind), submission)
    assert (entry["quote_signature_ok"], entry["qe_report_signature_ok"], entry["qe_binding_ok"]) == (True,) * 3
    members = judge(case, ANY_STATUS).statement.members
    expected = {
        "x-ms-sgx-mrenclave": entry["mrenclave"],
        "x-ms-sgx-mrsigner": entry["mrsigner"],
        "x-ms-sgx-product-id": entry["product_id"],
        "x-ms-sgx-svn": entry["svn"],
        "x-ms-sgx-is-debuggable": entry["is_debuggable"],
        "x-ms-sgx-report-data": entry["report_data"],
        "x-ms-sgx-ehd": base64url.encode(runtime),
    }
    assert {name: members[name] for name in expected} == expected
    collateral = members["x-ms-sgx-collateral"]
    assert isinstance(collateral, dict)
    assert collateral["quotehash"] == entry[hash_member]
    other = replace(case, submission=replace(submission, runtime_data=binary(runtime + b"\n")))
    error, decisive = refusal(other, ANY_STATUS)
    assert isinstance(error, BindingMismatch)
    assert decisive.check.name == "runtime_data.binding"


@pytest.mark.parametrize("name", ["py-tests", "cpp-tests-debug"])
def test_runtime_data_may_be_declared_json_even_with_a_final_nul(name: str) -> None:
    data = held_data(read_set(name, "runtime"), "JSON", "runtimeData")
    assert data.data_type is HeldDataType.JSON
    case = case_of(evidence_type("SgxEnclave"), Submission(read_set(name, "quote"), runtime_data=data))
    runtime = judge(case, ANY_STATUS).statement.members["x-ms-runtime"]
    assert isinstance(runtime, dict)
    assert list(runtime) == ["jwk"]


# What a recorded token may differ in: who issued it when, and the collateral of its day.
_OF_THE_DAY = {"iat", "nbf", "exp", "jti", "iss"}
_COLLATERAL_MEMBERS = {"x-ms-sgx-collateral", "maa-attestationcollateral"}
# The service of July 2021 did not have these yet; that of November 2022 does (claims 3, policy-language 10).
_SINCE_2022 = {"x-ms-sgx-tcbidentifier", "x-ms-policy"}

POLICIES = {
    text_hash: text
    for text in (
        "version=1.0; authorizationrules{=> permit();}; issuancerules{};",
        *(
            path.read_bytes().decode()
            for path in (
                SHARED / "spec" / "policies" / "default-sgx-v10-oneline.policy",
                SHARED / "spec" / "policies" / "default-sgx-v11-oneline.policy",
            )
            if path.is_file()
        ),
    )
    for text_hash in [stored_policy(text).identity.hash]
}


def recorded() -> list[Any]:
    found = []
    for line in lines(SDK / "tokens" / "recorded.jsonl"):
        if line["operation"] in ("POST /attest/SgxEnclave", "POST /attest/OpenEnclave"):
            short = line["recording"].removeprefix("recordings/").removesuffix(".json")
            found.append(pytest.param(line, id=f"{short}-{line['entry']}"))
    skip = pytest.mark.skip(reason="the shared vectors are not here: vectors/azure-sdk/tokens")
    return found or [pytest.param(None, marks=skip)]


def policy_behind(line: Mapping[str, Any], submission: Submission) -> AppraisalPolicy:
    """The policy that the token's hash names: the request's draft, or the provider's with its signer."""
    recorded_hash = line["payload"]["x-ms-policy-hash"]
    if line["header"]["alg"] == "none":
        assert submission.draft_policy is not None
        return draft_policy(submission.draft_policy)
    policy = stored_policy(POLICIES[recorded_hash])
    signer = line["payload"].get("x-ms-policy-signer")
    return replace(policy, identity=PolicyIdentity(policy.identity.hash, signer, draft=False))


@pytest.mark.parametrize("line", recorded())
def test_a_token_of_the_real_service_is_reproduced_member_by_member(line: Mapping[str, Any]) -> None:
    exchange = json.loads((SDK / line["recording"]).read_bytes())[line["entry"]]
    body = exchange["request_body"]
    members = json.loads(body) if isinstance(body, str) else body
    kind = evidence_type(line["operation"].rpartition("/")[2])
    submission = kind.decode({name.lower(): value for name, value in members.items()})
    result = judge(case_of(kind, submission), ANY_STATUS, policy=policy_behind(line, submission))
    payload = encode_payload(result, Envelope(line["payload"]["iss"], AT, "00" * 32))
    expected = line["payload"]
    missing_then = _SINCE_2022 if "python-1.0.0" in line["recording"] else set()
    assert set(payload) - missing_then == set(expected)
    for name in set(expected) - _OF_THE_DAY - _COLLATERAL_MEMBERS - {"x-ms-policy-signer"}:
        assert payload[name] == expected[name], name
        assert type(payload[name]) is type(expected[name]), name
    for name in _COLLATERAL_MEMBERS:
        collateral = payload[name]
        assert isinstance(collateral, dict)
        assert set(collateral) == set(expected[name])
        assert collateral["quotehash"] == expected[name]["quotehash"]
    assert expected["exp"] - expected["iat"] == payload["exp"] - payload["iat"]  # type: ignore[operator]


def test_every_recorded_attest_operation_is_reproduced() -> None:
    assert len(recorded()) == 54


def vector(name: str) -> bytes:
    return (SHARED / "spec" / "vectors" / name).read_bytes()


def test_the_seven_hashes_of_a_recorded_token_are_those_of_the_collateral_of_its_day() -> None:
    """claims 3.1. No instant lies in every window (TCB info of 2021, CRL of 2022), so the platform is judged elsewhere."""
    token = json.loads(vector("sgx-token-payload-2022.json"))
    kind = evidence_type("SgxEnclave")
    quote = base64url.decode_lenient(vector("sgx-quote-sdk.b64url").decode().strip())
    runtime = base64url.decode_lenient(vector("sgx-runtime-data-sdk.b64url").decode().strip())
    case = case_of(kind, Submission(quote, runtime_data=binary(runtime)))
    judged = judge(case, ANY_STATUS)
    evidence = kind.parse(case.submission)
    verified = kind.verify(evidence, case.submission, judged.grounds)
    bodies = (vector("sgx-collateral-2021-tcbinfo.json"), vector("sgx-collateral-2021-qeidentity.json"))
    document = Document(DocumentKind.INTEL_TCB_INFO, bodies[0], vector("sgx-collateral-2021-issuer-chain.pem"))
    chain = parse_signing_chain(document)
    root_crl = parse_revocation_list(vector("sgx-collateral-2022-root-crl.pem"), "root CA CRL")
    platform = replace(verified.platform, bodies=bodies, chains=(chain, chain), root_crl=root_crl)
    members = sgx_claims(verified._replace(platform=platform)).members
    for name in _COLLATERAL_MEMBERS:
        assert members[name] == token[name]
        assert len(token[name]) == 7
    for name in set(members) - _COLLATERAL_MEMBERS - _SINCE_2022:
        assert members[name] == token[name], name


def test_the_request_of_the_service_sample_is_judged() -> None:
    body = read_json(SDK / "requests" / "ms-samples-oe.post.attest.body.json")
    token = (SDK / "requests" / "ms-samples-oe.post.attest.response.jwt.body.json").read_text()
    report = base64url.decode_lenient(str(body["Quote"]))
    runtime = base64url.decode_lenient(str(body["EnclaveHeldData"]))
    submission = Submission(report, runtime_data=binary(runtime))
    members = judge(case_of(evidence_type("OpenEnclave"), submission), ANY_STATUS).statement.members
    assert str(members["x-ms-sgx-mrenclave"]) in token
    assert str(members["x-ms-sgx-mrsigner"]) in token

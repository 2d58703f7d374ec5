"""The tokens that the real service issued, reproduced for the same evidence (issue 2)."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from assay.formats import base64url
from assay.policy import AppraisalPolicy, stored_policy
from assay.service.config import read_rules
from assay.service.provider import PolicyInForce
from assay.service.tenancy import Providers
from tests.service.in_process import application, development
from tests.service.material import OPEN_ENCLAVE, SGX, claims_of, held_data, take_apart
from tests.shared_vectors import SHARED, shared_path

pytestmark = pytest.mark.optional("shared")

# The closed list of issue 2, and members of later builds of the service (2022) in recordings of 2021.
OF_THE_ISSUER = {"iat", "nbf", "exp", "jti", "iss", "x-ms-policy-signer"}
COLLATERAL = {"x-ms-sgx-collateral", "maa-attestationcollateral"}
AT_THE_TIME = datetime(2022, 5, 10, tzinfo=UTC)
# A sample of the Intel SDK has a certificate of 2023.
AT_A_LATER_TIME = datetime(2023, 5, 12, 13, 43, 27, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path):
    return development(tmp_path / "state", (), rules=read_rules("any", strict=False, deny_debug=False))


def recorded() -> list[dict[str, Any]]:
    text = (SHARED / "vectors/azure-sdk/tokens/recorded.jsonl").read_text()
    rows = [json.loads(line) for line in text.splitlines()]
    return [row for row in rows if row["operation"].startswith("POST /attest/")]


def recorded_request(row: dict[str, Any]) -> dict[str, Any]:
    entry = json.loads((SHARED / "vectors/azure-sdk" / row["recording"]).read_text())[row["entry"]]
    body = entry["request_body"]
    return json.loads(body) if isinstance(body, str) else body


def policies_in_force() -> dict[str, AppraisalPolicy]:
    """The policies of the recorded providers by hash; a draft stands in its request, whatever is in force."""
    names = ("default-sgx-v10-oneline", "default-sgx-v11-oneline")
    texts = [shared_path(f"spec/policies/{name}.policy").read_text() for name in names]
    texts.append("version=1.0; authorizationrules{=> permit();}; issuancerules{};")
    by_hash = {policy.identity.hash: policy for policy in map(stored_policy, texts)}
    drafts = {row["payload"]["x-ms-policy-hash"] for row in recorded() if row["header"]["alg"] == "none"}
    return dict.fromkeys(drafts, stored_policy(texts[0])) | by_hash


def differences(ours: dict[str, Any], theirs: dict[str, Any], *, of_2021: bool) -> set[str]:
    names = (set(ours) | set(theirs)) - OF_THE_ISSUER - COLLATERAL
    if of_2021:
        # Since service 1.11 (rest-api 6.2, 7.1).
        names -= {"x-ms-policy", "x-ms-sgx-tcbidentifier"} - set(theirs)
    return {name for name in names if ours.get(name) != theirs.get(name)}


def test_the_recorded_tokens_are_reproduced_member_by_member(settings) -> None:
    directory = shared_path("evidence/collateral")
    settings = replace(settings, collateral=(directory,), unsafe_verify_at=AT_THE_TIME)
    in_force = policies_in_force()
    compared, unlike = 0, []

    async def scene() -> None:
        nonlocal compared
        async with application(settings) as running_:
            for row in recorded():
                theirs = row["payload"]
                # The policy that was in force there is named by its hash.
                chosen = PolicyInForce(in_force[theirs["x-ms-policy-hash"]], None)
                provider = running_.state.providers.default
                provider = replace(provider, policies=dict.fromkeys(provider.policies, chosen))
                running_.state.providers = Providers({provider.name: provider})
                path = row["operation"].removeprefix("POST ")
                response = await running_.client.post(f"{path}?api-version=2020-10-01", json=recorded_request(row))
                claims = dict(claims_of(response))
                claims.pop("x-assay-unsafe")
                for name in COLLATERAL:
                    assert set(claims[name]) == set(theirs[name])
                    assert claims[name]["quotehash"] == theirs[name]["quotehash"]
                header = take_apart(response.json()["token"]).header
                assert set(header) == set(row["header"])
                assert header["alg"] == row["header"]["alg"]
                compared += 1
                wrong = differences(claims, theirs, of_2021="python-1.0.0" in row["recording"])
                if wrong:
                    unlike.append((row["recording"], sorted(wrong)))

    asyncio.run(scene())
    assert compared >= 50
    assert unlike == [], unlike


def test_the_samples_of_the_stock_libraries_carry_their_values(settings) -> None:
    directory = shared_path("evidence/collateral")
    settings = replace(settings, collateral=(directory,), unsafe_verify_at=AT_A_LATER_TIME)
    folder = shared_path("vectors/azure-sdk/evidence")
    samples = json.loads((folder / "manifest.json").read_text())

    async def scene() -> None:
        async with application(settings) as running_:
            for sample in samples:
                held = held_data((folder / f"{sample['name']}.runtime.bin").read_bytes(), "Binary")
                for path, member, suffix, digest in (
                    (SGX, "quote", "quote", "quotehash_sgx"),
                    (OPEN_ENCLAVE, "report", "oe-report", "quotehash_oe"),
                ):
                    file = folder / f"{sample['name']}.{suffix}.bin"
                    if not file.exists():
                        continue
                    body = {member: base64url.encode(file.read_bytes()), "runtimeData": held}
                    claims = claims_of(await running_.client.post(path, json=body))
                    assert claims["x-ms-sgx-collateral"]["quotehash"] == sample[digest]
                    assert claims["x-ms-sgx-mrenclave"] == sample["mrenclave"]
                    assert claims["x-ms-sgx-mrsigner"] == sample["mrsigner"]
                    assert claims["x-ms-sgx-product-id"] == sample["product_id"]
                    assert claims["x-ms-sgx-svn"] == sample["svn"]
                    assert claims["x-ms-sgx-is-debuggable"] is sample["is_debuggable"]
                    assert claims["x-ms-sgx-report-data"] == sample["report_data"]

    asyncio.run(scene())

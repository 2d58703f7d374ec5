"""POST /attest/TdxVm: every version, held data, drafts, the event log, and what is refused (rest-api 7.4)."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from assay.formats import base64url
from assay.simulator import find_knob, simulate, tdx_recipe
from tests.service.in_process import application, development
from tests.service.material import AT, PERMIT, held_data, refusal_of, take_apart
from tests.service.test_paths import VERSIONS

if TYPE_CHECKING:
    from pathlib import Path

    import httpx2

    from assay.service.config import Settings
    from assay.simulator import Simulated

HELD = b'{"role": "demo"}'
MADE = simulate(tdx_recipe(AT, HELD))
LOGGED = find_knob("td-log").apply(tdx_recipe(AT, HELD))
LATEST = [version for version in VERSIONS if not version.startswith("2018")]
# What a policy 1.2 reads out of the events: whether something was measured into RTMR 2.
READS_EVENTS = (
    "version=1.2; authorizationrules{=> permit();}; issuancerules{"
    'c:[type=="events"] => issue(type="kernel", value=JsonToClaimValue(JmesPath(c.value, '
    '"length(Events[?PcrIndex == `3`])")));};'
)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    directory: Path = tmp_path_factory.mktemp("domains")
    MADE.collateral.write(directory / "collateral")
    return development(directory / "state", (directory / "collateral",))


def post(settings: Settings, body: dict[str, Any], version: str = "2025-06-01") -> httpx2.Response:
    async def scene() -> httpx2.Response:
        async with application(settings) as running:
            return await running.client.post(f"/attest/TdxVm?api-version={version}", json=body)

    return asyncio.run(scene())


def body_of(made: Simulated, **more: object) -> dict[str, Any]:
    return {"quote": base64url.encode(made.evidence), "runtimeData": held_data(HELD, "JSON"), **more}


def log_of(made: Simulated) -> str:
    assert made.event_log is not None
    return base64url.encode(made.event_log)


@pytest.mark.parametrize("version", LATEST)
def test_every_version_attests_a_trust_domain(settings: Settings, version: str) -> None:
    response = post(settings, body_of(MADE, nonce=7), version)
    assert response.status_code == 200, response.text
    payload = take_apart(response.json()["token"]).payload
    assert payload["x-ms-attestation-type"] == "tdxvm"
    assert payload["eat_profile"] == "https://aka.ms/maa-eat-profile-tdxvm"
    assert (payload["dbgstat"], payload["intuse"], payload["attester_tcb_status"]) == (
        "disabled",
        "generic",
        "UpToDate",
    )
    assert (payload["x-ms-runtime"], payload["nonce"]) == (json.loads(HELD), "7")
    assert "attester_advisory_ids" not in payload
    assert "x-ms-sgx-mrenclave" not in payload


def test_a_draft_is_accepted_though_the_definition_has_none(settings: Settings) -> None:
    response = post(settings, body_of(MADE, draftPolicyForAttestation=PERMIT))
    token = take_apart(response.json()["token"])
    assert token.header["alg"] == "none"
    assert token.payload["x-ms-policy"] == {"drafted": True}


def test_an_event_log_is_replayed_and_read_by_the_policy(settings: Settings) -> None:
    body = body_of(LOGGED, eventLog=log_of(LOGGED), draftPolicyForAttestation=READS_EVENTS)
    response = post(settings, body)
    assert response.status_code == 200, response.text
    payload = take_apart(response.json()["token"]).payload
    assert payload["kernel"] == 1
    assert "events" not in payload


@pytest.mark.parametrize(
    ("log", "target"),
    [
        (log_of(find_knob("td-log-short").apply(tdx_recipe(AT, HELD))), "event_log.replay"),
        ("AAAA", "evidence.form"),
        ("not base64!", "eventLog"),
        (7, "eventLog"),
    ],
)
def test_a_log_that_does_not_explain_the_registers_is_refused(settings: Settings, log: object, target: str) -> None:
    error = refusal_of(post(settings, body_of(LOGGED, eventLog=log)), 400, "InvalidParameter")
    assert error["deciding"]["target"] in (target, "request")


def test_evidence_of_an_enclave_is_refused_here_and_the_reverse(settings: Settings) -> None:
    async def scene() -> httpx2.Response:
        async with application(settings) as running:
            return await running.client.post("/attest/SgxEnclave?api-version=2025-06-01", json=body_of(MADE))

    error = refusal_of(asyncio.run(scene()), 400, "InvalidParameter")
    assert error["deciding"]["code"] == "UnsupportedTeeType"


def test_runtime_data_that_was_not_bound_is_refused(settings: Settings) -> None:
    error = refusal_of(post(settings, body_of(MADE, runtimeData=held_data(b"{}", "JSON"))), 400, "InvalidParameter")
    assert error["deciding"]["target"] == "runtime_data.binding"

"""SEV-SNP vectors through the service at their time, and the recorded request beside the token that Azure issued."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from assay.evidence.base import PlatformRules
from assay.formats import base64url
from assay.store import open_store
from tests.appraisals import read_json
from tests.service.in_process import application, development
from tests.service.material import refusal_of, take_apart
from tests.shared_vectors import SHARED
from tests.snp_vectors import LISTS, SnpVector, snp_vectors

pytestmark = pytest.mark.optional("shared")
AZURE = SHARED / "vectors" / "azure-sdk"
# Of the issuer and the moment, not of the evidence.
OF_THE_CALL = {"iss", "iat", "nbf", "exp", "jti"}
NEWER = {
    *("x-ms-sevsnpvm-chipid", "x-ms-sevsnpvm-singlesocket", "x-ms-sevsnpvm-cxl-allowed"),
    *("x-ms-sevsnpvm-mem-aes256-xts-required", "x-ms-sevsnpvm-rapl-disabled"),
    *("x-ms-sevsnpvm-ciphertext-hiding-dram-enabled", "x-ms-sevsnpvm-page-swap-disabled"),
}


def envelope(vector: SnpVector) -> dict[str, object]:
    inner = {"SnpReport": base64url.encode(vector.report())}
    if vector.chain():
        inner["VcekCertChain"] = base64url.encode(vector.chain())
    return {"report": base64url.encode(json.dumps(inner, indent=1).replace("\n", "\r\n").encode())}


@pytest.mark.parametrize("beside", [False, True], ids=["certificates in the request", "in directories"])
def test_every_vector_is_judged_right_at_its_time(tmp_path, beside: bool) -> None:
    settings = development(tmp_path / "state", (), unsafe_no_revocation=True)
    wrong = []

    async def scene() -> None:
        for index, vector in enumerate(snp_vectors()):
            directory = vector.lay_out(tmp_path / str(index))
            sent = {"report": base64url.encode(vector.report())} if beside or not vector.chain() else envelope(vector)
            at = replace(settings, unsafe_verify_at=vector.at, collateral=(directory,))
            async with application(at, store=open_store(settings.database_url)) as running:
                response = await running.client.post("/attest/SevSnpVm?api-version=2022-08-01", json=sent)
            if not (response.status_code == 200 if vector.is_valid else response.status_code in (400, 503)):
                wrong.append(f"{vector.name}: {response.status_code} {response.text[:300]}")
            elif not vector.is_valid and vector.has_certificates:
                error = refusal_of(response, 400, "InvalidParameter")
                if error["deciding"]["target"] not in vector.refused_by:
                    wrong.append(f"{vector.name}: {error['deciding']['target']}")

    asyncio.run(scene())
    assert wrong == [], "\n".join(wrong)


def recorded_request() -> dict[str, object]:
    return read_json(AZURE / "requests" / "sevsnpvm.ms-samples.json")


def post_recorded(tmp_path, path: str, at: datetime, *, whole: bool = False, **more: object):
    """The report of the recorded request; `whole` sends the runtime data too, which the sample itself leaves out."""
    settings = development(tmp_path / "state", (LISTS,), unsafe_verify_at=at, **more)
    body = recorded_request() if whole else {"report": recorded_request()["report"]}

    async def scene():
        async with application(settings) as running:
            return await running.client.post(path, json=body)

    return asyncio.run(scene())


@pytest.mark.parametrize(
    "version", ["2020-10-01", "2022-08-01", "2022-09-01-preview", "2023-04-01-preview", "2025-06-01"]
)
def test_the_recorded_request_gives_the_recorded_token_claim_by_claim(tmp_path, version: str) -> None:
    at = datetime(2025, 6, 1, tzinfo=UTC)
    response = post_recorded(tmp_path, f"/attest/SevSnpVM?api-version={version}", at)
    assert response.status_code == 200, response.text
    issued = take_apart(response.json()["token"]).payload
    recorded = read_json(AZURE / "tokens" / "sevsnpvm.ms-samples.decoded.json")["payload"]
    assert isinstance(recorded, dict)
    own = {name: value for name, value in recorded.items() if name not in OF_THE_CALL}
    assert {name: issued.get(name) for name in own} == own
    assert set(issued) - set(recorded) == NEWER | {"x-assay-unsafe"}


def test_the_newer_claims_can_be_left_out(tmp_path) -> None:
    at, only = datetime(2025, 6, 1, tzinfo=UTC), PlatformRules(recorded_claims_only=True)
    response = post_recorded(tmp_path, "/attest/SevSnpVm?api-version=2022-08-01", at, rules=only)
    issued = set(take_apart(response.json()["token"]).payload)
    recorded = read_json(AZURE / "tokens" / "sevsnpvm.ms-samples.decoded.json")["payload"]
    assert isinstance(recorded, dict)
    assert issued == {*recorded, "x-assay-unsafe"}


def test_runtime_data_of_another_report_is_refused(tmp_path) -> None:
    at = datetime(2025, 6, 1, tzinfo=UTC)
    response = post_recorded(tmp_path, "/attest/SevSnpVm?api-version=2022-08-01", at, whole=True)
    error = refusal_of(response, 400, "InvalidParameter")
    assert error["deciding"]["target"] == "runtime_data.binding"


def test_at_the_time_of_the_recording_no_list_is_at_hand_and_nothing_is_decided(tmp_path) -> None:
    at = datetime(2025, 4, 8, 4, 15, tzinfo=UTC)
    response = post_recorded(tmp_path, "/attest/SevSnpVm?api-version=2022-08-01", at)
    error = refusal_of(response, 503, "EndorsementUnavailable")
    assert error["deciding"]["target"] == "ark_crl.validity"


def test_it_is_accepted_then_with_the_unsafe_switch_and_the_token_says_so(tmp_path) -> None:
    at = datetime(2025, 4, 8, 4, 15, tzinfo=UTC)
    response = post_recorded(tmp_path, "/attest/SevSnpVm?api-version=2022-08-01", at, unsafe_no_revocation=True)
    assert "no-revocation" in take_apart(response.json()["token"]).payload["x-assay-unsafe"]

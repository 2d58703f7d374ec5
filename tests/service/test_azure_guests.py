"""Guests of Azure through the service: the sealed answer of the wire, real requests at their time, the body's limit."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import replace
from datetime import datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

from assay.client.sealed_answer import open_answer
from assay.formats import base64url
from assay.formats.jws import parse_jws
from assay.simulator.azure_guest import simulate_guest
from tests.service.in_process import application, development
from tests.service.material import AT
from tests.shared_vectors import shared_path

ATTEST = "/attest/azureguest?api-version=2020-10-01"
REAL = {
    "azureguest-trustedlaunch-linux-v1": "2021-10-05T07:50:37+00:00",
    "azureguest-trustedlaunch-windows-v2": "2023-09-05T21:45:43+00:00",
}


def send(settings, *bodies, path=ATTEST):
    async def run():
        async with application(settings) as running:
            return [await running.client.post(path, json=body) for body in bodies]

    return asyncio.run(run())


def body_of(evidence, **more):
    return {"AttestationInfo": base64url.encode(evidence), **more}


def opened(answer, guest):
    text = open_answer(answer.json()["token"], lambda inner: guest.key.decrypt(inner, PKCS1v15()))
    jws = parse_jws(text)
    return jws, json.loads(jws.payload)


@pytest.fixture
def tdx_guest(tmp_path):
    guest = simulate_guest(AT, "Tdx")
    assert guest.collateral is not None
    guest.collateral(tmp_path / "collateral")
    return guest


def test_the_answer_is_sealed_and_opens_to_a_signed_token(tmp_path):
    guest = simulate_guest(AT, windows=True)
    (answer,) = send(development(tmp_path, ()), body_of(guest.evidence))
    assert answer.status_code == 200
    assert list(answer.json()) == ["token"]
    jws, payload = opened(answer, guest)
    assert (jws.header["alg"], payload["x-ms-attestation-type"]) == ("RS256", "azurevm")
    assert payload["exp"] - payload["iat"] == 28800
    assert payload["x-ms-policy-hash"] == "wm9mHlvTU82e8UqoOy1Yj1FBRSNkfe99-69IYDq9eWs"
    assert payload["x-ms-runtime"]["client-payload"] == {"nonce": "YXNzYXkgZGVtbyBub25jZQ=="}
    assert payload["x-ms-azurevm-attested-pcrs"] == [0, 1, 2, 3, 4, 5, 6, 7, 11, 12, 13, 14]


def test_a_confidential_vms_token_holds_what_its_hardware_says(tmp_path, tdx_guest):
    (answer,) = send(development(tmp_path / "state", (tmp_path / "collateral",)), body_of(tdx_guest.evidence))
    isolation = opened(answer, tdx_guest)[1]["x-ms-isolation-tee"]
    assert isolation["x-ms-attestation-type"] == "tdxvm"
    assert isolation["x-ms-runtime"]["vm-configuration"]["secure-boot"] is True
    assert not {"iss", "exp", "iat", "jti", "x-ms-ver", "x-ms-policy-hash"} & set(isolation)


def test_the_verdict_stands_beside_the_sealed_answer(tmp_path):
    guest = simulate_guest(AT)
    (answer,) = send(development(tmp_path, ()), body_of(guest.evidence), path=f"{ATTEST}&explain=true")
    assert "." not in answer.json()["token"]
    assert [one["target"] for one in answer.json()["verdict"]][:2] == ["evidence.form", "attestation_key.attributes"]


def test_a_draft_policys_unsigned_token_is_sealed_too(tmp_path):
    guest = simulate_guest(AT)
    draft = "version=1.0; authorizationrules{=> permit();}; issuancerules{};"
    (answer,) = send(development(tmp_path, ()), body_of(guest.evidence, draftPolicyForAttestation=draft))
    assert opened(answer, guest)[0].header["alg"] == "none"


def test_the_first_versions_answer_is_sealed_too(tmp_path):
    """rest-api 12: a JSON string on /attest/Tee/AzureGuest, never the token in the clear."""
    guest = simulate_guest(AT)
    path = "/attest/Tee/AzureGuest?api-version=2018-09-01-preview"
    (answer,) = send(development(tmp_path, ()), {"Quote": base64url.encode(guest.evidence)}, path=path)
    assert answer.status_code == 200
    assert "." not in answer.json()
    text = open_answer(answer.json(), lambda inner: guest.key.decrypt(inner, PKCS1v15()))
    assert json.loads(parse_jws(text).payload)["x-ms-attestation-type"] == "azurevm"


def test_a_guest_whose_keys_are_not_known_is_denied_and_told_which(tmp_path):
    """The default policy denies; the verdict names the variable that differs (tpm-and-guest 5.7)."""
    from assay.simulator.azure_guest import good_guest, mint_attestation_info
    from assay.simulator.tpm.boots import FIRMWARE
    from assay.simulator.tpm.event_log import signature_list

    guest = replace(good_guest(AT), firmware=replace(FIRMWARE, kek=signature_list(b"the certificate of a stranger")))
    (answer,) = send(development(tmp_path, ()), body_of(mint_attestation_info(guest)))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "PolicyEvaluationError")
    details = {one["target"]: one for one in answer.json()["error"]["details"]}
    assert details["secure_boot.keys"]["observed"].startswith("KEK: unknown certificate ")
    assert details["policy.authorization"]["outcome"] == "failed"


def test_requests_of_guests_may_be_larger_than_others(tmp_path):
    guest = json.loads(simulate_guest(AT).evidence)
    padded = json.dumps({**guest, "ImaLogs": "x" * (1 << 20)}).encode()
    small, large = send(
        development(tmp_path, ()), body_of(padded), {"AttestationInfo": base64.b64encode(bytes(5 << 20)).decode()}
    )
    assert (small.status_code, large.status_code) == (200, 413)


@pytest.mark.parametrize("name", REAL)
def test_real_requests_are_accepted_at_their_time_when_the_operator_pins_their_key(tmp_path, name):
    folder = shared_path(f"evidence/azureguest/{name}")
    body = body_of((folder / "attestation_info.json").read_bytes())
    settings = development(tmp_path, (), unsafe_verify_at=datetime.fromisoformat(REAL[name]))
    (refused,) = send(settings, body)
    assert [one["target"] for one in refused.json()["error"]["details"] if one["outcome"] == "failed"] == [
        "aik_certificate.chain"
    ]
    (accepted,) = send(replace(settings, trust=(folder / "aik_certificate.der",)), body)
    assert accepted.status_code == 200
    assert list(accepted.json()) == ["token"]


def test_the_request_of_the_wire_is_accepted_as_it_was_recorded(tmp_path):
    body = json.loads(shared_path("vectors/tpm/azureguest/tl-windows-securebootOn.request.json").read_bytes())
    settings = development(
        tmp_path,
        (),
        unsafe_verify_at=datetime.fromisoformat("2023-06-01T00:00:00+00:00"),
        trust=(shared_path("vectors/tpm/certs/azure-aik-tl-windows-securebootOn.der"),),
    )
    assert send(settings, body)[0].status_code == 200

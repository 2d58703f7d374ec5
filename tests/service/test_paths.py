"""Paths, methods and api-versions (rest-api 1, 2.1, 2.2, 12)."""

from __future__ import annotations

import pytest

from assay.formats import base64url
from tests.service.material import (
    HELD,
    OPEN_ENCLAVE,
    SGX,
    VERSION,
    claims_of,
    open_enclave_body,
    quote,
    refusal_of,
    report,
    sgx_body,
    take_apart,
)
from tests.service.running import Running

VERSIONS = [
    "2018-09-01-preview",
    "2020-10-01",
    "2022-08-01",
    "2022-09-01-preview",
    "2023-04-01-preview",
    "2025-06-01",
    "2026-03-11-preview",
]
LEGACY = "api-version=2018-09-01-preview"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("path", ["/attest/SgxEnclave", "/attest/OpenEnclave", "/attest/Tee/SgxEnclave"])
def test_every_known_api_version_is_served(wire, version: str, path: str) -> None:
    body = open_enclave_body() if path.endswith("OpenEnclave") else sgx_body()
    response = wire.post(f"{path}?api-version={version}", json=body)
    assert response.status_code == 200, response.text
    # 2018-09-01-preview answers a JSON string, all later ones an object (rest-api 12).
    answer = response.json()
    token = answer if version.startswith("2018") else answer["token"]
    assert take_apart(token).payload["x-ms-attestation-type"] == "sgx"


@pytest.mark.parametrize("query", ["", "?api-version=", "?apiversion=2020-10-01"])
def test_a_missing_api_version_is_refused(wire, query: str) -> None:
    refusal_of(wire.post(f"/attest/SgxEnclave{query}", json=sgx_body()), 400, "ApiVersionUnspecified")


@pytest.mark.parametrize(
    "version", ["2020-10-02", "2022-08-01-PREVIEW", "2018-09-01-Preview", "latest", "2020-10-01%00", "+2020-10-01"]
)
def test_an_unknown_api_version_is_refused_literally(wire, version: str) -> None:
    response = wire.post(f"/attest/SgxEnclave?api-version={version}", json=sgx_body())
    error = refusal_of(response, 400, "UnsupportedApiVersion")
    assert VERSION in error["message"]


def test_metadata_needs_no_api_version_and_ignores_one(wire) -> None:
    for path in ("/certs", "/.well-known/openid-configuration"):
        plain = wire.get(path)
        assert plain.status_code == 200
        for version in (*VERSIONS, "nonsense"):
            assert wire.get(f"{path}?api-version={version}").content == plain.content


@pytest.mark.parametrize(
    "path",
    [
        "/attest/sgxenclave",
        "/ATTEST/SGXENCLAVE",
        "/Attest/SgxEnclave",
        "//attest/SgxEnclave",
        "//attest///sgxEnclave",
        "/attest/SgxEnclave/",
    ],
)
def test_paths_compare_without_case_and_slashes_collapse(service: Running, wire, path: str) -> None:
    url = f"{service.url}{path}?api-version={VERSION}"
    assert claims_of(wire.post(url, json=sgx_body()))["x-ms-attestation-type"] == "sgx"


@pytest.mark.parametrize("path", ["//certs", "/CERTS", "/certs/", "//.Well-Known//OpenID-configuration"])
def test_metadata_paths_are_lenient_alike(service: Running, wire, path: str) -> None:
    assert wire.get(f"{service.url}{path}").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/attest",
        "/attest/",
        "/attest/Nothing",
        "/attest/SgxEnclave/more",
        "/attest/..%2fcerts",
        "/attest/SgxEnclave%00",
        "/policies",
        "/etc/passwd",
        "/certs/../certs/x",
    ],
)
def test_an_unknown_path_or_type_is_not_found(wire, path: str) -> None:
    response = wire.post(f"{path}?api-version={VERSION}", json=sgx_body())
    refusal_of(response, 404, "NotFound")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "PROPFIND"])
def test_a_wrong_method_on_attest_is_refused(wire, method: str) -> None:
    response = wire.request(method, SGX)
    assert response.status_code == 405
    assert response.headers["allow"] == "POST, OPTIONS"
    if method != "HEAD":
        refusal_of(response, 405, "MethodNotAllowed")


@pytest.mark.parametrize("path", ["/certs", "/.well-known/openid-configuration", "/servicehealth", "/livez", "/readyz"])
def test_a_wrong_method_on_metadata_is_refused(wire, path: str) -> None:
    for method in ("POST", "PUT", "DELETE"):
        response = wire.request(method, path)
        refusal_of(response, 405, "MethodNotAllowed")
        assert {"GET", "OPTIONS"} <= set(response.headers["allow"].split(", "))


@pytest.mark.parametrize("path", ["/attest/SgxEnclave", "/attest/Tee/SgxEnclave", "/attest/tee/sgxenclave"])
def test_2018_members_are_understood(wire, path: str) -> None:
    body = {"Quote": base64url.encode(quote().evidence), "EnclaveHeldData": base64url.encode(HELD)}
    response = wire.post(f"{path}?{LEGACY}", json=body)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    payload = take_apart(response.json()).payload
    assert payload["aas-ehd"] == payload["maa-ehd"] == base64url.encode(HELD)


def test_2018_takes_an_open_enclave_report_as_quote(wire) -> None:
    body = {"Quote": base64url.encode(report().evidence), "EnclaveHeldData": base64url.encode(HELD)}
    response = wire.post(f"/attest/Tee/OpenEnclave?{LEGACY}", json=body)
    assert response.status_code == 200, response.text
    assert take_apart(response.json()).payload["aas-ehd"] == base64url.encode(HELD)


def test_2018_drafts_are_unsecured_strings(wire) -> None:
    draft = "version=1.0; authorizationrules{=> permit();}; issuancerules{};"
    body = {"Quote": base64url.encode(quote().evidence), "DraftPolicyForAttestation": draft}
    response = wire.post(f"/attest/Tee/SgxEnclave?{LEGACY}", json=body)
    assert response.status_code == 200, response.text
    assert response.json().endswith(".")


def test_open_enclave_and_sgx_do_not_take_one_anothers_evidence(wire) -> None:
    crossed = {"quote": base64url.encode(report().evidence)}
    error = refusal_of(wire.post(SGX, json=crossed), 400, "InvalidParameter")
    assert error["deciding"]["target"] == "evidence.form"
    # A bare quote is evidence of the SDK that binds its custom claims, here none (quote-verification 7.2).
    crossed = {"report": base64url.encode(quote().evidence)}
    error = refusal_of(wire.post(OPEN_ENCLAVE, json=crossed), 400, "InvalidParameter")
    assert error["deciding"]["target"] == "custom_claims.binding"

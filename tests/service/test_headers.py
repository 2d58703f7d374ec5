"""What every answer carries, and where browsers may call (rest-api 2.3)."""

from __future__ import annotations

import re

import pytest

from tests.service.material import SGX, sgx_body

ANSWERS = [
    ("GET", "/certs", 200),
    ("GET", "/.well-known/openid-configuration", 200),
    ("POST", SGX, 200),
    ("GET", "/nowhere", 404),
    ("GET", SGX, 405),
    ("POST", "/attest/SgxEnclave", 400),
    ("GET", "/servicehealth", 204),
    ("GET", "/livez", 200),
    ("GET", "/readyz", 200),
]


def call(wire, method: str, path: str, **options):
    return wire.request(method, path, json=sgx_body() if method == "POST" else None, **options)


@pytest.mark.parametrize(("method", "path", "status"), ANSWERS)
def test_every_answer_names_itself_and_its_request(wire, method: str, path: str, status: int) -> None:
    response = call(wire, method, path)
    assert response.status_code == status
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", response.headers["x-ms-request-id"])
    assert response.headers["x-ms-maa-service-version"]
    assert "server" not in response.headers
    if status == 204:
        assert response.content == b""
    else:
        assert response.headers["content-type"] == "application/json; charset=utf-8"
        assert response.headers["access-control-allow-origin"] == "*"


def test_request_identifiers_differ(wire) -> None:
    assert len({wire.get("/certs").headers["x-ms-request-id"] for _ in range(20)}) == 20


def test_the_callers_request_identifier_is_echoed(wire) -> None:
    name = "x-ms-client-request-id"
    sent = "0f6b5dfe-2a1c-4f3c-b0e9-7f0d4e3c2b1a"
    assert wire.get("/certs", headers={name: sent}).headers[name] == sent
    # Nothing that could forge a header or a line of a log.
    for unusable in ("x" * 65, "caf\xe9".encode("latin-1"), "a\tb"):
        assert name not in wire.get("/certs", headers={name: unusable}).headers


def test_accept_selects_nothing(wire) -> None:
    for accept in ("application/jwk+json, application/json", "text/html", "*/*", ""):
        response = wire.get("/certs", headers={"accept": accept})
        assert response.status_code == 200
        assert response.headers["content-type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize("path", ["/certs", "/.well-known/openid-configuration", SGX, "/attest/OpenEnclave"])
def test_browsers_may_call_after_asking(wire, path: str) -> None:
    asked = {
        "origin": "https://app.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type, x-ms-client-request-id",
    }
    response = wire.options(path, headers=asked)
    assert response.status_code == 204
    assert response.headers["access-control-allow-origin"] == "*"
    assert {"GET", "POST"} <= set(response.headers["access-control-allow-methods"].split(", "))
    assert "content-type" in response.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in response.headers


def test_head_answers_like_get_without_a_body(wire) -> None:
    for path in ("/certs", "/.well-known/openid-configuration", "/livez"):
        response = wire.head(path)
        assert response.status_code == 200
        assert response.content == b""
        assert int(response.headers["content-length"]) == len(wire.get(path).content)


def test_a_bearer_of_anybody_is_ignored_on_anonymous_operations(wire) -> None:
    for bearer in ("Bearer nonsense", "Bearer eyJhbGciOiJub25lIn0.e30.", "Basic Og=="):
        headers = {"authorization": bearer}
        assert call(wire, "POST", SGX, headers=headers).status_code == 200
        assert wire.get("/certs", headers=headers).status_code == 200

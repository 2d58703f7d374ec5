"""A service as an operator runs it: sealed, with TLS of its own, without development (design 8 and 9, IN-11)."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from assay.store import SealingKey
from tests.service.authority import Authority, make_authority
from tests.service.material import (
    HELD,
    PERMIT,
    SGX,
    held_data,
    open_enclave_body,
    refusal_of,
    sgx_body,
)
from tests.service.raw import Connection
from tests.service.running import Running, free_port, running, trusting, wait_for

DEVELOPMENT_BY_STEALTH = {
    "ASSAY_DEV": "1",
    "ASSAY_SERVE_DEV": "1",
    "ASSAY_SERVE_UNSAFE_NO_REVOCATION": "1",
    "ASSAY_SERVE_UNSAFE_VERIFY_AT": "2026-03-01T12:30:15Z",
}


@dataclass(frozen=True)
class Production:
    service: Running
    authority: Authority
    certificate: Path
    key: Path


@pytest.fixture(scope="module")
def production(tmp_path_factory, collateral):
    folder = tmp_path_factory.mktemp("production")
    authority = make_authority(folder)
    certificate, key = folder / "server.pem", folder / "server.key"
    authority.issue(certificate, key)
    port = free_port()
    common = ("--port", str(port), "--base-url", f"https://localhost:{port}/", "--offline")
    options = (*common, "--tls-cert", str(certificate), "--tls-key", str(key), "--collateral", str(collateral))
    more = {"ASSAY_SEALING_KEY": SealingKey.generate_text(), **DEVELOPMENT_BY_STEALTH}
    with running(folder / "state", *options, more=more) as service:
        yield Production(service, authority, certificate, key)


@pytest.fixture
def wire(production: Production):
    with production.service.client(production.authority.ca) as client:
        yield client


def test_the_base_url_loses_its_trailing_slash(production: Production, wire) -> None:
    assert not production.service.url.endswith("/")
    assert wire.get("/.well-known/openid-configuration").json()["issuer"] == production.service.url


def test_simulated_evidence_is_refused_by_key(wire) -> None:
    bodies = [(SGX, sgx_body()), (SGX.replace("SgxEnclave", "OpenEnclave"), open_enclave_body())]
    bodies += [(SGX, sgx_body(runtimeData=held_data(HELD, "JSON"), draftPolicyForAttestation=PERMIT))]
    for path, body in bodies:
        error = refusal_of(wire.post(path, json=body), 400, "InvalidParameter")
        assert error["deciding"]["target"] == "pck_chain.root"
        assert error["deciding"]["code"] == "PckRootUntrusted"


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("&dev=true&dev=1&development=true", {}),
        ("&unsafe-verify-at=2026-03-01T12:30:15Z&unsafe_no_revocation=1", {}),
        ("&explain=true", {"x-assay-dev": "1", "x-dev": "true", "x-development-mode": "on"}),
        ("", {"x-forwarded-for": "127.0.0.1", "x-assay-unsafe": "simulator", "host": "localhost.dev"}),
    ],
)
def test_development_cannot_be_switched_on_by_a_request(wire, query: str, headers: dict[str, str]) -> None:
    """Attack case IN-11; the environment of this service asks for it too."""
    error = refusal_of(wire.post(SGX + query, json=sgx_body(), headers=headers), 400, "InvalidParameter")
    assert error["deciding"]["target"] == "pck_chain.root"


def test_nothing_of_development_was_made(production: Production) -> None:
    assert "DEVELOPMENT" not in production.service.said()
    assert not (production.service.state_dir / "dev").exists()


@pytest.mark.parametrize("path", ["/attest/SgxEnclave", "/attest/Tee/SgxEnclave", "/attest/Tee/OpenEnclave"])
def test_2018_needs_a_bearer(wire, path: str) -> None:
    for headers in ({}, {"authorization": "Bearer anything"}):
        response = wire.post(f"{path}?api-version=2018-09-01-preview", json=sgx_body(), headers=headers)
        refusal_of(response, 401, "Unauthorized")
        challenge = response.headers["www-authenticate"]
        assert challenge.startswith("Bearer ")
        assert 'resource="https://attest.azure.net"' in challenge


def test_plain_http_and_old_tls_are_refused(production: Production) -> None:
    with pytest.raises(httpx2.TransportError):
        httpx2.get(production.service.url.replace("https", "http") + "/certs")
    old = trusting(production.authority.ca)
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.minimum_version = ssl.TLSVersion.TLSv1_1
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(httpx2.TransportError):
        httpx2.get(production.service.url + "/certs", verify=old)


def serial(production: Production) -> int:
    from cryptography import x509

    connection = Connection(production.service, ca=production.authority.ca)
    with connection:
        der = connection.socket.getpeercert(binary_form=True)
    assert der is not None
    return x509.load_der_x509_certificate(der).serial_number


def test_a_new_tls_certificate_is_served_without_a_restart(production: Production, wire) -> None:
    before = serial(production)
    assert wire.get("/livez").status_code == 200
    # Key and certificate arrive one after the other; in between the old pair must go on serving.
    good = production.certificate.read_bytes(), production.key.read_bytes()
    production.certificate.write_text("half of a certificate")
    wait_for(lambda: "refresh failed" in production.service.said(), what="the notice of an unusable certificate")
    assert serial(production) == before
    production.certificate.write_bytes(good[0])
    issued = production.authority.issue(production.certificate, production.key)
    wait_for(lambda: serial(production) == issued, what="the new certificate")
    # The connection that was open stays so.
    assert wire.get("/livez").status_code == 200
    assert before != issued


def test_a_missing_tls_file_does_not_end_the_service(production: Production, wire) -> None:
    content = production.key.read_bytes()
    said = len(production.service.said())
    production.key.unlink()
    wait_for(lambda: "TLS" in production.service.said()[said:], what="the notice of a missing key")
    assert serial(production)
    production.key.write_bytes(content)
    issued = production.authority.issue(production.certificate, production.key)
    wait_for(lambda: serial(production) == issued, what="the new certificate")


def test_forwarded_headers_move_nothing_that_a_token_says(production: Production, wire) -> None:
    forwarded = {
        "x-forwarded-host": "evil.example",
        "x-forwarded-proto": "http",
        "x-forwarded-port": "1",
        "x-forwarded-prefix": "/x",
        "forwarded": "host=evil.example;proto=http",
        "host": "evil.example",
    }
    document = wire.get("/.well-known/openid-configuration", headers=forwarded)
    assert "evil" not in document.text
    assert document.json()["issuer"] == production.service.url


def test_behind_a_proxy_that_ends_tls(tmp_path) -> None:
    port = free_port()
    options = ("--port", str(port), "--base-url", "https://attest.example.org", "--offline")
    more = {"ASSAY_SEALING_KEY": SealingKey.generate_text()}
    with running(tmp_path / "state", *options, "--trusted-proxy", "127.0.0.1", more=more) as service:
        assert service.url == "https://attest.example.org"
        address = f"http://127.0.0.1:{port}"
        forwarded = {"x-forwarded-for": "203.0.113.9, not an address", "x-forwarded-proto": "https"}
        for headers in ({}, forwarded, {"x-forwarded-proto": "gopher", "x-forwarded-for": ",,,"}):
            document = httpx2.get(f"{address}/.well-known/openid-configuration", headers=headers).json()
            assert document["issuer"] == "https://attest.example.org"
            assert document["jwks_uri"] == "https://attest.example.org/certs"


def test_secrets_and_evidence_are_not_logged(production: Production, wire) -> None:
    body = sgx_body(nonce="a-secret-nonce", runtimeData=held_data(b"a secret", "Binary"))
    wire.post(SGX, json=body, headers={"authorization": "Bearer a-secret-bearer"})
    said = production.service.said()
    assert "a-secret" not in said
    assert body["quote"][:40] not in said
    assert held_data(b"a secret", "Binary")["data"] not in said

"""Providers over the wire: how they are addressed, and what each of their settings does."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from assay.simulator import Enclave, simulate_sgx
from assay.simulator.intel.enclave import DEBUG
from tests.administrators import PERMIT_ALL, b64url, unsecured
from tests.service.administration import GROUP, Administered, administered
from tests.service.in_process import development
from tests.service.material import AT, SGX, refusal_of, sgx_body, token_of

if TYPE_CHECKING:
    from collections.abc import Iterator

FAST = {"signingAlgorithm": "ES256"}
HOST = "contoso.attest.example"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, collateral) -> Iterator[Administered]:
    with administered(development(tmp_path_factory.mktemp("providers"), (collateral,))) as running:
        running.create("contoso", assay={**FAST, "baseUrl": f"https://{HOST}"})
        running.create("fabrikam", assay=FAST)
        yield running


def issuer_at(served: Administered, prefix: str = "", host: str | None = None) -> dict[str, Any]:
    token = token_of(served.ask("POST", f"{prefix}{SGX}", sgx_body(), role=None, host=host))
    assert token.header["jku"] == f"{token.payload['iss']}/certs"
    key_set = served.ask("GET", f"{prefix}/certs", role=None, version=None, host=host).json()
    key = next(key for key in key_set["keys"] if key["kid"] == token.header["kid"])
    certificate = x509.load_der_x509_certificate(base64.b64decode(key["x5c"][0]))
    (name,) = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    found = served.ask("GET", f"{prefix}/.well-known/openid-configuration", role=None, version=None, host=host).json()
    # rest-api 5.3: one text, everywhere.
    assert found["issuer"] == name.value == token.payload["iss"]
    assert found["jwks_uri"] == token.header["jku"]
    return {"iss": found["issuer"], "kid": key["kid"]}


def test_each_provider_has_an_issuer_and_a_key_of_its_own(served: Administered) -> None:
    default = issuer_at(served)
    contoso = issuer_at(served, host=HOST)
    fabrikam = issuer_at(served, "/provider/fabrikam")
    assert default["iss"] == served.base_url
    assert contoso["iss"] == f"https://{HOST}"
    assert fabrikam["iss"] == f"{served.base_url}/provider/fabrikam"
    assert len({each["kid"] for each in (default, contoso, fabrikam)}) == 3


@pytest.mark.parametrize("host", [HOST, HOST.upper(), f"{HOST}:8443"])
def test_a_host_name_addresses_its_provider(served: Administered, host: str) -> None:
    assert issuer_at(served, host=host)["iss"] == f"https://{HOST}"


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1:8443", "[::1]:8443", "attest.example", f"x{HOST}", f"{HOST}.evil.example", ""]
)
def test_any_other_host_is_the_default_providers(served: Administered, host: str) -> None:
    assert issuer_at(served, host=host)["iss"] == served.base_url


def test_a_prefix_counts_more_than_a_host(served: Administered) -> None:
    assert issuer_at(served, "/provider/fabrikam", HOST)["iss"] == f"{served.base_url}/provider/fabrikam"
    assert issuer_at(served, "/Provider/Contoso")["iss"] == f"https://{HOST}"
    assert issuer_at(served, "/provider//contoso/")["iss"] == f"https://{HOST}"


@pytest.mark.parametrize(
    "path", ["/provider", "/provider/", "/provider/nobody/certs", "/provider/contoso", "/provider//certs"]
)
def test_other_prefixes_address_nothing(served: Administered, path: str) -> None:
    refusal_of(served.ask("GET", path, role=None, version=None), 404, "NotFound")


def patch(served: Administered, name: str, **properties: Any) -> None:
    response = served.manage("PATCH", f"{GROUP}/{name}", {"properties": properties})
    assert response.status_code == 200, response.text


def test_the_lifetime_of_tokens_is_a_setting(served: Administered) -> None:
    served.create("lifetime", assay={**FAST, "tokenLifetimeInMinutes": 5})
    path = f"/provider/lifetime{SGX}"

    def lifetime() -> int:
        claims = token_of(served.ask("POST", path, sgx_body(), role=None)).payload
        return claims["exp"] - claims["iat"]

    assert lifetime() == 300
    patch(served, "lifetime", assay={"tokenLifetimeInMinutes": None})
    assert lifetime() == 28800
    # Result tokens have their own (rest-api 6.2).
    claims = served.claims("PUT", "/provider/lifetime/policies/SgxEnclave", unsecured(PERMIT_ALL))
    assert claims["exp"] - claims["iat"] == 3600


def test_the_algorithm_is_a_setting_and_old_keys_stay_listed(served: Administered) -> None:
    served.create("algorithm", assay=FAST)
    path = "/provider/algorithm"

    def used() -> tuple[str, str]:
        header = token_of(served.ask("POST", f"{path}{SGX}", sgx_body(), role=None)).header
        return header["alg"], header["kid"]

    algorithm, old = used()
    assert algorithm == "ES256"
    patch(served, "algorithm", assay={"signingAlgorithm": "RS256"})
    algorithm, new = used()
    assert algorithm == "RS256"
    key_set = served.ask("GET", f"{path}/certs", role=None, version=None).json()
    assert {key["kid"] for key in key_set["keys"] if len(key["x5c"]) == 1} == {old, new}
    discovery = served.ask("GET", f"{path}/.well-known/openid-configuration", role=None, version=None).json()
    assert set(discovery["id_token_signing_alg_values_supported"]) == {"RS256", "ES256"}


def attest_debug(served: Administered, name: str):
    enclave = simulate_sgx(AT, enclave=replace(Enclave(), flags=Enclave().flags | DEBUG))
    return served.ask("POST", f"/provider/{name}{SGX}", {"quote": b64url(enclave.evidence)}, role=None)


def test_debug_enclaves_are_a_setting(served: Administered) -> None:
    served.create("debug", assay=FAST)
    assert token_of(attest_debug(served, "debug")).payload["x-ms-sgx-is-debuggable"] is True
    patch(served, "debug", assay={"allowDebug": False})
    error = refusal_of(attest_debug(served, "debug"), 400, "InvalidParameter")
    assert error["deciding"]["target"] == "enclave.debug"
    patch(served, "debug", assay={"allowDebug": None, "strict": True})
    refusal_of(attest_debug(served, "debug"), 400, "InvalidParameter")
    # Only there.
    assert attest_debug(served, "fabrikam").status_code == 200


def test_platform_rules_are_a_setting(served: Administered) -> None:
    """The synthetic platform's FMSPC is of no known processor."""
    admitted = {"generations": {"allow": ["5CA1AB1E0001"]}, "minimumTcb": {"5ca1ab1e0001": {"pce": 13}}}
    served.create("ruled", assay={**FAST, "platformRules": admitted})
    path = f"/provider/ruled{SGX}&explain=true"

    def deciding() -> str:
        bare = {"quote": sgx_body()["quote"]}
        error = refusal_of(served.ask("POST", path, bare, role=None), 400, "InvalidParameter")
        return str(error["deciding"]["target"])

    answer = served.ask("POST", path, sgx_body(), role=None)
    assert answer.status_code == 200
    outcomes = {entry["target"]: entry["outcome"] for entry in answer.json()["verdict"]}
    assert (outcomes["platform.generation"], outcomes["tcb.minimum"]) == ("passed", "passed")
    assert outcomes["platform.ppid"] == "not applicable"
    patch(served, "ruled", assay={"platformRules": {"generations": {"allow": ["Milan"]}}})
    assert deciding() == "platform.generation"
    patch(served, "ruled", assay={"platformRules": {"requireRuntimeData": True}})
    assert deciding() == "runtime_data.present"
    shown = served.manage("GET", f"{GROUP}/ruled").json()["properties"]["assay"]
    assert shown["platformRules"] == {"requireRuntimeData": True}
    patch(served, "ruled", assay={"platformRules": None})
    assert served.ask("POST", path, sgx_body(), role=None).status_code == 200
    # Only there.
    assert attest_debug(served, "fabrikam").status_code == 200


def test_accepted_tcb_statuses_are_a_setting(served: Administered) -> None:
    """The synthetic platform is up to date."""
    served.create("statuses", assay={**FAST, "acceptedTcbStatuses": ["OutOfDate"]})
    path = f"/provider/statuses{SGX}"
    error = refusal_of(served.ask("POST", path, sgx_body(), role=None), 400, "InvalidParameter")
    assert error["deciding"]["target"] == "tcb.status"
    patch(served, "statuses", assay={"acceptedTcbStatuses": ["UpToDate", "OutOfDate"]})
    token_of(served.ask("POST", path, sgx_body(), role=None))
    shown = served.manage("GET", f"{GROUP}/statuses").json()["properties"]["assay"]
    assert shown["acceptedTcbStatuses"] == ["OutOfDate", "UpToDate"]


@pytest.mark.parametrize(
    ("address", "is_private"),
    [
        ("127.0.0.1", True),
        ("10.1.2.3", True),
        ("172.31.255.255", True),
        ("192.168.0.1", True),
        ("::1", True),
        ("fd00::1", True),
        ("::ffff:10.1.2.3", True),
        ("172.32.0.0", False),
        ("203.0.113.9", False),
        ("2001:db8::1", False),
        ("::ffff:203.0.113.9", False),
        ("fe00::1", False),
        ("unix", False),
        ("", False),
    ],
)
def test_a_provider_without_public_access_answers_private_networks(
    served: Administered, address: str, is_private: bool
) -> None:
    name = "private"
    if name not in served.application.state.providers.by_name:
        served.create(name, assay=FAST, publicNetworkAccess="Disabled")
    for path in ("/certs", "/.well-known/openid-configuration"):
        response = served.ask_from(address, "GET", f"/provider/{name}{path}")
        if is_private:
            assert response.status_code == 200, response.text
        else:
            refusal_of(response, 403, "Forbidden")
        assert served.ask_from(address, "GET", f"/provider/fabrikam{path}").status_code == 200


def test_a_provider_without_public_access_refuses_before_it_knows_the_caller(served: Administered) -> None:
    served.create("closed", assay=FAST, publicNetworkAccess="Disabled")
    response = served.ask_from("203.0.113.9", "GET", "/provider/closed/policies/SgxEnclave?api-version=2020-10-01")
    refusal_of(response, 403, "Forbidden")
    patch(served, "closed", publicNetworkAccess="Enabled")
    response = served.ask_from("203.0.113.9", "GET", "/provider/closed/policies/SgxEnclave?api-version=2020-10-01")
    refusal_of(response, 401, "Unauthorized")

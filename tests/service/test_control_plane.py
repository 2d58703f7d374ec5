"""The control plane over the wire: what `azure-mgmt-attestation` does not show of it (rest-api 14, attack case IN-10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.administrators import PERMIT_ALL, make_signer, signer, unsecured
from tests.service.administration import GROUP, SUBSCRIPTION, Administered, administered
from tests.service.in_process import development
from tests.service.material import SGX, claims_of, refusal_of, sgx_body, token_of

if TYPE_CHECKING:
    from collections.abc import Iterator

ALICE, BOB = signer("alice"), signer("bob")
SCOPE = f"/subscriptions/{SUBSCRIPTION}"
OURS = "/providers/Microsoft.Attestation"
FAST = {"signingAlgorithm": "ES256"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, collateral) -> Iterator[Administered]:
    with administered(development(tmp_path_factory.mktemp("control"), (collateral,))) as running:
        yield running


def body(**properties: Any) -> dict[str, Any]:
    return {"location": "here", "properties": {"assay": FAST, **properties}}


def test_a_new_provider_is_201_and_the_same_again_200(served: Administered) -> None:
    path = f"{GROUP}/created"
    first = served.manage("PUT", path, body())
    assert first.status_code == 201
    again = served.manage("PUT", path, body())
    assert (again.status_code, again.json()) == (200, first.json())
    assert served.manage("GET", path).json() == first.json()
    assert first.json() == {
        "id": path,
        "name": "created",
        "type": "Microsoft.Attestation/attestationProviders",
        "location": "here",
        "tags": {},
        "properties": {
            "attestUri": f"{served.base_url}/provider/created",
            "publicNetworkAccess": "Enabled",
            "status": "Ready",
            "tpmAttestationAuthentication": "Enabled",
            "trustModel": "AAD",
            "assay": {"signingAlgorithm": "ES256"},
        },
    }


def test_members_and_values_compare_without_regard_to_case(served: Administered) -> None:
    made = served.manage(
        "PUT",
        f"{GROUP.upper().replace('MICROSOFT', 'microsoft')}/CASELESS",
        {"Location": "here", "PROPERTIES": {"PublicNetworkAccess": "disabled", "ASSAY": {"SigningAlgorithm": "ES256"}}},
    )
    assert made.status_code == 201, made.text
    assert made.json()["name"] == "caseless"
    assert made.json()["properties"]["publicNetworkAccess"] == "Disabled"
    assert served.manage("GET", f"{GROUP}/CaseLess").status_code == 200


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"location": 1},
        {"location": "here", "properties": []},
        {"location": "here", "tags": {"a": 1}},
        {"location": "here", "tags": {str(number): "x" for number in range(51)}},
        {"location": "here", "tags": {"a": "x" * 513}},
        body(publicNetworkAccess="Sometimes"),
        body(publicNetworkAccess=True),
        body(tpmAttestationAuthentication="No"),
        body(policySigningCertificates=[]),
        body(policySigningCertificates={}),
        body(policySigningCertificates={"keys": {}}),
        body(policySigningCertificates={"keys": ["x"]}),
        body(policySigningCertificates={"keys": [{"kty": "RSA"}]}),
        body(policySigningCertificates={"keys": [{"x5c": ["AAAA"]}]}),
        body(policySigningCertificates={"keys": [make_signer("Leaf", ca=False).jwk]}),
        body(policySigningCertificates={"keys": [make_signer("Weak", "RSA1024").jwk]}),
        body(assay=[]),
        body(assay={"unknown": 1}),
        body(assay={"tokenLifetimeInMinutes": 0}),
        body(assay={"tokenLifetimeInMinutes": True}),
        body(assay={"tokenLifetimeInMinutes": 525601}),
        body(assay={"signingAlgorithm": "none"}),
        body(assay={"signingAlgorithm": "HS256"}),
        body(assay={"acceptedTcbStatuses": ["Revoked"]}),
        body(assay={"acceptedTcbStatuses": "UpToDate "[:0]}),
        body(assay={"allowDebug": "yes"}),
        body(assay={"strict": 1}),
        body(assay={"platformRules": []}),
        body(assay={"platformRules": {"unknown": 1}}),
        body(assay={"platformRules": {"ppids": {"allow": ["zz"]}}}),
        body(assay={"platformRules": {"graceDays": {"Revoked": 3}}}),
        body(assay={"shared": None}),
        body(assay={"baseUrl": "ftp://elsewhere"}),
        body(assay={"baseUrl": "https://elsewhere/path"}),
        body(assay={"baseUrl": "https://localhost"}),
        body(assay={"shared": True}, policySigningCertificates={"keys": [ALICE.jwk]}),
    ],
)
def test_a_body_that_cannot_be_meant_creates_nothing(served: Administered, sent: dict[str, Any]) -> None:
    response = served.manage("PUT", f"{GROUP}/refused", sent)
    assert response.status_code == 400, response.text
    assert response.json()["error"]["message"]
    assert served.manage("GET", f"{GROUP}/refused").status_code == 404
    assert "refused" not in served.application.state.providers.by_name


@pytest.mark.parametrize(
    "name",
    [
        "ab",
        "a" * 25,
        "-abc",
        "abc-",
        "a_b",
        "a.b",
        "a b",
        "..",
        "a%2Fb",
        "..%2F..%2Fetc",
        "%2e%2e",
        "a%00b",
        "a%0ab",
        "abc%E2%84%AA",
        "a\\b",
        "a;b",
        "*",
        "{name}",
        "a:reset",
    ],
)
def test_names_that_could_be_something_else_are_refused(served: Administered, name: str) -> None:
    """Attack case IN-10."""
    before = set(served.application.state.providers.by_name)
    response = served.manage("PUT", f"{GROUP}/{name}", body())
    assert response.status_code in (400, 404, 405), response.text
    assert set(served.application.state.providers.by_name) == before


def test_the_operators_role_changes_and_others_read_what_is_theirs(served: Administered) -> None:
    path = f"{GROUP}/roles"
    for role in (None, "reader", "contributor"):
        refusal_of(served.manage("PUT", path, body(), role=role), 401, "Unauthorized")
    assert served.manage("PUT", path, body()).status_code == 201
    for role in (None, "reader", "contributor"):
        refusal_of(served.manage("PATCH", path, {"tags": {"a": "b"}}, role=role), 401, "Unauthorized")
        refusal_of(served.manage("DELETE", path, role=role), 401, "Unauthorized")
    for role in ("reader", "contributor"):
        assert served.manage("GET", path, role=role).json()["tags"] == {}
        assert served.manage("GET", GROUP, role=role).status_code == 200
    for subject in (path, GROUP, f"{SCOPE}{OURS}/defaultProviders", f"{OURS}/operations"):
        refusal_of(served.manage("GET", subject, role=None), 401, "Unauthorized")


def test_another_group_and_subscription_see_nothing(served: Administered) -> None:
    served.create("elsewhere", assay=FAST)
    other = GROUP.replace("/group/", "/other/")
    stranger = GROUP.replace(SUBSCRIPTION, "another-subscription")
    for prefix in (other, stranger):
        path = f"{prefix}/elsewhere"
        refusal_of(served.manage("GET", path), 404, "ResourceNotFound")
        refusal_of(served.manage("PATCH", path, {"tags": {}}), 404, "ResourceNotFound")
        refusal_of(served.manage("PUT", path, body()), 409, "ResourceNameConflict")
        assert served.manage("DELETE", path).status_code == 204
        assert served.manage("GET", prefix).json() == {"value": []}
    assert served.manage("GET", f"{GROUP}/elsewhere").status_code == 200


@pytest.mark.parametrize("version", ["2018-09-01-preview", "2020-10-01", "2021-06-01-preview", "2021-06-01"])
def test_every_version_of_the_control_plane_is_served(served: Administered, version: str) -> None:
    assert served.ask("GET", GROUP, role="operator", version=version).status_code == 200


@pytest.mark.parametrize("version", ["2022-08-01", "2021-06-02", "", "2021-06-01-PREVIEW"])
def test_another_version_is_refused(served: Administered, version: str) -> None:
    response = served.ask("GET", GROUP, role="operator", version=version)
    refusal_of(response, 400, "InvalidApiVersionParameter")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("DELETE", GROUP, 405),
        ("PUT", f"{SCOPE}{OURS}/defaultProviders", 405),
        ("POST", f"{GROUP}/created", 405),
        ("GET", f"{SCOPE}/resourceGroups/group{OURS}/other", 404),
        ("GET", f"{SCOPE}{OURS}/attestationProviders/created", 404),
        ("GET", f"{GROUP}/created/policies", 404),
        ("GET", f"/provider/created{GROUP}", 404),
        ("GET", f"/provider/default{GROUP}", 404),
    ],
)
def test_there_is_nothing_at_other_addresses(served: Administered, method: str, path: str, status: int) -> None:
    response = served.manage(method, path, {} if method in ("PUT", "POST") else None)
    assert response.status_code == status, response.text


def test_the_default_provider_is_there_and_stays(served: Administered) -> None:
    path = "/subscriptions/local/resourceGroups/local/providers/Microsoft.Attestation/attestationProviders/default"
    found = served.manage("GET", path).json()
    assert (found["name"], found["properties"]["attestUri"]) == ("default", served.base_url)
    refusal_of(served.manage("DELETE", path), 400, "InvalidOperation")
    assert served.manage("GET", path).json() == found


def test_the_trust_model_does_not_change(served: Administered) -> None:
    """rest-api 8.1."""
    served.create("fixed-aad", assay=FAST)
    served.create("fixed-iso", signers=(ALICE,), assay=FAST)
    to_isolated = body(policySigningCertificates={"keys": [BOB.jwk]})
    refusal_of(served.manage("PUT", f"{GROUP}/fixed-aad", to_isolated), 400, "InvalidOperation")
    refusal_of(served.manage("PUT", f"{GROUP}/fixed-iso", to_isolated), 400, "InvalidOperation")
    to_aad = body(policySigningCertificates={"keys": []})
    refusal_of(served.manage("PUT", f"{GROUP}/fixed-iso", to_aad), 400, "InvalidOperation")
    for change in ({"properties": {"trustModel": "AAD", "status": "Error"}}, body(), {"tags": {"a": "b"}}):
        served.manage("PATCH", f"{GROUP}/fixed-iso", change)
        served.manage("PATCH", f"{GROUP}/fixed-aad", change)
    models = [
        served.manage("GET", f"{GROUP}/{name}").json()["properties"]["trustModel"]
        for name in ("fixed-aad", "fixed-iso")
    ]
    assert models == ["AAD", "Isolated"]
    refusal_of(
        served.ask("PUT", "/provider/fixed-iso/policies/SgxEnclave", unsecured(PERMIT_ALL)), 400, "InvalidOperation"
    )


def test_a_deleted_provider_answers_nothing_and_comes_back_new(served: Administered) -> None:
    served.create("phoenix", signers=(ALICE,), assay=FAST)
    path = "/provider/phoenix"
    served.claims("PUT", f"{path}/policies/SgxEnclave", ALICE.policy(PERMIT_ALL))
    old = token_of(served.ask("POST", f"{path}{SGX}", sgx_body(), role=None))
    assert served.manage("DELETE", f"{GROUP}/phoenix").status_code == 200
    for method, subject in (("GET", "/certs"), ("GET", "/policies/SgxEnclave"), ("POST", "/attest/SgxEnclave")):
        assert served.ask(method, f"{path}{subject}").status_code == 404
    served.create("phoenix", assay=FAST)
    new = token_of(served.ask("POST", f"{path}{SGX}", sgx_body(), role=None))
    assert new.header["kid"] != old.header["kid"]
    assert new.payload["x-ms-policy-hash"] != old.payload["x-ms-policy-hash"]
    assert old.header["kid"] not in served.ask("GET", f"{path}/certs", role=None).text
    assert served.ask("GET", f"{path}/policies/SgxEnclave:history", role="reader").json() == {"versions": []}


def test_two_providers_never_have_one_address(tmp_path, collateral) -> None:
    settings = development(tmp_path / "state", (collateral,), provider_url="https://{name}.attest.example")
    with administered(settings) as served:
        first = served.create("contoso", assay=FAST)
        assert first["properties"]["attestUri"] == "https://contoso.attest.example"
        taken = body(assay={"baseUrl": "https://CONTOSO.attest.example"})
        refusal_of(served.manage("PUT", f"{GROUP}/fabrikam", taken), 400, "InvalidOperation")
        served.create("squatter", assay={**FAST, "baseUrl": "https://later.attest.example"})
        refusal_of(served.manage("PUT", f"{GROUP}/later", body()), 400, "InvalidOperation")
        # The control: another change of the same provider, and another name.
        assert served.manage("PATCH", f"{GROUP}/squatter", {"tags": {"a": "b"}}).status_code == 200
        served.create("fabrikam", assay=FAST)
        by_host = claims_of(served.ask("POST", SGX, sgx_body(), role=None, host="later.attest.example"))
        assert by_host["iss"] == "https://later.attest.example"

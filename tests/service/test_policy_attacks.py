"""Attacks on who may change what, and on what a policy may cost (attack cases POL-03, 06, 07, 09 to 11, 13; IN-10)."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest

from assay.service.access import Grant, Role
from assay.service.access.terms import GrantRule
from tests.administrators import PERMIT_ALL, policy_hash_of, signer, unsecured
from tests.service.access.openid_issuer import OpenIdIssuer, openid_issuer
from tests.service.administration import GROUP, Administered, administered
from tests.service.authority import make_authority
from tests.service.in_process import development
from tests.service.material import PERMIT, SGX, claims_of, refusal_of, sgx_body, token_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx2

ALICE, BOB = signer("alice"), signer("bob")
FAST = {"signingAlgorithm": "ES256"}
HERE, THERE = "contoso", "fabrikam"
POLICY = "/policies/SgxEnclave"
# What a bearer of one provider tries at the other; the role that would do there.
ADMINISTRATION = {
    "read a policy": ("GET", POLICY, None),
    "set a policy": ("PUT", POLICY, unsecured(PERMIT)),
    "set a signed policy": ("PUT", POLICY, ALICE.policy(PERMIT)),
    "reset a policy": ("POST", f"{POLICY}:reset", "eyJhbGciOiJub25lIn0.."),
    "read the history": ("GET", f"{POLICY}:history", None),
    "roll a policy back": ("POST", f"{POLICY}:rollback", {"number": 1}),
    "read the signers": ("GET", "/certificates", None),
    "add a signer": ("POST", "/certificates:add", ALICE.certificate_change(BOB)),
    "remove a signer": ("POST", "/certificates:remove", ALICE.certificate_change(ALICE)),
}
CHANGES = [name for name, (method, _, _) in ADMINISTRATION.items() if method != "GET"]


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenIdIssuer]:
    directory = tmp_path_factory.mktemp("openid")
    with openid_issuer(make_authority(directory), directory) as running:
        yield running


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, collateral, issuer: OpenIdIssuer) -> Iterator[Administered]:
    rules = tuple(
        GrantRule("roles", f"{role.value} of {name}", Grant(role, name))
        for role in (Role.READER, Role.CONTRIBUTOR)
        for name in (HERE, THERE)
    )
    issuers = (issuer.trusted(rules=rules),)
    with administered(development(tmp_path_factory.mktemp("attacks"), (collateral,), issuers=issuers)) as running:
        running.create(HERE, assay={**FAST, "baseUrl": "https://contoso.example"})
        running.create(THERE, signers=(ALICE,), assay=FAST)
        running.claims("PUT", f"/provider/{THERE}{POLICY}", ALICE.policy(PERMIT), role="operator")
        yield running


def as_somebody(issuer: OpenIdIssuer, *roles: str, **members: object) -> dict[str, str]:
    now = int(time.time())
    said: dict[str, Any] = {"iat": now, "nbf": now, "exp": now + 600, "roles": list(roles), **members}
    return {"Authorization": f"Bearer {issuer.token(**said)}"}


def tried(served: Administered, headers: dict[str, str], name: str, path: str, **more: Any) -> httpx2.Response:
    method, operation, body = ADMINISTRATION[name]
    return served.ask(method, f"{path}{operation}", body, role=None, headers=headers, **more)


@pytest.mark.parametrize("name", ADMINISTRATION)
def test_a_role_at_one_provider_is_none_at_another(served: Administered, issuer: OpenIdIssuer, name: str) -> None:
    """Attack case POL-11: by path, by host, by the installation's own address, in every spelling."""
    headers = as_somebody(issuer, f"contributor of {HERE}", f"reader of {HERE}")
    for path in (f"/provider/{THERE}", f"/PROVIDER/{THERE.upper()}", f"/provider//{THERE}", ""):
        refusal_of(tried(served, headers, name, path), 401, "Unauthorized")
    # The host names one provider, the path another: the path counts, and the role is asked for there.
    refusal_of(tried(served, headers, name, f"/provider/{THERE}", host="contoso.example"), 401, "Unauthorized")


@pytest.mark.parametrize(
    "path",
    [
        f"/provider/{HERE}/../{THERE}",
        f"/provider/{HERE}%2f..%2f{THERE}",
        f"/provider/%2e%2e/{THERE}",
        f"/provider/{HERE};/{THERE}",
        f"/provider/{THERE}%00",
        f"/provider/{THERE}.",
        f"/provider/\u212a{THERE}",
    ],
)
def test_no_spelling_of_a_path_reaches_another_provider(served: Administered, issuer: OpenIdIssuer, path: str) -> None:
    """Attack cases POL-11 and IN-10."""
    headers = as_somebody(issuer, f"contributor of {HERE}")
    response = served.ask("GET", f"{path}{POLICY}", role=None, headers=headers)
    assert response.status_code in (400, 401, 404), response.text


def test_the_controls_a_role_counts_where_it_was_given(served: Administered, issuer: OpenIdIssuer) -> None:
    here, there = as_somebody(issuer, f"contributor of {HERE}"), as_somebody(issuer, f"reader of {THERE}")
    for place in ({"path": f"/provider/{HERE}"}, {"path": "", "host": "contoso.example"}):
        claims = claims_of(tried(served, here, "set a policy", **place))
        assert claims["x-ms-policy-result"] == "Updated"
    assert claims_of(tried(served, there, "read a policy", f"/provider/{THERE}"))["x-ms-policy"]
    both = as_somebody(issuer, f"contributor of {HERE}", f"reader of {THERE}")
    refusal_of(tried(served, both, "set a signed policy", f"/provider/{THERE}"), 401, "Unauthorized")


@pytest.mark.parametrize("name", CHANGES)
def test_who_only_reads_changes_nothing(served: Administered, issuer: OpenIdIssuer, name: str) -> None:
    """Attack case POL-10: the credential of a relying party, and of nobody."""
    refusal_of(
        tried(served, as_somebody(issuer, f"reader of {THERE}"), name, f"/provider/{THERE}"), 401, "Unauthorized"
    )
    refusal_of(tried(served, {}, name, f"/provider/{THERE}"), 401, "Unauthorized")


@pytest.mark.parametrize("name", ADMINISTRATION)
def test_an_attesters_token_administers_nothing(served: Administered, name: str) -> None:
    """Attack cases POL-10 and TOK-11: an attestation token, and the result of a policy change, as bearers."""
    attested = served.ask("POST", f"/provider/{THERE}{SGX}", sgx_body(), role=None).json()["token"]
    result = served.ask("GET", f"/provider/{THERE}{POLICY}", role="reader").json()["token"]
    for token in (attested, result):
        refusal_of(tried(served, {"Authorization": f"Bearer {token}"}, name, f"/provider/{THERE}"), 401, "Unauthorized")


def test_a_role_at_a_provider_is_none_on_the_control_plane(served: Administered, issuer: OpenIdIssuer) -> None:
    headers = as_somebody(issuer, f"contributor of {HERE}")
    own = f"{GROUP}/{HERE}"
    for method, body in (("PUT", {"location": "x"}), ("PATCH", {"tags": {}}), ("DELETE", None)):
        refusal_of(served.manage(method, own, body, role=None, headers=headers), 401, "Unauthorized")
    refusal_of(served.manage("GET", f"{GROUP}/{THERE}", role=None, headers=headers), 401, "Unauthorized")
    listed = served.manage("GET", GROUP, role=None, headers=headers).json()["value"]
    assert [each["name"] for each in listed] == [HERE]


def test_a_token_of_another_issuer_or_audience_or_time_is_nobodys(served: Administered, issuer: OpenIdIssuer) -> None:
    """Attack cases POL-12 and TOK-08."""
    now = int(time.time())
    cases: tuple[dict[str, object], ...] = (
        {"iss": "https://elsewhere.example"},
        {"iss": f"{served.base_url}/provider/{HERE}"},
        {"aud": "https://vault.azure.net"},
        {"exp": now - 60, "iat": now - 600, "nbf": now - 600},
        {"nbf": now + 300},
        {"nonce": "of an ID token"},
        {"cnf": {"jwk": {}}},
    )
    for members in cases:
        headers = as_somebody(issuer, f"contributor of {HERE}", **members)
        refusal_of(tried(served, headers, "read a policy", f"/provider/{HERE}"), 401, "Unauthorized")


def test_a_policy_signed_for_one_provider_is_not_one_of_another(served: Administered) -> None:
    """Attack case POL-03: the providers have signers of their own."""
    served.create("of-bob", signers=(BOB,), assay=FAST)
    signed = ALICE.policy(PERMIT_ALL)
    refusal_of(served.ask("PUT", f"/provider/of-bob{POLICY}", signed), 400, "InvalidOperation")
    served.claims("PUT", f"/provider/{THERE}{POLICY}", signed)


@pytest.mark.parametrize(
    "sections",
    [
        "authorizationrules{};",
        'authorizationrules{=> permit(); c:[type=="x-ms-attestation-type"] => add(type="x", value=NegateBool(c.value));};',
        'authorizationrules{=> permit();}; issuancerules{=> issue(type="x", value=JmesPath("{}", "a ["));};',
    ],
)
def test_a_policy_that_decides_nothing_or_fails_denies(served: Administered, sections: str) -> None:
    """Attack case POL-06; what does not parse is refused when it is set (test_policies)."""
    served.claims("PUT", f"/provider/{HERE}{POLICY}", unsecured(f"version=1.2; {sections}"))
    refused = served.ask("POST", f"/provider/{HERE}{SGX}", sgx_body(), role=None)
    refusal_of(refused, 400, "PolicyEvaluationError")


JOIN = "&&".join(
    f'c{n}:[type!="q"' + (f", type!=c{n - 1}.type, value!=c{n - 1}.value]" if n else "]") for n in range(6)
)
HOSTILE = {
    "a join": "version=1.0; authorizationrules{" + f"{JOIN} => permit();" * 4 + "};",
    "many rules": "version=1.0; authorizationrules{"
    + 'a:[type!="q"]&&b:[type!=a.type, value!=a.value] => add(type="x", value="1");' * 1900
    + "=> permit();};",
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_draft_does_not_hold_up_other_requests(served: Administered, case: str) -> None:
    """Attack case POL-07: it ends at the documented limits, and whoever asks meanwhile is answered first."""
    body = {**sgx_body(), "draftPolicyForAttestation": HOSTILE[case]}
    client = served.application.client

    async def scene() -> tuple[httpx2.Response, int]:
        path = f"/provider/{HERE}{SGX}"
        hostile = asyncio.create_task(client.request("POST", path, json=body))
        answered = 0
        while not hostile.done():
            await asyncio.sleep(0)  # over ASGI the request below never leaves this task
            assert (await client.request("GET", "/livez")).status_code == 200
            answered += not hostile.done()
        return await hostile, answered

    response, answered = served.runner.run(scene())
    error = refusal_of(response, 400, "PolicyEvaluationError")
    assert "more than" in error["message"] or "more steps" in error["message"]
    # One request is answered while the hostile one is on its way; several of them only beside its evaluation.
    assert answered > 5


def test_a_token_carries_the_digest_of_the_policy_that_was_evaluated(served: Administered) -> None:
    """Attack case POL-09: policies change while evidence is judged."""
    texts = [
        f'version=1.0; authorizationrules{{=> permit();}}; issuancerules{{=> issue(type="number", value={number});}};'
        for number in range(6)
    ]
    hashes = {policy_hash_of(text): number for number, text in enumerate(texts)}
    client, path = served.application.client, f"/provider/{HERE}"
    headers = {"Authorization": f"Bearer {served.bearer('contributor')}", "Content-Type": "text/plain"}

    async def change() -> None:
        for text in texts:
            response = await client.request(
                "PUT", f"{path}{POLICY}?api-version=2020-10-01", content=unsecured(text), headers=headers
            )
            assert response.status_code == 200

    async def attest(seen: set[int]) -> None:
        response = await client.request("POST", f"{path}{SGX}", json=sgx_body())
        claims = token_of(response).payload
        number = hashes[claims["x-ms-policy-hash"]]
        assert claims["number"] == claims["x-ms-policy"]["number"] == number
        seen.add(number)

    async def scene() -> set[int]:
        seen: set[int] = set()
        changing = asyncio.create_task(change())
        while not changing.done():
            await asyncio.sleep(0)
            await asyncio.gather(*(attest(seen) for _ in range(3)))
        await changing
        await attest(seen)
        return seen

    served.claims("PUT", f"{path}{POLICY}", unsecured(texts[0]))
    assert {0, 5} <= served.runner.run(scene())


def test_a_subject_with_line_ends_is_nobody(served: Administered, issuer: OpenIdIssuer) -> None:
    """Attack case POL-13: it would stand in the log and in the audit."""
    for subject in ("a\nlevel=info", "a\x1b[2J", "\u202eevil", ""):
        headers = as_somebody(issuer, f"contributor of {HERE}", sub=subject)
        refusal_of(tried(served, headers, "read a policy", f"/provider/{HERE}"), 401, "Unauthorized")

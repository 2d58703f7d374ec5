"""Policies over the wire: get, set, reset, history, rollback (rest-api 8, 18; attack cases POL-01, POL-02, IN-13)."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete, update

from assay.evidence import POLICY_TYPES
from assay.service.audit import AuditMode
from assay.store.tables import policies as policy_rows
from tests.administrators import (
    PERMIT_ALL,
    RESET,
    b64url,
    make_signer,
    policy_hash_of,
    policy_payload,
    signer,
    token_hash_of,
    unsecured,
)
from tests.service.administration import Administered, administered
from tests.service.in_process import development
from tests.service.material import (
    DENY,
    PERMIT,
    SGX,
    claims_of,
    open_enclave_body,
    refusal_of,
    sgx_body,
    take_apart,
    token_of,
)
from tests.service.test_warm_attest import watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx2

ALICE, BOB = signer("alice"), signer("bob")
TYPES = ("SgxEnclave", "OpenEnclave", "SevSnpVm", "TdxVm", "AzureGuest", "Tpm", "VbsEnclave")
SGX_POLICY = "/policies/SgxEnclave"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, collateral) -> Iterator[Administered]:
    settings = development(tmp_path_factory.mktemp("policies"), (collateral,))
    with administered(settings) as running:
        yield running


@pytest.fixture
def aad(served: Administered, request: pytest.FixtureRequest) -> str:
    """The path of a provider of this test alone."""
    return made(served, request, ())


@pytest.fixture
def isolated(served: Administered, request: pytest.FixtureRequest) -> str:
    return made(served, request, (ALICE,))


def made(served: Administered, request: pytest.FixtureRequest, signers) -> str:
    name = f"{'isolated' if signers else 'aad'}-{hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:8]}"
    served.create(name, signers=signers, assay={"signingAlgorithm": "ES256"})
    return f"/provider/{name}"


def stored_jws(served: Administered, path: str, policy_type: str = "SgxEnclave") -> str:
    claims = served.claims("GET", f"{path}/policies/{policy_type}", role="reader")
    assert set(claims) == {"exp", "iat", "iss", "nbf", "x-ms-policy"}
    return claims["x-ms-policy"]


def policy_in_use(served: Administered, path: str) -> tuple[str, object]:
    claims = claims_of(served.ask("POST", f"{path}{SGX}", sgx_body(), role=None))
    return claims["x-ms-policy-hash"], claims.get("x-ms-policy-signer")


def default_text(policy_type: str) -> str | None:
    """The evidence types' own files; which text they must be is the business of their tests."""
    return POLICY_TYPES[policy_type].default_policy


@pytest.mark.parametrize("policy_type", TYPES)
def test_where_nothing_was_set_the_default_is_answered_unsecured(
    served: Administered, aad: str, policy_type: str
) -> None:
    text = default_text(policy_type)
    jws = stored_jws(served, aad, policy_type)
    assert jws == (RESET if text is None else unsecured(text))
    if policy_type in ("Tpm", "VbsEnclave"):
        assert jws == "eyJhbGciOiJub25lIn0.."


def test_the_default_of_sgx_has_the_recorded_hash(served: Administered, aad: str) -> None:
    """rest-api 8.3: of service builds since 2022."""
    for policy_type in ("SgxEnclave", "OpenEnclave"):
        payload = json.loads(decode(stored_jws(served, aad, policy_type).split(".")[1]))
        digest = hashlib.sha256(payload["AttestationPolicy"].encode()).digest()
        assert b64url(digest) == "ViVGS4BYl70X8eUrgryHg0TtbEk9WtIc6DtTBEFxaWc"


def decode(text: str) -> bytes:
    import base64

    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest.mark.parametrize("policy_type", TYPES)
def test_each_type_has_a_policy_of_its_own(served: Administered, aad: str, policy_type: str) -> None:
    before = {each: stored_jws(served, aad, each) for each in TYPES}
    jws = unsecured(PERMIT_ALL)
    claims = served.claims("PUT", f"{aad}/policies/{policy_type}", jws)
    assert claims["x-ms-policy-result"] == "Updated"
    assert {each: stored_jws(served, aad, each) for each in TYPES} == {**before, policy_type: jws}


@pytest.mark.parametrize("spelling", ["sgxenclave", "SGXENCLAVE", "sgxEnclave"])
def test_types_compare_without_regard_to_case(served: Administered, aad: str, spelling: str) -> None:
    served.claims("PUT", f"{aad}/Policies/{spelling}", unsecured(PERMIT_ALL))
    assert stored_jws(served, aad) == unsecured(PERMIT_ALL)
    served.claims("POST", f"{aad}/policies/{spelling}%3Areset", RESET)
    assert stored_jws(served, aad) != unsecured(PERMIT_ALL)


@pytest.mark.parametrize("name", ["", "Nothing", "SgxEnclave/x", "SgxEnclave ", "Sgx%2FEnclave", "*"])
def test_another_type_is_no_type(served: Administered, aad: str, name: str) -> None:
    for method, body in (("GET", None), ("PUT", unsecured(PERMIT_ALL))):
        response = served.ask(method, f"{aad}/policies/{name}", body)
        assert response.status_code in (400, 404), response.text
        assert "error" in response.json()


def test_a_set_policy_answers_its_hash_and_is_in_force_at_once(served: Administered, aad: str) -> None:
    jws = unsecured(PERMIT)
    token = token_of(served.ask("PUT", f"{aad}{SGX_POLICY}", jws))
    claims = token.payload
    assert set(claims) == {"exp", "iat", "iss", "nbf", "x-ms-policy-result", "x-ms-policy-token-hash"}
    assert (claims["x-ms-policy-result"], claims["x-ms-policy-token-hash"]) == ("Updated", token_hash_of(jws))
    assert claims["iss"] == f"{served.base_url}{aad}"
    assert (claims["nbf"], claims["exp"]) == (claims["iat"], claims["iat"] + 3600)
    assert token.header == {**token.header, "alg": "ES256", "jku": f"{served.base_url}{aad}/certs", "typ": "JWT"}
    assert set(token.header) == {"alg", "jku", "kid", "typ"}
    # rest-api 2.4: compact, keys in ascending order.
    assert token.payload_text == json.dumps(claims, separators=(",", ":"), sort_keys=True).encode()
    assert stored_jws(served, aad) == jws
    assert policy_in_use(served, aad) == (policy_hash_of(PERMIT), None)
    served.claims("PUT", f"{aad}{SGX_POLICY}", unsecured(DENY))
    refusal_of(served.ask("POST", f"{aad}{SGX}", sgx_body(), role=None), 400, "PolicyEvaluationError")
    # Its own type only.
    response = served.ask("POST", f"{aad}/attest/OpenEnclave", open_enclave_body(), role=None)
    assert response.status_code == 200


def test_the_hashes_of_the_libraries_are_reproduced(served: Administered, aad: str) -> None:
    """rest-api 18: recorded."""
    of_python = (
        "eyJhbGciOiJub25lIn0.eyJBdHRlc3RhdGlvblBvbGljeSI6ICJkbVZ5YzJsdmJqMHhMakE3SUdGMWRHaHZjbWw2WVhScGIyNXlkV3hsYzNzOVBp"
        "QndaWEp0YVhRb0tUdDlPeUJwYzNOMVlXNWpaWEoxYkdWemUzMDcifQ."
    )
    claims = served.claims("PUT", f"{aad}{SGX_POLICY}", of_python)
    assert claims["x-ms-policy-token-hash"] == "pyhI2FKMjRkvpvwS07hLclAyvsi5O4TrnzL5OPsIxzM"
    assert stored_jws(served, aad) == of_python
    assert policy_in_use(served, aad)[0] == "z0FRjKS0ssQTNur1V6BV8WIrh9M3fzgTo0EfHRvapWU"


BODIES: dict[str, tuple[str, Callable[[str], str]]] = {
    "raw, text/plain": ("text/plain", str),
    "raw, text/plain with a charset": ("text/plain; charset=utf-8", str),
    "raw, application/json": ("application/json", str),
    "raw with white space around": ("text/plain", lambda jws: f"\r\n {jws}\n"),
    "a JSON string": ("application/json", json.dumps),
    "a JSON string as text/plain": ("text/plain", json.dumps),
    "an object, policyJws": ("application/json", lambda jws: json.dumps({"policyJws": jws})),
    "an object, newAttestationPolicy": (
        "application/json",
        lambda jws: json.dumps({"NewAttestationPolicy": jws, "x": 1}),
    ),
}


@pytest.mark.parametrize("form", BODIES)
def test_a_jws_may_come_in_every_form(served: Administered, aad: str, form: str) -> None:
    content_type, wrap = BODIES[form]
    for jws in (unsecured(PERMIT), ALICE.policy(PERMIT_ALL), BOB.policy_of_python(PERMIT_ALL)):
        response = served.ask("PUT", f"{aad}{SGX_POLICY}", wrap(jws), headers={"Content-Type": content_type})
        assert claims_of(response)["x-ms-policy-token-hash"] == token_hash_of(jws)
        assert stored_jws(served, aad) == jws
    response = served.ask("POST", f"{aad}{SGX_POLICY}:reset", wrap(RESET), headers={"Content-Type": content_type})
    assert claims_of(response)["x-ms-policy-result"] == "Removed"


NO_JWS = {
    "nothing": "",
    "white space": "  ",
    "policy text": PERMIT_ALL,
    "not UTF-8": b"\xff\xfe",
    "an open string": '"abc',
    "a number": "1",
    "null": "null",
    "an empty object": "{}",
    "an object with a number": '{"policyJws":1}',
    "a list": "[]",
    "twice quoted": json.dumps(json.dumps(unsecured(PERMIT_ALL))),
}


@pytest.mark.parametrize("case", NO_JWS)
def test_a_body_without_a_jws_is_refused(served: Administered, aad: str, case: str) -> None:
    before = stored_jws(served, aad)
    response = served.ask("PUT", f"{aad}{SGX_POLICY}", NO_JWS[case])
    assert response.status_code == 400, response.text
    assert response.json()["error"]["code"] in ("InvalidOperation", "InvalidParameter")
    assert stored_jws(served, aad) == before


def test_a_body_beyond_the_bound_is_refused(served: Administered, aad: str) -> None:
    refusal_of(served.ask("PUT", f"{aad}{SGX_POLICY}", "e" * (8 << 20)), 413, "RequestTooLarge")
    refusal_of(served.ask("PUT", f"{aad}{SGX_POLICY}", unsecured("x" * (300 << 10))), 400, "PolicyParsingError")


def test_a_compressed_body_is_refused(served: Administered, aad: str) -> None:
    """Attack case IN-05, as for attest calls."""
    headers = {"Content-Encoding": "gzip"}
    refusal_of(
        served.ask("PUT", f"{aad}{SGX_POLICY}", unsecured(PERMIT_ALL), headers=headers), 415, "UnsupportedMediaType"
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("version=1.0;\n[not a policy", "PolicyParsingError"),
        ("", "PolicyParsingError"),
        ("version=1.0; authorizationrules{=> permit();}", "PolicyParsingError"),
        ("version=1.0; authorizationrules{=> permit(};}; issuancerules{};", "PolicyParsingError"),
    ],
)
def test_a_policy_that_does_not_parse_leaves_the_old_one(served: Administered, aad: str, text: str, code: str) -> None:
    served.claims("PUT", f"{aad}{SGX_POLICY}", unsecured(PERMIT))
    response = served.ask("PUT", f"{aad}{SGX_POLICY}", unsecured(text))
    refusal_of(response, 400, code)
    assert stored_jws(served, aad) == unsecured(PERMIT)
    assert policy_in_use(served, aad)[0] == policy_hash_of(PERMIT)


@pytest.mark.parametrize("kind", ["RSA2048", "P256", "P384"])
def test_a_signed_policy_on_an_aad_provider_names_its_signer(served: Administered, aad: str, kind: str) -> None:
    who = signer("anyone", kind)
    jws = who.policy(PERMIT_ALL)
    claims = served.claims("PUT", f"{aad}{SGX_POLICY}", jws)
    kty = "RSA" if kind == "RSA2048" else "EC"
    assert claims["x-ms-policy-signer"] == {"alg": who.algorithm, "kty": kty, "use": "sig", "x5c": who.x5c}
    assert stored_jws(served, aad) == jws
    assert policy_in_use(served, aad) == (policy_hash_of(PERMIT_ALL), {"kty": kty, "x5c": who.x5c})


def test_the_python_librarys_alg_is_answered_as_rs256(served: Administered, aad: str) -> None:
    claims = served.claims("PUT", f"{aad}{SGX_POLICY}", ALICE.policy_of_python(PERMIT_ALL))
    assert claims["x-ms-policy-signer"] == {"alg": "RS256", "kty": "RSA", "use": "sig", "x5c": ALICE.x5c}


def badly_signed() -> str:
    return make_signer("Mallory").jws(policy_payload(PERMIT_ALL), header={"alg": "RS256", "x5c": ALICE.x5c})


def test_a_signature_counts_on_an_aad_provider_too(served: Administered, aad: str) -> None:
    refusal_of(served.ask("PUT", f"{aad}{SGX_POLICY}", badly_signed()), 400, "InvalidOperation")
    no_ca = make_signer("Leaf", ca=False).policy(PERMIT_ALL)
    refusal_of(served.ask("PUT", f"{aad}{SGX_POLICY}", no_ca), 400, "InvalidParameter")
    assert stored_jws(served, aad) == unsecured(default_text("SgxEnclave") or "")


def test_an_isolated_provider_takes_what_a_member_signed(served: Administered, isolated: str) -> None:
    for jws in (ALICE.policy(PERMIT_ALL), ALICE.policy_of_python(PERMIT)):
        claims = served.claims("PUT", f"{isolated}{SGX_POLICY}", jws)
        assert claims["x-ms-policy-token-hash"] == token_hash_of(jws)
        assert claims["x-ms-policy-signer"]["x5c"] == ALICE.x5c
        assert stored_jws(served, isolated) == jws
    assert policy_in_use(served, isolated) == (policy_hash_of(PERMIT), {"kty": "RSA", "x5c": ALICE.x5c})
    claims = served.claims("POST", f"{isolated}{SGX_POLICY}:reset", ALICE.reset())
    assert set(claims) == {"exp", "iat", "iss", "nbf", "x-ms-policy-result"}
    assert claims["x-ms-policy-result"] == "Removed"
    assert policy_in_use(served, isolated) == (policy_hash_of(default_text("SgxEnclave") or ""), None)


def test_an_isolated_provider_takes_nothing_else(served: Administered, isolated: str) -> None:
    """Attack case POL-01."""
    for jws in (unsecured(PERMIT_ALL), BOB.policy(PERMIT_ALL), badly_signed()):
        for role in ("contributor", "operator"):
            refusal_of(served.ask("PUT", f"{isolated}{SGX_POLICY}", jws, role=role), 400, "InvalidOperation")
    for jws in (RESET, BOB.reset()):
        refusal_of(served.ask("POST", f"{isolated}{SGX_POLICY}:reset", jws), 400, "InvalidOperation")
    assert stored_jws(served, isolated) == unsecured(default_text("SgxEnclave") or "")


def test_drafts_are_for_everybody_and_unsigned(served: Administered, isolated: str) -> None:
    """rest-api 7.0: on isolated providers too."""
    served.claims("PUT", f"{isolated}{SGX_POLICY}", ALICE.policy(DENY))
    for draft in (PERMIT, unsecured(PERMIT), BOB.policy(PERMIT)):
        body = sgx_body(draftPolicyForAttestation=draft)
        token = token_of(served.ask("POST", f"{isolated}{SGX}", body, role=None))
        assert token.header["alg"] == "none"
        assert token.signature == b""
        assert token.payload["x-ms-policy-hash"] == policy_hash_of(PERMIT)
        assert "x-ms-policy-signer" not in token.payload
    refusal_of(served.ask("POST", f"{isolated}{SGX}", sgx_body(), role=None), 400, "PolicyEvaluationError")


def test_a_shared_provider_is_read_by_every_caller_and_changed_by_none(served: Administered) -> None:
    served.create("sharedhere", assay={"shared": True, "signingAlgorithm": "ES256"})
    path = "/provider/sharedhere"
    for role in ("reader", "contributor", "operator"):
        assert served.claims("GET", f"{path}{SGX_POLICY}", role=role)["x-ms-policy"]
        assert served.claims("GET", f"{path}/certificates", role=role)["x-ms-policy-certificates"] == {"keys": []}
        refusal_of(served.ask("PUT", f"{path}{SGX_POLICY}", unsecured(PERMIT_ALL), role=role), 401, "Unauthorized")
        refusal_of(served.ask("POST", f"{path}{SGX_POLICY}:reset", RESET, role=role), 401, "Unauthorized")
        refusal_of(served.ask("POST", f"{path}{SGX_POLICY}:rollback", {"number": 1}, role=role), 401, "Unauthorized")
        change = ALICE.certificate_change(BOB)
        for verb in ("add", "remove"):
            refusal_of(served.ask("POST", f"{path}/certificates:{verb}", change, role=role), 401, "Unauthorized")
    refusal_of(served.ask("GET", f"{path}{SGX_POLICY}", role=None), 401, "Unauthorized")
    assert policy_in_use(served, path)[0] == policy_hash_of(default_text("SgxEnclave") or "")
    draft = served.ask("POST", f"{path}{SGX}", sgx_body(draftPolicyForAttestation=PERMIT), role=None)
    assert token_of(draft).header["alg"] == "none"


def test_without_a_default_and_without_a_policy_nothing_is_attested(served: Administered, aad: str) -> None:
    """rest-api 8.3: what `Tpm` has until one is set; seen here once it was set and reset."""
    jws = unsecured(PERMIT_ALL)
    served.claims("PUT", f"{aad}/policies/Tpm", jws)
    assert stored_jws(served, aad, "Tpm") == jws
    served.claims("POST", f"{aad}/policies/Tpm:reset", RESET)
    assert stored_jws(served, aad, "Tpm") == "eyJhbGciOiJub25lIn0.."


def test_a_reset_is_idempotent_and_carries_nothing(served: Administered, aad: str) -> None:
    for _ in range(2):
        claims = served.claims("POST", f"{aad}{SGX_POLICY}:reset", RESET)
        assert set(claims) == {"exp", "iat", "iss", "nbf", "x-ms-policy-result"}
    signed = served.claims("POST", f"{aad}{SGX_POLICY}:reset", ALICE.reset())
    assert "x-ms-policy-signer" not in signed
    refusal_of(served.ask("POST", f"{aad}{SGX_POLICY}:reset", unsecured(PERMIT_ALL)), 400, "InvalidOperation")


def history_of(served: Administered, path: str, role: str = "reader") -> list[dict]:
    response = served.ask("GET", f"{path}{SGX_POLICY}:history", role=role)
    assert response.status_code == 200, response.text
    return response.json()["versions"]


def test_the_history_has_every_version_with_who_and_when(served: Administered, aad: str) -> None:
    assert history_of(served, aad) == []
    served.claims("PUT", f"{aad}{SGX_POLICY}", unsecured(PERMIT))
    served.claims("PUT", f"{aad}{SGX_POLICY}", unsecured(DENY), role="operator")
    served.claims("POST", f"{aad}{SGX_POLICY}:reset", RESET)
    versions = history_of(served, aad)
    assert [(each["number"], each["action"], each["policyHash"]) for each in versions] == [
        (1, "set", policy_hash_of(PERMIT)),
        (2, "set", policy_hash_of(DENY)),
        (3, "reset", ""),
    ]
    assert [each["setBy"] for each in versions] == [
        f"development-{role} of assay-development" for role in ("contributor", "operator", "contributor")
    ]
    assert versions[0]["policy"] == unsecured(PERMIT)
    assert versions[0]["policyTokenHash"] == token_hash_of(unsecured(PERMIT))


def test_a_rollback_puts_an_older_version_back(served: Administered, aad: str) -> None:
    for text in (PERMIT, DENY):
        served.claims("PUT", f"{aad}{SGX_POLICY}", unsecured(text))
    refusal_of(served.ask("POST", f"{aad}{SGX_POLICY}:rollback", {"number": 1}, role="reader"), 401, "Unauthorized")
    response = served.ask("POST", f"{aad}{SGX_POLICY}:rollback", {"number": 1})
    assert (response.status_code, response.json()["number"], response.json()["restores"]) == (200, 3, 1)
    assert policy_in_use(served, aad)[0] == policy_hash_of(PERMIT)
    refusal_of(served.ask("POST", f"{aad}{SGX_POLICY}:rollback", {"number": 9}), 400, "InvalidOperation")
    for number in (True, "1", None, 1.5):
        refusal_of(served.ask("POST", f"{aad}{SGX_POLICY}:rollback", {"number": number}), 400, "InvalidParameter")


def test_an_older_signed_policy_does_not_come_back(served: Administered, isolated: str) -> None:
    """Attack case POL-02: whoever may write holds a signed policy of last year, and no key."""
    old, new = ALICE.policy(PERMIT), ALICE.policy(DENY)
    served.claims("PUT", f"{isolated}{SGX_POLICY}", old)
    served.claims("PUT", f"{isolated}{SGX_POLICY}", new)
    for suffix in ("", "?allow-replay=true"):
        error = refusal_of(served.ask("PUT", f"{isolated}{SGX_POLICY}{suffix}", old), 400, "InvalidOperation")
        assert "version 1" in error["message"]
    refusal_of(served.ask("PUT", f"{isolated}{SGX_POLICY}", old, role="operator"), 400, "InvalidOperation")
    refusal_of(served.ask("POST", f"{isolated}{SGX_POLICY}:rollback", {"number": 1}), 401, "Unauthorized")
    assert stored_jws(served, isolated) == new
    # The controls: the one in force again, the operator who says so, and a text of its own.
    served.claims("PUT", f"{isolated}{SGX_POLICY}", new)
    served.claims("PUT", f"{isolated}{SGX_POLICY}?allow-replay=true", old, role="operator")
    assert [each["restores"] for each in history_of(served, isolated)] == [None, None, 1]
    served.claims("PUT", f"{isolated}{SGX_POLICY}", ALICE.policy(DENY + " "))
    assert served.ask("POST", f"{isolated}{SGX_POLICY}:rollback", {"number": 1}, role="operator").status_code == 200


def test_a_twin_of_an_older_signature_does_not_come_back(served: Administered) -> None:
    """(r, n - s) verifies as (r, s) does: anybody can write it (attack case POL-02)."""
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    who = signer("malleable", "P256")
    served.create("isolated-ec", signers=(who,), assay={"signingAlgorithm": "ES256"})
    path = f"/provider/isolated-ec{SGX_POLICY}"
    old = who.policy(PERMIT)
    served.claims("PUT", path, old)
    served.claims("PUT", path, who.policy(DENY))
    signed, _, text = old.rpartition(".")
    raw = decode(text)
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    for twin in (
        f"{signed}.{b64url(raw[:32] + (order - s).to_bytes(32, 'big'))}",
        f"{signed}.{b64url(encode_dss_signature(r, s))}",
        f"{signed}.{b64url(encode_dss_signature(r, order - s))}",
    ):
        assert "replay" in refusal_of(served.ask("PUT", path, twin), 400, "InvalidOperation")["message"]


def test_a_replay_may_be_a_setting_of_the_provider(served: Administered) -> None:
    own = {"allowPolicyReplay": True, "signingAlgorithm": "ES256"}
    served.create("replaying", signers=(ALICE,), assay=own)
    path = f"/provider/replaying{SGX_POLICY}"
    old = ALICE.policy(PERMIT)
    for jws in (old, ALICE.policy(DENY), old):
        served.claims("PUT", path, jws)
    assert served.ask("POST", f"{path}:rollback", {"number": 2}).status_code == 200


def test_unsigned_policies_come_back_freely_on_an_aad_provider(served: Administered, aad: str) -> None:
    """The libraries' own tests set the same policies over and over: the bearer is the authority there."""
    for text in (PERMIT, DENY, PERMIT):
        served.claims("PUT", f"{aad}{SGX_POLICY}", unsecured(text))
    for text in (PERMIT, DENY, PERMIT):
        served.claims("PUT", f"{aad}{SGX_POLICY}", ALICE.policy(text))


def test_attest_after_a_policy_change_asks_the_database_nothing(served: Administered, aad: str) -> None:
    claims_of(served.ask("POST", f"{aad}{SGX}", sgx_body(), role=None))
    served.claims("PUT", f"{aad}{SGX_POLICY}", ALICE.policy(PERMIT))
    statements = watch(served.application)
    for _ in range(5):
        assert policy_in_use(served, aad)[0] == policy_hash_of(PERMIT)
    stored_jws(served, aad)
    assert [statement for statement in statements if "data_version" not in statement] == []


def tampered(served: Administered, path: str, **values: object) -> None:
    """A row changed behind the service's back, which then reads it again."""
    name = path.rpartition("/")[2]
    with served.application.state.store.writing() as connection:
        connection.execute(update(policy_rows).where(policy_rows.c.provider == name).values(**values))
    reread(served)


def reread(served: Administered) -> None:
    state = served.application.state
    state._tenancy._revisions = {}
    state._tenancy._loaded = {}
    served.runner.run(state.reload_providers())


def unusable(served: Administered, path: str) -> None:
    response: httpx2.Response = served.ask("POST", f"{path}{SGX}", sgx_body(), role=None)
    error = refusal_of(response, 503, "ServiceUnavailable")
    assert "SgxEnclave policy cannot be used" in error["message"]
    refusal_of(served.ask("GET", f"{path}{SGX_POLICY}"), 503, "ServiceUnavailable")


LAX = unsecured(PERMIT_ALL)
TAMPERED = {
    "another text": {"jws": LAX},
    "another text with its hashes": {
        "jws": LAX,
        "policy_hash": policy_hash_of(PERMIT_ALL),
        "token_hash": token_hash_of(LAX),
    },
    "a stranger's with its hashes": {
        "jws": badly_signed(),
        "policy_hash": policy_hash_of(PERMIT_ALL),
        "token_hash": token_hash_of(badly_signed()),
    },
    "no text": {"jws": ""},
    "no text and no hashes": {"jws": "", "policy_hash": "", "token_hash": ""},
    "no JWS": {"jws": PERMIT_ALL},
    "another hash": {"policy_hash": policy_hash_of(PERMIT_ALL)},
    "another token hash": {"token_hash": token_hash_of(LAX)},
}


@pytest.mark.parametrize("case", TAMPERED)
def test_a_policy_changed_behind_the_services_back_is_no_policy(served: Administered, isolated: str, case: str) -> None:
    """Attack case IN-13: never the default in its place, which permits."""
    served.claims("PUT", f"{isolated}{SGX_POLICY}", ALICE.policy(DENY))
    tampered(served, isolated, **TAMPERED[case])
    unusable(served, isolated)
    # Drafts never used it, other types have their own, and a policy set anew mends it.
    draft = served.ask("POST", f"{isolated}{SGX}", sgx_body(draftPolicyForAttestation=PERMIT), role=None)
    assert token_of(draft).header["alg"] == "none"
    other = served.ask("POST", f"{isolated}/attest/OpenEnclave", open_enclave_body(), role=None)
    assert other.status_code == 200
    served.claims("PUT", f"{isolated}{SGX_POLICY}", ALICE.policy(PERMIT))
    assert policy_in_use(served, isolated)[0] == policy_hash_of(PERMIT)


def test_a_policy_that_was_not_changed_is_read_again(served: Administered, isolated: str) -> None:
    """The control of the tampered ones."""
    served.claims("PUT", f"{isolated}{SGX_POLICY}", ALICE.policy(PERMIT))
    for values in ({"set_by": "somebody else"}, {"action": "reset"}):
        tampered(served, isolated, **values)
        assert policy_in_use(served, isolated)[0] == policy_hash_of(PERMIT)


def test_an_emptied_database_is_no_reason_to_permit(tmp_path, collateral) -> None:
    """Attack case IN-13: the process goes on with the policies that it has, and takes none from an emptied store."""
    from assay.store.tables import policy_signers, providers, signing_keys

    with administered(development(tmp_path / "state", (collateral,))) as running:
        running.claims("PUT", SGX_POLICY, unsecured(DENY))
        with running.application.state.store.writing() as connection:
            for table in (policy_rows, policy_signers, signing_keys, providers):
                connection.execute(delete(table))
        refusal_of(running.ask("PUT", SGX_POLICY, unsecured(PERMIT_ALL)), 400, "InvalidOperation")
        from assay.errors import StoreUnavailable

        with pytest.raises(StoreUnavailable, match="emptied"):
            running.runner.run(running.application.state.reload_providers())
        refusal_of(running.ask("POST", SGX, sgx_body(), role=None), 400, "PolicyEvaluationError")


@pytest.mark.optional("postgres")
@pytest.mark.parametrize("audit", [AuditMode.WAIT, AuditMode.ASYNC])
def test_a_database_that_is_away_answers_503(tmp_path, collateral, postgresql_url: str, audit: AuditMode) -> None:
    """Attack case IN-13; attest calls need the database only where their audit record must be durable first."""
    from tests.store.conftest import administration

    settings = development(tmp_path / "state", (collateral,), database_url=postgresql_url, audit=audit)
    name = postgresql_url.rpartition("/")[2]
    with administered(settings) as running, administration("postgres") as server:
        running.claims("PUT", SGX_POLICY, unsecured(PERMIT))
        server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        try:
            server.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
            refusal_of(running.ask("PUT", SGX_POLICY, unsecured(DENY)), 503, "ServiceUnavailable")
            refusal_of(running.ask("POST", f"{SGX_POLICY}:reset", RESET), 503, "ServiceUnavailable")
            refusal_of(running.ask("GET", f"{SGX_POLICY}:history"), 503, "ServiceUnavailable")
            if audit is AuditMode.WAIT:
                refusal_of(running.ask("POST", SGX, sgx_body(), role=None), 503, "ServiceUnavailable")
            else:
                assert policy_in_use(running, "")[0] == policy_hash_of(PERMIT)
        finally:
            server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        assert policy_in_use(running, "")[0] == policy_hash_of(PERMIT)
        running.claims("PUT", SGX_POLICY, unsecured(DENY))


def test_result_tokens_verify_with_the_published_keys(served: Administered, aad: str) -> None:
    """By a library that is not ours."""
    jwt = pytest.importorskip("jwt", reason="PyJWT is not installed")
    response = served.ask("PUT", f"{aad}{SGX_POLICY}", unsecured(PERMIT))
    token = response.json()["token"]
    key_set = served.ask("GET", f"{aad}/certs", role=None, version=None).json()
    key = next(key for key in key_set["keys"] if key["kid"] == take_apart(token).header["kid"])
    claims = jwt.decode(token, jwt.PyJWK(key), algorithms=["ES256"], issuer=f"{served.base_url}{aad}")
    assert claims["x-ms-policy-result"] == "Updated"

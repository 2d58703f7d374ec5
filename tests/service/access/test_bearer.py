"""Bearer tokens end to end against a real issuer on the loopback, with PyJWT as the oracle."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from assay.errors import IssuerUnavailable, Unauthorized
from assay.formats.strict_json import JsonValue
from assay.result.token import sign_token
from assay.service.access import Action, Authenticator, Caller, TrustedIssuer, single_authorization
from assay.service.access.openid import REFETCH_SECONDS, REFRESH_SECONDS
from assay.service.access.terms import AZURE_AUDIENCE
from assay.service.errors import encode_error
from tests.client.issuer import assemble, ec_jwk, rsa_jwk, rsa_key, sign_es256, sign_rs256
from tests.service.access.openid_issuer import AT, DISCOVERY, KEY_SET, NOW, OpenIdIssuer, Ticks

if TYPE_CHECKING:
    from collections.abc import Callable


def authenticate(*issuers: TrustedIssuer, header: str | None, at: Callable[[], datetime] = lambda: AT) -> Caller:
    async def asked() -> Caller:
        authenticator = Authenticator(issuers, None, at, Ticks())
        try:
            return await authenticator.authenticate(header)
        finally:
            await authenticator.close()

    return asyncio.run(asked())


def caller(issuer: OpenIdIssuer, token: str, **terms: object) -> Caller:
    return authenticate(issuer.trusted(**terms), header=f"Bearer {token}")


def refusal(issuer: OpenIdIssuer, token: str, **terms: object) -> str:
    with pytest.raises(Unauthorized) as caught:
        caller(issuer, token, **terms)
    return caught.value.message


UNSIGNED = "the bearer token is not signed by a current key of its issuer"


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256"])
@pytest.mark.parametrize(
    ("role", "permitted"),
    [
        ("Attestation.Reader", {Action.READ}),
        ("Attestation.Contributor", {Action.READ, Action.WRITE, Action.DELETE}),
        ("Attestation.Operator", set(Action)),
        ("Attestation.Owner", set()),
    ],
)
def test_a_token_of_each_role_is_believed(issuer: OpenIdIssuer, alg: str, role: str, permitted: set[Action]) -> None:
    found = caller(issuer, issuer.token(alg, roles=[role]))
    assert found.subject == "somebody"
    assert {action for action in Action if found.may(action, "default")} == permitted
    assert found.may(Action.READ, "other") == (role == "Attestation.Operator")


@pytest.mark.parametrize("typ", ["JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt", None])
def test_types_of_access_tokens(issuer: OpenIdIssuer, typ: str | None) -> None:
    assert caller(issuer, issuer.token(header={"typ": typ})).subject == "somebody"


@pytest.mark.parametrize("typ", ["dpop+jwt", "logout+jwt", "secevent+jwt", "id_token", "", 7, ["JWT"]])
def test_other_types_are_refused(issuer: OpenIdIssuer, typ: object) -> None:
    assert refusal(issuer, issuer.token(header={"typ": typ})) == "the bearer token is not an access token (typ)"


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER   "])
def test_the_scheme_is_written_in_any_case(issuer: OpenIdIssuer, scheme: str) -> None:
    assert authenticate(issuer.trusted(), header=scheme + issuer.token()).subject == "somebody"


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", "Basic YTpi", "Bearer a b", "Bearer a, Bearer b", "Bearer\ta", "Bearer a\n", "é"],
)
def test_without_one_bearer_token_nothing_is_fetched(issuer: OpenIdIssuer, header: str | None) -> None:
    with pytest.raises(Unauthorized, match="a bearer token is needed"):
        authenticate(issuer.trusted(), header=header)
    assert issuer.asked == []


def test_a_bearer_token_has_a_bounded_size(issuer: OpenIdIssuer) -> None:
    assert "has more than 16384 characters" in refusal(issuer, issuer.token(padding="x" * 16384))
    assert issuer.asked == []


def test_more_than_one_header_is_refused() -> None:
    assert single_authorization([]) is None
    assert single_authorization(["Bearer a"]) == "Bearer a"
    with pytest.raises(Unauthorized, match="more than one"):
        single_authorization(["Bearer a", "Bearer a"])


@pytest.mark.parametrize("alg", ["none", "None", "nOnE"])
def test_an_unsigned_token_is_refused(issuer: OpenIdIssuer, alg: str) -> None:
    """TOK-01."""
    token = issuer.token(header={"alg": alg}, sign=lambda _: b"")
    assert refusal(issuer, token) == "the bearer token's algorithm is not accepted from its issuer"
    assert issuer.asked == []


def test_the_public_key_is_no_shared_secret(issuer: OpenIdIssuer) -> None:
    """TOK-02."""
    public = rsa_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    token = issuer.token(header={"alg": "HS256"}, sign=lambda said: hmac.digest(public, said, hashlib.sha256))
    assert refusal(issuer, token) == "the bearer token's algorithm is not accepted from its issuer"


def test_an_algorithm_that_the_operator_did_not_list_is_refused(issuer: OpenIdIssuer) -> None:
    said = refusal(issuer, issuer.token("PS256"), algorithms=("RS256",))
    assert said == "the bearer token's algorithm is not accepted from its issuer"
    assert issuer.asked == []


def test_an_algorithm_that_the_key_was_not_published_for_is_refused(issuer: OpenIdIssuer) -> None:
    issuer.publish(rsa_jwk("rsa", alg="RS256"))
    assert refusal(issuer, issuer.token("PS256")) == UNSIGNED
    assert caller(issuer, issuer.token("RS256")).subject == "somebody"


@pytest.mark.parametrize(
    ("header", "sign"),
    [
        ({}, lambda said: sign_rs256(said, 3072)),
        ({}, lambda said: sign_rs256(said)[:-1] + b"\x00"),
        ({}, lambda said: sign_rs256(said) + b"\x00"),
        ({"alg": "ES256", "kid": "rsa"}, sign_es256),
        ({"alg": "RS256", "kid": "ec"}, sign_rs256),
        ({"kid": "absent"}, None),
        ({"crit": ["exp"], "exp": 1}, None),
        ({"b64": False}, None),
        ({"zip": "DEF"}, None),
    ],
)
def test_a_signature_that_is_not_the_issuers_is_refused_in_one_way(issuer: OpenIdIssuer, header, sign) -> None:
    assert refusal(issuer, issuer.token(header=header, sign=sign)) == UNSIGNED


def test_a_wrong_signature_says_nothing_about_the_claims(issuer: OpenIdIssuer) -> None:
    token = issuer.token(aud="other", exp=1, sub=None, sign=lambda said: sign_rs256(said, 3072))
    assert refusal(issuer, token) == UNSIGNED


def test_a_token_that_names_no_key_is_refused(issuer: OpenIdIssuer) -> None:
    """TOK-05."""
    assert refusal(issuer, issuer.token(header={"kid": None})) == "the bearer token names no key (kid)"


@pytest.mark.parametrize("use", [{"use": "enc"}, {"key_ops": ["encrypt"]}])
def test_a_key_that_is_not_for_signatures_is_refused(issuer: OpenIdIssuer, use) -> None:
    issuer.publish(rsa_jwk("rsa", **use))
    assert refusal(issuer, issuer.token()) == UNSIGNED


def test_a_small_key_is_refused(issuer: OpenIdIssuer) -> None:
    issuer.publish(rsa_jwk("rsa", 1024))
    assert refusal(issuer, issuer.token(sign=lambda said: sign_rs256(said, 1024))) == UNSIGNED


@pytest.mark.parametrize("name", ["jku", "x5u", "jwk"])
def test_keys_out_of_a_token_are_neither_fetched_nor_believed(issuer: OpenIdIssuer, name: str) -> None:
    """TOK-03, TOK-04, IN-07: the attacker's key set is at the issuer's own host, and the attacker's key signed."""
    attackers = rsa_jwk("attacker", 3072)
    issuer.answers["/attacker"] = issuer.answers[KEY_SET]
    value = attackers if name == "jwk" else f"{issuer.origin}/attacker"
    header = {"kid": "attacker", name: value}
    assert refusal(issuer, issuer.token(header=header, sign=lambda said: sign_rs256(said, 3072))) == UNSIGNED
    assert issuer.asked == [DISCOVERY, KEY_SET]


@pytest.mark.parametrize("name", ["jku", "x5u", "jwk"])
def test_a_token_that_names_other_keys_is_refused_although_well_signed(issuer: OpenIdIssuer, name: str) -> None:
    said = refusal(issuer, issuer.token(header={name: f"{issuer.origin}/attacker"}))
    assert said == "the bearer token brings or names keys of its own"
    assert "/attacker" not in issuer.asked


def test_a_token_may_name_the_key_set_that_its_issuer_publishes(issuer: OpenIdIssuer) -> None:
    assert caller(issuer, issuer.token(header={"jku": f"{issuer.origin}{KEY_SET}"})).subject == "somebody"


@pytest.mark.parametrize(
    "iss", ["https://other.example", "assay-development", "", None, 7, ["https://other.example"], {"a": 1}]
)
def test_an_issuer_that_is_not_trusted_is_not_asked(issuer: OpenIdIssuer, iss: object) -> None:
    assert refusal(issuer, issuer.token(iss=iss)) == "the bearer token's issuer is not trusted here"
    assert issuer.asked == []


def test_one_issuers_keys_do_not_sign_for_another(issuer: OpenIdIssuer) -> None:
    """TOK-08: both publish the same key, but what one grants is not what the other grants."""
    other = TrustedIssuer(issuer.terms(issuer=f"{issuer.url}/other", rules=()), f"{issuer.origin}/none", issuer.ca)
    both = (issuer.trusted(), other)
    assert authenticate(*both, header=f"Bearer {issuer.token()}").issuer == issuer.url
    with pytest.raises(IssuerUnavailable):
        authenticate(*both, header=f"Bearer {issuer.token(iss=other.url)}")


def test_claims_are_judged_by_the_issuers_terms(issuer: OpenIdIssuer) -> None:
    assert "another audience than https://attest.azure.net" in refusal(issuer, issuer.token(aud="other"))
    assert "expired at" in refusal(issuer, issuer.token(exp=NOW - 31, iat=None, nbf=None))
    assert "not valid before" in refusal(issuer, issuer.token(nbf=NOW + 31))
    assert "ID token" in refusal(issuer, issuer.token(nonce="n"))


def test_a_nonce_is_no_matter_in_what_calls_itself_an_access_token(issuer: OpenIdIssuer) -> None:
    assert caller(issuer, issuer.token(header={"typ": "at+jwt"}, nonce="n")).subject == "somebody"


def test_an_attestation_token_is_no_bearer_token(issuer: OpenIdIssuer) -> None:
    """TOK-11, the reverse: the key that signed it is in the set, its policy issued audience and role."""

    class Signer:
        key_id, algorithm, certificates = "rsa", "RS256", ()

        def sign(self, message: bytes) -> bytes:
            return sign_rs256(message)

    own: dict[str, JsonValue] = {"jti": "ab", "x-ms-ver": "1.0", "x-ms-attestation-type": "sgx"}
    payload = {**own, "iss": issuer.url, "aud": AZURE_AUDIENCE, "sub": "somebody", "exp": NOW + 3600}
    token = sign_token(payload, Signer(), issuer.origin)
    assert refusal(issuer, token) == "the bearer token brings or names keys of its own"
    at_issuer = sign_token(payload, Signer(), issuer.url)
    issuer.describe(jwks_uri=f"{issuer.url}/certs")
    issuer.answers["/tenant/certs"] = issuer.answers[KEY_SET]
    assert refusal(issuer, at_issuer) == "an attestation token is no bearer token"


@pytest.mark.parametrize(
    "payload",
    ['{{"iss":"{iss}","iss":"{iss}"}}', '{{"iss":"{iss}","ISS":"other"}}', "[]", "", '{{"exp":NaN}}', "\ufeff{{}}"],
)
def test_a_payload_that_can_be_read_in_two_ways_is_refused(issuer: OpenIdIssuer, payload: str) -> None:
    header = json.dumps({"alg": "RS256", "kid": "rsa"}).encode()
    token = assemble(header, payload.format(iss=issuer.url).encode())
    assert refusal(issuer, token).startswith("the bearer token cannot be read: ")
    assert issuer.asked == []


@pytest.mark.parametrize("token", ["a", "a.b", "a.b.c", "a.b.c.d.e", "e30.e30.", "..", "e30=.e30.c"])
def test_what_is_not_a_signature_is_refused(issuer: OpenIdIssuer, token: str) -> None:
    with pytest.raises(Unauthorized):
        caller(issuer, token)
    assert issuer.asked == []


def test_without_an_issuer_nobody_is_let_in(issuer: OpenIdIssuer) -> None:
    with pytest.raises(Unauthorized, match="no issuer of bearer tokens is configured"):
        authenticate(header=f"Bearer {issuer.token()}")


def test_an_issuer_that_is_down_at_the_start_is_503_until_it_answers(issuer: OpenIdIssuer) -> None:
    async def story() -> None:
        ticks = Ticks()
        authenticator = Authenticator((issuer.trusted(),), None, lambda: AT, ticks)
        issuer.answers.clear()
        await authenticator.refresh_due()
        with pytest.raises(IssuerUnavailable) as caught:
            await authenticator.authenticate(f"Bearer {issuer.token()}")
        answer = encode_error(caught.value, "Bearer")
        assert answer is not None
        assert (answer.status, answer.code) == (503, "ServiceUnavailable")
        assert answer.headers == (("Retry-After", "10"),)
        assert "404" not in json.dumps(answer.body)
        issuer.describe()
        issuer.publish(rsa_jwk("rsa"))
        ticks.advance(REFETCH_SECONDS)
        assert (await authenticator.authenticate(f"Bearer {issuer.token()}")).subject == "somebody"
        await authenticator.close()

    asyncio.run(story())


def test_rotation_and_withdrawal(issuer: OpenIdIssuer) -> None:
    async def story() -> None:
        ticks = Ticks()
        authenticator = Authenticator((issuer.trusted(),), None, lambda: AT, ticks)
        old, new = (f"Bearer {issuer.token(header={'kid': kid})}" for kid in ("rsa", "new"))
        assert (await authenticator.authenticate(old)).subject == "somebody"
        issuer.publish(ec_jwk("ec"), rsa_jwk("new"))
        # Until the next refresh the old key is believed, since nothing asked for another.
        assert (await authenticator.authenticate(old)).subject == "somebody"
        ticks.advance(REFRESH_SECONDS)
        await authenticator.refresh_due()
        assert (await authenticator.authenticate(new)).subject == "somebody"
        with pytest.raises(Unauthorized, match="not signed by a current key"):
            await authenticator.authenticate(old)
        await authenticator.close()

    asyncio.run(story())


def by_the_oracle(issuer: OpenIdIssuer, token: str) -> bool:
    """PyJWT's opinion, which knows the time of the machine only."""
    try:
        jwt.decode(
            token,
            jwt.PyJWK({**rsa_jwk("rsa"), "alg": "RS256"}),
            algorithms=["RS256"],
            audience=AZURE_AUDIENCE,
            issuer=issuer.url,
            leeway=30,
            options={"require": ["exp"]},
        )
    except jwt.PyJWTError:
        return False
    return True


_CLAIMS: dict[str, dict[str, Any]] = {
    "as is": {},
    "other audience": {"aud": "other"},
    "audience among others": {"aud": ["other", AZURE_AUDIENCE]},
    "no audience": {"aud": None},
    "audience of another type": {"aud": 7},
    "expired long ago": {"exp": -600},
    "expired within the skew": {"exp": -15},
    "no end": {"exp": None},
    "begins soon": {"nbf": 15},
    "begins later": {"nbf": 600},
    "issued later": {"iat": 600},
    "no beginning": {"nbf": None, "iat": None},
    "a slash more": {"iss": "/"},
}


@pytest.mark.parametrize("case", _CLAIMS)
@pytest.mark.parametrize("sign", [sign_rs256, lambda said: sign_rs256(said, 3072)], ids=["issuer", "other"])
def test_pyjwt_is_of_the_same_opinion(issuer: OpenIdIssuer, case: str, sign) -> None:
    now = int(datetime.now(UTC).timestamp())
    members: dict[str, Any] = {"iat": now - 900, "nbf": now - 900, "exp": now + 3600}
    for name, value in _CLAIMS[case].items():
        is_time = name in members and isinstance(value, int)
        members[name] = now + value if is_time else issuer.url + "/" if name == "iss" else value
    token = issuer.token(sign=sign, **members)
    try:
        authenticate(issuer.trusted(), header=f"Bearer {token}", at=lambda: datetime.now(UTC))
        ours = True
    except Unauthorized:
        ours = False
    assert ours == by_the_oracle(issuer, token)

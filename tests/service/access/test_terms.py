"""What a token must say: audience, times, kind, subject, and the roles it grants."""

from __future__ import annotations

from datetime import timedelta

import pytest

from assay.errors import Unauthorized
from assay.service.access.roles import EVERY_PROVIDER, Caller, Grant, Role
from assay.service.access.terms import AZURE_AUDIENCE, GrantRule, TokenTerms, read_caller
from tests.service.access.openid_issuer import AT, NOW

ISSUER = "https://issuer.example/tenant"
READER, OPERATOR = Grant(Role.READER, "default"), Grant(Role.OPERATOR, EVERY_PROVIDER)
TERMS = TokenTerms(
    issuer=ISSUER,
    audiences=(AZURE_AUDIENCE, "api://assay"),
    algorithms=("RS256",),
    rules=(GrantRule("roles", "Reader", READER), GrantRule("scp", "operate", OPERATOR)),
)
GOOD: dict = {"iss": ISSUER, "aud": AZURE_AUDIENCE, "sub": "somebody", "exp": NOW + 3600, "nbf": NOW, "iat": NOW}
MISSING = object()


def read(*, declares_access: bool = False, at=AT, terms=TERMS, **members) -> Caller:
    claims = {name: value for name, value in {**GOOD, **members}.items() if value is not MISSING}
    return read_caller(claims, terms, at, declares_access=declares_access)


def refusal(**members) -> str:
    with pytest.raises(Unauthorized) as caught:
        read(**members)
    return caught.value.message


def test_a_good_token_speaks_for_its_subject() -> None:
    assert read(roles=["Reader", "other"]) == Caller("somebody", ISSUER, (READER,))


@pytest.mark.parametrize(
    "members",
    [
        {"aud": ["other", "api://assay"]},
        {"exp": NOW + 0.5},
        {"exp": NOW - 29, "nbf": NOW - 3600, "iat": NOW - 3600},
        {"nbf": NOW + 30, "iat": NOW + 30},
        {"nbf": MISSING},
        {"iat": MISSING},
        {"typ": "Bearer", "nonce": "n"},
        {"token_use": "access"},
    ],
)
def test_accepted(members) -> None:
    assert read(**members).subject == "somebody"


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"iss": ISSUER + "/"}, "another issuer"),
        ({"iss": ISSUER.upper()}, "another issuer"),
        ({"iss": [ISSUER]}, "another issuer"),
        ({"iss": MISSING}, "another issuer"),
        ({"aud": "https://other.example"}, "another audience"),
        ({"aud": AZURE_AUDIENCE + "/"}, "another audience"),
        ({"aud": []}, "another audience"),
        ({"aud": {AZURE_AUDIENCE: True}}, "another audience"),
        ({"aud": [[AZURE_AUDIENCE]]}, "another audience"),
        ({"aud": MISSING}, "another audience"),
        ({"exp": MISSING}, "does not say when it expires"),
        ({"exp": None}, "exp is not a time"),
        ({"exp": str(NOW + 3600)}, "exp is not a time"),
        ({"exp": True}, "exp is not a time"),
        ({"exp": 10**30}, "exp is not a time"),
        ({"exp": -1}, "exp is not a time"),
        ({"exp": NOW - 30, "nbf": MISSING, "iat": MISSING}, "expired at 2026-03-01T11:59:30Z"),
        ({"nbf": NOW + 31}, "not valid before 2026-03-01T12:00:31Z (nbf)"),
        ({"iat": NOW + 31}, "not valid before 2026-03-01T12:00:31Z (iat)"),
        ({"nbf": "soon"}, "nbf is not a time"),
        ({"iat": None}, "iat is not a time"),
        ({"exp": NOW + 5, "nbf": NOW + 5}, "ends before it begins (nbf)"),
        ({"sub": MISSING}, "whose it is (sub)"),
        ({"sub": ""}, "whose it is"),
        ({"sub": 7}, "whose it is"),
        ({"sub": "a\nb"}, "whose it is"),
        ({"sub": "s" * 257}, "whose it is"),
    ],
)
def test_refused(members, said: str) -> None:
    assert said in refusal(**members)


@pytest.mark.parametrize(
    "members",
    [
        {"x-ms-attestation-type": "sgx"},
        {"x-ms-ver": "1.0"},
        {"X-MS-Policy-Result": "Updated"},
        {"x-ms-policy-token-hash": "h"},
    ],
)
def test_what_an_attestation_service_signed_is_no_bearer_token(members) -> None:
    """TOK-11, the reverse: even of a trusted issuer, with the right audience."""
    assert refusal(declares_access=True, **members) == "an attestation token is no bearer token"


@pytest.mark.parametrize(
    "members", [{"at_hash": "h"}, {"c_hash": "h"}, {"s_hash": "h"}, {"nonce": "n"}, {"typ": "ID"}, {"token_use": "id"}]
)
def test_an_id_token_is_no_access_token(members) -> None:
    """POL-12."""
    assert "access token" in refusal(**members)


@pytest.mark.parametrize("members", [{"typ": "Refresh"}, {"typ": 7}, {"token_use": None}])
def test_a_token_for_another_use_is_refused_whatever_its_header_says(members) -> None:
    assert refusal(declares_access=True, **members) == "the bearer token is not an access token"


def test_a_header_that_calls_it_an_access_token_decides_about_a_nonce() -> None:
    assert read(declares_access=True, nonce="n").subject == "somebody"


def test_a_token_bound_to_a_key_is_refused() -> None:
    """TOK-15: nothing here asks the bearer to show the key."""
    assert "bound to a key" in refusal(cnf={"jkt": "thumbprint"})


def test_no_skew_means_none() -> None:
    strict = TokenTerms(ISSUER, TERMS.audiences, ("RS256",), TERMS.rules, skew=timedelta(0))
    assert "expired" in refusal(terms=strict, exp=NOW, nbf=MISSING, iat=MISSING)
    assert "not valid before" in refusal(terms=strict, nbf=NOW + 1)
    assert read(terms=strict, exp=NOW + 1).subject == "somebody"


def test_the_subject_can_be_another_member() -> None:
    terms = TokenTerms(ISSUER, TERMS.audiences, ("RS256",), TERMS.rules, subject_claim="oid")
    assert read(terms=terms, oid="7f3c", sub=MISSING).subject == "7f3c"


@pytest.mark.parametrize(
    ("members", "grants"),
    [
        ({}, ()),
        ({"roles": "Reader"}, (READER,)),
        ({"roles": ["Reader", "Reader"]}, (READER,)),
        ({"roles": ["reader"]}, ()),
        ({"roles": "Reader Writer"}, ()),
        ({"roles": ["Reader Writer"]}, ()),
        ({"roles": [["Reader"]]}, ()),
        ({"roles": {"Reader": True}}, ()),
        ({"roles": [True, None, 1]}, ()),
        ({"scp": "read operate"}, (OPERATOR,)),
        ({"scp": "operate"}, (OPERATOR,)),
        ({"scp": "read.operate operated"}, ()),
        ({"scp": ["operate"], "roles": ["Reader"]}, (READER, OPERATOR)),
    ],
)
def test_claims_grant_roles(members, grants) -> None:
    assert read(**members).grants == grants

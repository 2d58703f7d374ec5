"""Policies as they travel: hash, unsecured JWS, stored and draft policies (rest-api 6.3, 7.0, 8.2, 18)."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest

from assay import limits
from assay.claims import Claim, ClaimSet
from assay.errors import InvalidOperation, PolicyDenied, PolicyParsingError
from assay.policy import draft_policy, encode_unsecured, policy_hash, stored_policy
from tests.shared_vectors import shared_path

TEXT = "version=1.0; authorizationrules{=> permit();}; issuancerules{};"
INNER = "dmVyc2lvbj0xLjA7IGF1dGhvcml6YXRpb25ydWxlc3s9PiBwZXJtaXQoKTt9OyBpc3N1YW5jZXJ1bGVze307"
HASH = "z0FRjKS0ssQTNur1V6BV8WIrh9M3fzgTo0EfHRvapWU"
UNSECURED = (
    "eyJhbGciOiJub25lIn0.eyJBdHRlc3RhdGlvblBvbGljeSI6ImRtVnljMmx2YmoweExqQTdJR0YxZEdodmNtbDZZWFJwYjI1eWRXeGxjM3M5UGlC"
    "d1pYSnRhWFFvS1R0OU95QnBjM04xWVc1alpYSjFiR1Z6ZTMwNyJ9."
)
# As the Python client writes it, with a space after the colon.
UNSECURED_OF_PYTHON = (
    "eyJhbGciOiJub25lIn0.eyJBdHRlc3RhdGlvblBvbGljeSI6ICJkbVZ5YzJsdmJqMHhMakE3SUdGMWRHaHZjbWw2WVhScGIyNXlkV3hsYzNzOVBp"
    "QndaWEp0YVhRb0tUdDlPeUJwYzNOMVlXNWpaWEoxYkdWemUzMDcifQ."
)
DEFAULT_SNP = "version= 1.0;authorizationrules{=> permit();};"


def b64(content):
    return base64.urlsafe_b64encode(content.encode() if isinstance(content, str) else content).rstrip(b"=").decode()


def jws(payload, header='{"alg":"none"}', signature=""):
    return f"{b64(header)}.{b64(payload)}.{signature}"


def test_the_hash_of_the_recorded_policy_is_reproduced():
    assert policy_hash(TEXT) == HASH
    assert policy_hash(DEFAULT_SNP) == "9NY0VnTQ-IiBriBplVUpFbczcDaEBUwsiFYAzHu_gco"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("default-sevsnpvm-tdxvm-oneline", "9NY0VnTQ-IiBriBplVUpFbczcDaEBUwsiFYAzHu_gco"),
        ("default-sgx-v10-oneline", "bROrN897ZfWmWY2V0FLUlu3uwk5xatGnKYHn3zBbSlw"),
        ("default-azureguest", "wm9mHlvTU82e8UqoOy1Yj1FBRSNkfe99-69IYDq9eWs"),
        ("sevsnpvm-docs-sample-token-policy", "LTPRQQju-FejAwdYihF8YV_c2XWebG9joKvrHKc3bxs"),
        ("tdxvm-docs-sample-token-policy", "B56nbp5slhw66peoRYkpdq1WykMkEworvdol08hnMXE"),
        ("default-sgx-v11-oneline", "ViVGS4BYl70X8eUrgryHg0TtbEk9WtIc6DtTBEFxaWc"),
        ("sgx-sdk-cpp-draft", "1wKUrF_E0X5CZUM9OMIF1PH3qn5iykWY_bWgBbiWJZ0"),
    ],
)
def test_the_published_hashes_are_reproduced_stored_and_as_a_draft(name, expected):
    text = shared_path(f"spec/policies/{name}.policy").read_bytes().decode()
    assert stored_policy(text).identity.hash == expected
    assert draft_policy(text).identity.hash == expected


def test_the_unsecured_jws_is_the_recorded_one_and_has_its_token_hash():
    assert encode_unsecured(TEXT) == UNSECURED
    assert b64(hashlib.sha256(UNSECURED.encode()).digest()) == "c6sEJQItV50OeP9IrP_bzywAMOVvj5uDPbklA_bwdYQ"
    assert INNER in base64.urlsafe_b64decode(UNSECURED.split(".")[1] + "==").decode()


def test_a_stored_policy_has_its_hash_no_signer_and_is_no_draft():
    stored = stored_policy(TEXT)
    assert (stored.identity.hash, stored.identity.signer, stored.identity.draft) == (HASH, None, False)
    assert stored.evaluate(ClaimSet()).issued == ClaimSet()


def test_a_stored_policy_delegates_to_its_policy():
    stored = stored_policy('version=1.1;configurationrules{=>issueproperty(type="p",value=1);};authorizationrules{};')
    assert stored.configuration == {"p": 1}
    with pytest.raises(PolicyDenied):
        stored.evaluate(ClaimSet([Claim("a", 1)]))


def test_a_draft_is_plain_text():
    draft = draft_policy(TEXT)
    assert (draft.identity.hash, draft.identity.signer, draft.identity.draft) == (HASH, None, True)
    assert draft.policy.text == TEXT


@pytest.mark.parametrize(
    "wrapped",
    [
        UNSECURED,
        UNSECURED_OF_PYTHON,
        jws(json.dumps({"AttestationPolicy": INNER}), '{"alg":"RS256","x5c":["AAAA"]}', "c2lnbmF0dXJl"),
        jws(json.dumps({"AttestationPolicy": INNER}), '{"alg": "RSA256", "jwk": {}}', "x"),
        jws(json.dumps({"AttestationPolicy": b64(TEXT) + "=" * (-len(INNER) % 4)})),
        UNSECURED + "\n",
    ],
)
def test_a_draft_that_is_a_jws_is_unwrapped_and_hashed_over_its_text(wrapped):
    draft = draft_policy(wrapped)
    assert draft.policy.text == TEXT
    assert draft.identity.hash == HASH
    assert draft.identity.signer is None


@pytest.mark.parametrize(
    "wrapped",
    [
        "eyJhbGciOiJub25lIn0..",
        jws("{}"),
        jws("[]"),
        jws('{"AttestationPolicy": 5}'),
        jws(json.dumps({"AttestationPolicy": TEXT})),
        jws(json.dumps({"AttestationPolicy": b64(b"\xff")})),
        jws('{"AttestationPolicy":"","attestationpolicy":""}'),
        "eyJhbGciOiJub25lIn0.%%.",
    ],
)
def test_a_jws_without_a_policy_text_is_an_invalid_operation(wrapped):
    with pytest.raises(InvalidOperation):
        draft_policy(wrapped)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "..",
        "a.b.c",
        "version=1.0;",
        jws(json.dumps({"AttestationPolicy": INNER}), '{"typ":"JWT"}'),
        UNSECURED.rstrip("."),
        jws(json.dumps({"AttestationPolicy": b64("version=1.0")})),
        jws(json.dumps({"AttestationPolicy": b64(UNSECURED)})),
        jws(json.dumps({"AttestationPolicy": b64("version=1.0;authorizationrules{};//" + "x" * limits.POLICY_TEXT)})),
        jws(json.dumps({"AttestationPolicy": b64("x" * 2 * limits.POLICY_TEXT)})),
        "\ud800.x.y",
    ],
)
def test_a_draft_that_does_not_parse_is_a_parsing_error(text):
    with pytest.raises(PolicyParsingError):
        draft_policy(text)


def test_a_byte_order_mark_is_hashed_and_not_parsed():
    assert stored_policy("\ufeff" + TEXT).identity.hash == policy_hash("\ufeff" + TEXT) != HASH

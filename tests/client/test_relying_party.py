"""Tokens as a relying party judges them (attack cases TOK-01 to TOK-16), PyJWT and the recorded real tokens as oracles."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import jwt
import pytest

from assay.client.relying_party import SKEW, verify_token
from assay.errors import ConfigurationError, TokenRejected
from assay.formats.key_set import parse_key_set
from tests.client.issuer import (
    AT,
    ISSUER,
    KEY_SET,
    KEYS,
    NOW,
    PAYLOAD,
    SIGN,
    assemble,
    ec_jwk,
    rsa_jwk,
    rsa_key,
    sign_rs256,
    token,
)
from tests.shared_vectors import shared_path

SET = parse_key_set(KEY_SET)


def verify(text, *, at=AT, keys=SET, issuer=ISSUER, **options):
    return verify_token(text, issuer=issuer, keys=keys, at=at, **options)


def reason(text, **options) -> str:
    with pytest.raises(TokenRejected) as caught:
        verify(text, **options)
    return caught.value.reason


@pytest.mark.parametrize("alg", SIGN)
def test_a_good_token_is_accepted_with_what_it_says(alg):
    verified = verify(token(alg, payload={"x-ms-sgx-svn": 7}))
    assert verified.claims["x-ms-sgx-svn"] == 7
    assert verified.issuer == ISSUER
    assert verified.attestation_type == "sgx"
    assert verified.issued_at == AT
    assert verified.unsafe_marks == ()


@pytest.mark.parametrize("alg", ["none", "NONE", "None"])
def test_an_unsigned_answer_to_a_draft_policy_has_its_own_reason(alg):
    assert reason(token(header={"alg": alg}, sign=lambda _: b"")) == "DraftResult"


def test_an_unsigned_token_that_is_not_even_an_attestation_is_unsecured():
    assert (
        reason(token(header={"alg": "none"}, payload={"x-ms-attestation-type": None}, sign=lambda _: b""))
        == "Unsecured"
    )


def test_an_unknown_kid_is_refused_without_trying_other_keys():
    assert reason(token(header={"kid": "another"})) == "KeyUnknown"
    assert reason(token(header={"kid": None})) == "KeyUnknown"


def test_a_kid_that_two_keys_have_is_refused():
    twice = parse_key_set(json.dumps({"keys": [rsa_jwk("rsa"), rsa_jwk("rsa")]}).encode())
    assert reason(token(), keys=twice) == "KeyAmbiguous"


def test_a_key_of_the_token_itself_is_never_used():
    attacker = rsa_key(3072)
    numbers = attacker.public_key().public_numbers()
    jwk = {"kty": "RSA", "kid": "rsa", "n": str(numbers.n), "e": "AQAB"}
    from cryptography.hazmat.primitives.asymmetric import padding
    from cryptography.hazmat.primitives.hashes import SHA256

    header = {"jwk": jwk, "x5c": ["AA=="], "jku": f"{ISSUER}/evil", "x5u": "file:///etc/passwd"}
    forged = token(header=header, sign=lambda message: attacker.sign(message, padding.PKCS1v15(), SHA256()))
    assert reason(forged) == "SignatureInvalid"


def test_a_key_of_1024_bits_harms_only_its_own_tokens():
    assert reason(token(header={"kid": "small"}, sign=lambda message: sign_rs256(message, 1024))) == "KeyNotAllowed"
    verify(token())


@pytest.mark.parametrize(
    "issuer", [ISSUER + "/", ISSUER.upper(), "https://attest.example:443", "https://other.example", ""]
)
def test_the_issuer_is_compared_octet_by_octet(issuer):
    assert reason(token(), issuer=issuer) == "IssuerMismatch"


@pytest.mark.parametrize("iss", [None, 1, ["https://attest.example"]])
def test_an_issuer_that_is_no_text_is_refused(iss):
    assert reason(token(payload={"iss": iss})) == "IssuerMismatch"


@pytest.mark.parametrize(
    ("payload", "at", "expected"),
    [
        ({}, AT + timedelta(seconds=28800 + 31), "Expired"),
        ({"exp": NOW - 31}, AT, "Expired"),
        ({}, AT - timedelta(seconds=31), "NotYetValid"),
        ({"nbf": NOW + 31}, AT, "NotYetValid"),
        ({"iat": NOW + 31}, AT, "IssuedInTheFuture"),
    ],
)
def test_times_beyond_the_skew_are_refused(payload, at, expected):
    assert reason(token(payload=payload), at=at) == expected


@pytest.mark.parametrize("seconds", [-30, 0, 28800, 28830])
def test_a_clock_difference_of_30_seconds_is_accepted(seconds):
    verify(token(), at=AT + timedelta(seconds=seconds))


@pytest.mark.parametrize(("seconds", "accepted"), [(-1, False), (0, True), (28800, True), (28801, False)])
def test_without_leeway_the_window_is_exact(seconds, accepted):
    text, at = token(), AT + timedelta(seconds=seconds)
    if accepted:
        verify(text, at=at, leeway=timedelta(0))
    else:
        assert reason(text, at=at, leeway=timedelta(0)) in ("Expired", "NotYetValid")


@pytest.mark.parametrize("leeway", [SKEW + timedelta(microseconds=1), timedelta(hours=1), timedelta(seconds=-1)])
def test_a_larger_leeway_is_a_configuration_error(leeway):
    with pytest.raises(ConfigurationError):
        verify(token(), leeway=leeway)


def test_a_time_without_zone_is_a_configuration_error():
    with pytest.raises(ConfigurationError):
        verify(token(), at=AT.replace(tzinfo=None))


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", [None, "1748779200", True, -1, 1e9, 10**30, [NOW]])
def test_times_that_are_no_whole_seconds_are_malformed(name, value):
    assert reason(token(payload={name: value})) == "Malformed"


@pytest.mark.parametrize(
    ("aud", "audience", "accepted"),
    [
        (None, None, True),
        ("me", "me", True),
        (["you", "me"], "me", True),
        ("me", None, False),
        (None, "me", False),
        ("you", "me", False),
        (["you"], "me", False),
        ([["me"]], "me", False),
        ({"me": 1}, "me", False),
    ],
)
def test_the_audience_must_be_named_on_both_sides(aud, audience, accepted):
    text = token(payload={"aud": aud})
    if accepted:
        verify(text, audience=audience)
    else:
        assert reason(text, audience=audience) == "AudienceMismatch"


@pytest.mark.parametrize("missing", ["x-ms-attestation-type", "x-ms-ver", "jti"])
def test_what_the_same_key_signed_for_another_purpose_is_no_attestation_token(missing):
    assert reason(token(payload={missing: None})) == "NotAnAttestationToken"


def test_the_answer_to_a_policy_request_is_no_attestation_token():
    assert reason(token(payload={"x-ms-policy": "eyJhbGciOiJub25lIn0.."})) == "NotAnAttestationToken"
    assert reason(token(header={"typ": "attReq"})) == "NotAnAttestationToken"


def test_a_marked_token_is_refused_unless_every_mark_is_allowed():
    marked = token(payload={"x-assay-unsafe": ["simulator", "verify-at"]})
    assert reason(marked) == "UnsafeToken"
    assert reason(marked, allow_unsafe=frozenset({"simulator"})) == "UnsafeToken"
    allowed = verify(marked, allow_unsafe=frozenset({"simulator", "verify-at", "no-revocation"}))
    assert allowed.unsafe_marks == ("simulator", "verify-at")


@pytest.mark.parametrize("marks", ["simulator", None, {"simulator": True}, [1], [["simulator"]]])
def test_marks_of_another_form_are_refused_too(marks):
    payload = {**PAYLOAD, "x-assay-unsafe": marks}
    text = assemble(b'{"alg":"RS256","kid":"rsa"}', json.dumps(payload).encode())
    assert reason(text, allow_unsafe=frozenset({"simulator"})) == "Malformed"


def test_runtime_data_named_like_service_claims_stays_nested():
    nested = {
        "iss": "https://evil.example",
        "exp": 1,
        "x-ms-attestation-type": "tdxvm",
        "x-assay-unsafe": ["simulator"],
    }
    assert verify(token(payload={"x-ms-runtime": nested})).attestation_type == "sgx"


@pytest.mark.parametrize(
    "payload",
    [
        b'{"iss":"https://attest.example","iss":"https://evil.example"}',
        b'{"exp":1,"EXP":2}',
        b"[]",
        b"null",
        b'{"a":' + b"[" * 500 + b"]" * 500 + b"}",
        b'{"exp":1' + b"0" * 5000 + b"}",
        b'{"exp":NaN}',
        b'{"a":"\\ud800"}',
    ],
)
def test_a_payload_that_is_not_one_clear_json_object_is_malformed(payload):
    assert reason(assemble(b'{"alg":"RS256","kid":"rsa"}', payload)) == "Malformed"


def test_too_large_tokens_are_refused():
    assert reason(token(payload={"x": "x" * 300_000})) == "TooLarge"
    assert reason(token(payload={f"c{number}": 1 for number in range(10_000)})) == "TooLarge"


def test_agreement_with_the_oracle_on_changed_tokens():
    changes: list[dict[str, object]] = [
        {},
        {"exp": NOW - 100},
        {"nbf": NOW + 100},
        {"iat": NOW + 100},
        {"iss": "https://other.example"},
        {"aud": "me"},
        {"exp": NOW - 10},
        {"nbf": NOW + 10},
    ]
    key = rsa_key().public_key()
    at = datetime.now(UTC)
    shift = int(at.timestamp()) - NOW
    base = {name: NOW + shift + offset for name, offset in (("iat", -60), ("nbf", -60), ("exp", 3600))}
    for change in changes:
        moved = {n: v + shift if n in base and isinstance(v, int) else v for n, v in change.items()}
        text = token(payload={**base, **moved})
        try:
            jwt.decode(text, key, algorithms=["RS256"], issuer=ISSUER, leeway=30)
            expected = True
        except jwt.PyJWTError:
            expected = False
        try:
            verify(text, at=at)
            found = True
        except TokenRejected:
            found = False
        assert found == expected, change


def recorded():
    path = shared_path("vectors/azure-sdk/tokens/recorded.jsonl")
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def test_every_recorded_attestation_token_is_accepted_at_its_time():
    count = 0
    for entry in recorded():
        if "/attest/" not in entry["operation"] or entry["header"]["alg"] == "none":
            continue
        keys = parse_key_set(shared_path(f"vectors/azure-sdk/{entry['jwks']}").read_bytes())
        at = datetime.fromtimestamp(entry["payload"]["iat"], UTC)
        verified = verify_token(entry["token"], issuer=entry["payload"]["iss"], keys=keys, at=at)
        assert dict(verified.claims) == entry["payload"]
        count += 1
    assert count == 45


def test_recorded_answers_that_are_no_attestation_tokens_are_refused_by_type():
    found = {"DraftResult": 0, "NotAnAttestationToken": 0}
    for entry in recorded():
        issuer, at = entry["payload"]["iss"], datetime.fromtimestamp(entry["payload"]["iat"], UTC)
        if entry["header"]["alg"] == "none":
            found[reason(entry["token"], issuer=issuer, at=at)] += 1
        elif "/attest/" not in entry["operation"]:
            keys = parse_key_set(shared_path(f"vectors/azure-sdk/{entry['jwks']}").read_bytes())
            found[reason(entry["token"], issuer=issuer, keys=keys, at=at)] += 1
    assert found == {"DraftResult": 9, "NotAnAttestationToken": 130}


def test_a_recorded_token_of_another_tenant_with_the_same_key_is_refused():
    entry = next(e for e in recorded() if "/attest/" in e["operation"] and e["header"]["alg"] != "none")
    keys = parse_key_set(shared_path(f"vectors/azure-sdk/{entry['jwks']}").read_bytes())
    at = datetime.fromtimestamp(entry["payload"]["iat"], UTC)
    assert reason(entry["token"], issuer="https://sharedwus.wus.attest.azure.net", keys=keys, at=at) == "IssuerMismatch"


def test_the_relying_party_needs_no_http_library():
    code = "import sys; from assay.client import verify_token, parse_key_set; sys.exit('httpx2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_keys_of_an_ec_issuer_are_found_beside_rsa_ones():
    keys = parse_key_set(json.dumps({"keys": [*KEYS["keys"], ec_jwk("second")]}).encode())
    verify(token("ES256", header={"kid": "second"}), keys=keys)


def test_a_header_that_points_to_other_keys_is_refused():
    assert reason(token(header={"jku": "https://evil.example/certs"})) == "KeyNotAllowed"
    assert reason(token(header={"x5u": f"{ISSUER}/certs"})) == "KeyNotAllowed"
    verify(token(header={"jku": f"{ISSUER}/certs"}))


def test_a_token_that_ends_before_it_begins_is_refused_inside_the_skew_too():
    assert reason(token(payload={"iat": NOW, "nbf": NOW, "exp": NOW - 1})) == "Expired"
    verify(token(payload={"iat": NOW - 2, "nbf": NOW - 2, "exp": NOW - 1}))

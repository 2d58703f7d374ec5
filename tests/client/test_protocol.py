"""Requests as the stock clients send them, and answers of every kind."""

from __future__ import annotations

import json

import pytest

from assay.client.protocol import (
    ConnectionFailed,
    FailedCheck,
    Reply,
    attest_call,
    encode_submission,
    endpoint,
    key_set_call,
    key_set_call_of,
    read_answer,
    read_key_set,
    read_metadata,
)
from assay.errors import ConfigurationError, ServiceRefused
from assay.evidence import EVIDENCE_TYPES
from assay.evidence.base import HeldData, HeldDataType, Submission
from tests.client.issuer import KEY_SET

BASE = "https://attest.example"


@pytest.mark.parametrize("kind", EVIDENCE_TYPES, ids=lambda kind: kind.name)
def test_a_request_decodes_to_the_submission_it_was_made_from(kind):
    sent = Submission(
        b"\xff\xfe evidence",
        HeldData(b'{"a":1}', HeldDataType.JSON, {"a": 1}),
        HeldData(b"\x00", HeldDataType.BINARY, None),
        "nonce",
        "version= 1.0;",
    )
    body = json.loads(encode_submission(kind, sent))
    # What else there is to say stands inside the signed request of a report (tpm-and-guest 1.2).
    expected = Submission(sent.evidence) if kind.profile.is_report else sent
    assert kind.decode({name.lower(): value for name, value in body.items()}) == expected
    assert "=" not in body[kind.member]


def test_a_bare_request_has_only_the_evidence():
    kind = EVIDENCE_TYPES[0]
    assert json.loads(encode_submission(kind, Submission(b"\x01\x02"))) == {kind.member: "AQI"}


def test_the_call_names_path_version_and_explanation():
    kind = EVIDENCE_TYPES[0]
    call = attest_call(BASE, kind, Submission(b"\x01"), explain=True, api_version="2022-08-01")
    assert call.url == f"{BASE}/attest/{kind.path}?api-version=2022-08-01&explain=true"
    assert key_set_call(BASE).url == f"{BASE}/certs"


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example",
        "https://a.example:8443/tenant/",
        "http://127.0.0.1:1",
        "http://[::1]:1",
        "http://localhost:8080",
    ],
)
def test_safe_urls_are_taken(url):
    assert endpoint(url) == url.rstrip("/")


@pytest.mark.parametrize(
    "url", ["http://a.example", "http://127.0.0.1.evil.example", "ftp://a", "a.example", "https://", "https://u:p@a.example", "https://a?x=1", "https://a#x", "file:///etc/passwd"]
)  # fmt: skip
def test_other_urls_are_configuration_errors(url):
    with pytest.raises(ConfigurationError):
        endpoint(url)


def reply(status: int, body: object, **headers: str) -> Reply:
    return Reply(status, headers, body if isinstance(body, bytes) else json.dumps(body).encode())


def test_a_token_and_its_verdict_are_read():
    checks = [
        {"name": "quote.signature", "outcome": "passed", "observed": "verifies", "expected": "x", "reference": "y"}
    ]
    answer = read_answer(reply(200, {"token": "a.b.c", "verdict": checks}))
    assert answer.token == "a.b.c"
    assert [(check.target, check.outcome) for check in answer.verdict] == [("quote.signature", "passed")]


def test_an_error_body_becomes_a_refusal_with_its_failing_check():
    detail = {"code": "TcbStatusNotAccepted", "message": "update", "target": "tcb.status", "observed": "OutOfDate",
              "expected": "UpToDate", "reference": "5.8", "outcome": "failed"}  # fmt: skip
    body = {"error": {"code": "InvalidParameter", "message": "refused", "details": [detail]}}
    with pytest.raises(ServiceRefused) as caught:
        read_answer(reply(400, body))
    assert (caught.value.status, caught.value.error_code) == (400, "InvalidParameter")
    assert [check.target for check in caught.value.details if isinstance(check, FailedCheck)] == ["tcb.status"]


def test_the_other_spelling_of_errors_and_no_error_body_are_read():
    with pytest.raises(ServiceRefused) as caught:
        read_answer(reply(500, {"Error": {"Code": "Oops", "Message": "text"}}))
    assert caught.value.error_code == "Oops"
    with pytest.raises(ServiceRefused) as caught:
        read_answer(Reply(429, {"x-ms-error-code": "Throttled"}, b"<html>"))
    assert caught.value.error_code == "Throttled"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"token":1}', b'{"token":"a b"}', b'{"token":"a","token":"b"}', b"\xff"]
)
def test_answers_that_are_no_token_are_failures_of_the_connection(body):
    with pytest.raises(ConnectionFailed):
        read_answer(reply(200, body))


@pytest.mark.parametrize("status", [201, 204, 301, 302, 307, 308])
def test_only_200_is_success(status):
    with pytest.raises((ServiceRefused, ConnectionFailed)):
        read_answer(reply(status, {"token": "a.b.c"}, location="https://evil.example"))
    with pytest.raises((ServiceRefused, ConnectionFailed)):
        read_key_set(reply(status, KEY_SET))


def test_the_discovery_document_must_be_of_the_issuer_and_stay_at_its_origin():
    good = {"issuer": BASE, "jwks_uri": f"{BASE}/certs"}
    assert key_set_call_of(read_metadata(reply(200, good), BASE)).url == f"{BASE}/certs"
    assert read_metadata(reply(200, {**good, "jwks_uri": f"{BASE}:443/certs"}), BASE)
    for change in (
        {"issuer": BASE + "/"},
        {"issuer": None},
        {"jwks_uri": "https://evil.example/certs"},
        {"jwks_uri": "http://attest.example/certs"},
        {"jwks_uri": "https://attest.example:444/certs"},
        {"jwks_uri": "https://attest.example@evil.example/certs"},
        {"jwks_uri": "https://u@attest.example/certs"},
        {"jwks_uri": "https://attest.example:x/certs"},
        {"jwks_uri": None},
        {"jwks_uri": "/certs"},
    ):
        with pytest.raises(ConnectionFailed):
            read_metadata(reply(200, {**good, **change}), BASE)

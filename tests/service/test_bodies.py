"""What HTTP itself refuses: types, encodings, sizes, slow bodies (rest-api 4, 17; attack cases IN-03, IN-05)."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib

import pytest

from assay.service import requests
from tests.service.in_process import application
from tests.service.material import SGX, claims_of, quote, refusal_of, sgx_body
from tests.service.raw import Connection

BODY = json.dumps(sgx_body()).encode()
JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON",
        "text/plain",
        "text/json",
        "application/x+json",
    ],
)
def test_content_types_of_json_are_taken(wire, content_type: str) -> None:
    assert wire.post(SGX, content=BODY, headers={"content-type": content_type}).status_code == 200


def test_a_missing_content_type_is_taken_for_json(service) -> None:
    with Connection(service) as connection:
        answer = connection.ask("POST", SGX, BODY)
    assert answer.status == 200


@pytest.mark.parametrize(
    "content_type",
    [
        "application/xml",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
        "image/png",
        "json",
        ";",
    ],
)
def test_another_content_type_is_refused(wire, content_type: str) -> None:
    response = wire.post(SGX, content=BODY, headers={"content-type": content_type})
    refusal_of(response, 415, "UnsupportedMediaType")


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "identity, gzip", "x"])
def test_a_compressed_body_is_refused_unexpanded(wire, encoding: str) -> None:
    """Attack case IN-05."""
    bomb = gzip.compress(bytes(1 << 20)) if encoding != "deflate" else zlib.compress(bytes(1 << 20))
    response = wire.post(SGX, content=bomb, headers={**JSON, "content-encoding": encoding})
    refusal_of(response, 415, "UnsupportedMediaType")
    assert wire.post(SGX, content=BODY, headers={**JSON, "content-encoding": "identity"}).status_code == 200


def test_compressed_evidence_is_not_expanded(wire) -> None:
    import base64

    packed = base64.b64encode(gzip.compress(quote().evidence)).decode()
    error = refusal_of(wire.post(SGX, json={"quote": packed}), 400, "InvalidParameter")
    assert error["deciding"]["target"] == "evidence.form"


def test_an_oversized_body_is_refused(wire) -> None:
    limit = 1 << 20
    padded = BODY[:-1] + b" " * (limit - len(BODY)) + b"}"
    assert len(padded) == limit
    assert wire.post(SGX, content=padded, headers=JSON).status_code == 200
    refusal_of(wire.post(SGX, content=padded + b" ", headers=JSON), 413, "RequestTooLarge")


def test_an_oversized_body_of_unknown_length_is_refused(wire) -> None:
    chunks = (b" " * 65536 for _ in range(20))
    refusal_of(wire.post(SGX, content=chunks, headers=JSON), 413, "RequestTooLarge")


@pytest.mark.parametrize("length", ["99999999999999999999999", "1048577"])
def test_a_declared_size_is_refused_before_it_is_sent(service, length: str) -> None:
    with Connection(service) as connection:
        connection.send(f"POST {SGX} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n".encode())
        answer = connection.answer()
    assert answer.status in (400, 413)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{}{}",
        b"{'quote': 1}",
        b'{"quote":NaN}',
        b'{"nonce":Infinity,"quote":"AA"}',
        b"\xff\xfe{\x00}\x00",
        b"\xef\xbb\xbf{}",
        b'{"quote":"\\ud800"}',
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b"[" * 100_000,
        b'{"nonce":' + b"9" * 500_000 + b"}",
        b'{"nonce":1e999}',
        b'{"quote":"\x00"}',
        b"\x00",
        BODY + b"\x00",
        b"{" + b",".join(b'"%d":1' % number for number in range(30_000)) + b"}",
    ],
    ids=range(17),
)
def test_what_is_not_strict_json_is_refused(wire, body: bytes) -> None:
    """Attack case IN-03."""
    error = refusal_of(wire.post(SGX, content=body, headers=JSON), 400, "InvalidParameter")
    assert error["deciding"]["target"] == "body"


def test_a_slow_body_is_refused(dev_settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "BODY_SECONDS", 0.05)

    async def body():
        yield BODY[:10]
        await asyncio.Event().wait()

    async def scene():
        async with application(dev_settings) as running:
            response = await running.client.post(SGX, content=body(), headers=JSON)
            refusal_of(response, 408, "RequestTimeout")
            # What is still under way must not be taken for a next request.
            assert response.headers["connection"] == "close"
            claims_of(await running.client.post(SGX, content=BODY, headers=JSON))

    asyncio.run(scene())

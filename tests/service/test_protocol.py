"""Requests and answers on one connection: order, heads without bodies, one record."""

from __future__ import annotations

import json

from tests.service.material import SGX, sgx_body
from tests.service.raw import Connection

BODY = json.dumps(sgx_body()).encode()
ATTEST = f"POST {SGX} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(BODY)}\r\n"


def test_an_answer_is_one_tls_record(service) -> None:
    with Connection(service) as connection:
        for _ in range(3):
            connection.send(ATTEST.encode() + b"\r\n" + BODY)
            # A read gives no more than one record.
            head, _, body = connection.socket.recv(1 << 16).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 OK\r\n")
            assert f"content-length: {len(body)}".encode() in head.lower()
            assert json.loads(body)["token"]


def test_requests_sent_at_once_are_answered_in_their_order(service) -> None:
    with Connection(service) as connection:
        get = b"GET /%b HTTP/1.1\r\nHost: localhost\r\n\r\n"
        connection.send(b"".join((ATTEST.encode(), b"\r\n", BODY, get % b"livez", get % b"nowhere", get % b"certs")))
        received = b""
        while received.count(b"HTTP/1.1 ") < 4 or not received.endswith(b"}"):
            received += connection.socket.recv(1 << 16)
    statuses = [part[:3] for part in received.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [b"200", b"200", b"404", b"200"]
    assert received.index(b'"token"') < received.index(b'"alive"') < received.index(b'"NotFound"')


def test_an_answer_to_head_has_no_body_and_the_connection_goes_on(service) -> None:
    with Connection(service) as connection:
        for _ in range(2):
            answer = connection.ask("HEAD", "/certs")
            assert (answer.status, answer.body) == (200, b"")
            assert int(answer.headers["content-length"]) > 2
            assert connection.ask("GET", "/livez").json() == {"status": "alive"}


def test_a_caller_that_waits_for_100_is_told_to_go_on(service) -> None:
    with Connection(service) as connection:
        connection.send(ATTEST.encode() + b"Expect: 100-continue\r\n\r\n")
        assert connection.socket.recv(1 << 16) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.send(BODY)
        assert connection.answer().status == 200


def test_a_connection_that_is_to_end_ends_after_the_whole_answer(service) -> None:
    with Connection(service) as connection:
        answer = connection.ask("POST", SGX, BODY, {"Connection": "close"})
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert connection.is_closed(5)


def test_headers_in_pieces_after_an_answer_are_waited_for(service) -> None:
    with Connection(service) as connection:
        assert connection.ask("GET", "/livez").status == 200
        for piece in (b"GET /li", b"vez HTTP/1.1\r\nHo", b"st: localhost\r\n", b"\r\n"):
            connection.send(piece)
        assert connection.answer("GET").status == 200

"""Callers that hold connections do not hold the others (attack case IN-08)."""

from __future__ import annotations

import json
import threading
import time
from contextlib import ExitStack

from assay.service import protocol
from tests.service.material import SGX, claims_of, sgx_body
from tests.service.raw import Connection

HALF_OPEN = 50
BODY = json.dumps(sgx_body()).encode()


def test_half_open_connections_do_not_stop_others_and_are_closed(service, wire) -> None:
    with ExitStack() as stack:
        slow = [stack.enter_context(Connection(service)) for _ in range(HALF_OPEN)]
        for index, connection in enumerate(slow):
            if index % 3 == 0:
                continue  # a handshake and then nothing
            head = f"POST {SGX} HTTP/1.1\r\nHost: localhost\r\n"
            connection.send(head.encode() if index % 3 == 1 else head[:10].encode())
        # One that drips a header for ever is no better than a silent one.
        dripping = stack.enter_context(Connection(service))
        dripping.send(b"GET /certs HTTP/1.1\r\n")
        stop = threading.Event()
        drip = threading.Thread(target=_drip, args=(dripping, stop), daemon=True)
        drip.start()
        begun = time.monotonic()
        for _ in range(20):
            claims_of(wire.post(SGX, json=sgx_body()))
        assert time.monotonic() - begun < 5
        with Connection(service) as connection:
            assert connection.ask("POST", SGX, BODY).status == 200
        for connection in (*slow, dripping):
            assert connection.is_closed(protocol.HEADER_SECONDS + 5)
        stop.set()
        drip.join()


def test_many_attestations_at_once_are_all_answered(service) -> None:
    answers: list[int] = []

    def call() -> None:
        with Connection(service) as connection:
            answers.extend(connection.ask("POST", SGX, BODY).status for _ in range(10))

    threads = [threading.Thread(target=call) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert answers == [200] * 160


def test_headers_that_never_end_are_cut_off(service, wire) -> None:
    with Connection(service) as connection:
        connection.send(b"GET /certs HTTP/1.1\r\nHost: localhost\r\n")
        try:
            for _ in range(200):
                connection.send(b"X-Padding: " + b"x" * 1000 + b"\r\n")
        except OSError:
            pass
        else:
            assert connection.is_closed(5)
    assert wire.get("/livez").status_code == 200


def test_callers_that_go_away_in_the_middle_leave_nothing_behind(service, wire) -> None:
    for size in (0, 10, len(BODY) - 1, len(BODY)):
        with Connection(service) as connection:
            head = f"POST {SGX} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(BODY)}\r\n\r\n"
            connection.send(head.encode() + BODY[:size])
    claims_of(wire.post(SGX, json=sgx_body()))
    said = service.said()
    assert '"level": "error"' not in said
    assert "Traceback" not in said


def _drip(connection: Connection, stop: threading.Event) -> None:
    try:
        while not stop.wait(0.5):
            connection.send(b"X: y\r\n")
    except OSError:
        return

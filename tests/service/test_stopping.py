"""Ending the service: gracefully, suddenly, in the middle of things; and starting it again (attack case TOK-18)."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from contextlib import suppress

import httpx2
import pytest

from tests.service.material import AT, SGX, claims_of, sgx_body, take_apart
from tests.service.raw import Connection
from tests.service.running import Running, await_ready, running, started, wait_for

KILLS = 4
BODY = json.dumps(sgx_body()).encode()


@pytest.fixture(scope="module")
def options(collateral) -> tuple[str, ...]:
    return ("--dev", "--port", "0", "--offline", "--collateral", str(collateral), "--unsafe-verify-at", AT.isoformat())


def key_of(client) -> str:
    # The key that signs stands first; it is listed once more as the signer of reports.
    return client.get("/certs").json()["keys"][0]["kid"]


def test_a_restart_keeps_key_and_certificate_and_says_how_quick_it_is(tmp_path, options, record_property) -> None:
    with running(tmp_path / "state", *options) as service, service.client() as client:
        before, ca = client.get("/certs").json()["keys"][0], service.ca.read_bytes()
        token = client.post(SGX, json=sgx_body()).json()["token"]
        same = ("--port", str(service.port))
    with running(tmp_path / "state", *options, *same) as service, service.client() as client:
        # Not asserted here: `make bench` prints the ratio (issue 2).
        print(f"ready after {service.ready_seconds:.2f} s on a migrated database")
        record_property("ready_seconds", service.ready_seconds)
        assert client.get("/certs").json()["keys"][0] == before
        assert service.ca.read_bytes() == ca
        assert take_apart(token).header["kid"] == before["kid"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_running_request_is_finished_before_the_end(tmp_path, options, number: signal.Signals) -> None:
    with running(tmp_path / "state", *options) as service:
        with Connection(service) as connection, Connection(service) as idle:
            idle.ask("GET", "/certs")
            head = f"POST {SGX} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(BODY)}\r\n\r\n"
            connection.send(head.encode() + BODY[:100])
            # Answered after the request above was taken up, on the same event loop.
            idle.ask("GET", "/certs")
            service.process.send_signal(number)
            assert idle.is_closed(10)
            assert service.process.poll() is None
            connection.send(BODY[100:])
            answer = connection.answer()
            assert answer.status == 200
            assert take_apart(answer.json()["token"]).payload["iss"] == service.url
        assert service.process.wait(15) in (0, 130)


def test_a_request_that_never_ends_does_not_hold_the_service(tmp_path, options) -> None:
    with running(tmp_path / "state", *options) as service, Connection(service) as connection:
        connection.send(f"POST {SGX} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{{".encode())
        begun = time.monotonic()
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(20) == 0
        assert time.monotonic() - begun < 15


def test_a_killed_start_leaves_a_clean_next_one(tmp_path, options) -> None:
    """Killed at moments spread over the whole first start: key creation, migrations, certificates."""
    chance = random.Random(20260301)
    for index in range(KILLS):
        state = tmp_path / f"state{index}"
        with started(state, *options) as (process, _log):
            time.sleep(chance.uniform(0.15 * index + 0.2, 0.15 * index + 0.35))
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    keys = []
    for index in range(KILLS):
        with running(tmp_path / f"state{index}", *options) as service, service.client() as client:
            assert claims_of(client.post(SGX, json=sgx_body()))["iss"] == service.url
            keys.append(key_of(client))
    assert len(set(keys)) == KILLS


def test_what_was_announced_survives_a_kill(tmp_path, options) -> None:
    state = tmp_path / "state"
    found = set()
    for _ in range(3):
        with started(state, *options) as (process, log):
            url = await_ready(process, log)
            service = Running(process, url, state, log, 0)
            with service.client() as client:
                found.add(key_of(client))
                hammer = threading.Thread(target=_hammer, args=(service,), daemon=True)
                hammer.start()
                client.post(SGX, json=sgx_body())
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            hammer.join(5)
    with running(state, *options) as service, service.client() as client:
        found.add(key_of(client))
        claims_of(client.post(SGX, json=sgx_body()))
    assert len(found) == 1


def test_a_start_that_died_while_writing_the_sealing_key_is_made_good(tmp_path, options) -> None:
    """The file exists and is empty: made by a start that was killed between the two."""
    (tmp_path / "state" / "dev").mkdir(parents=True)
    (tmp_path / "state" / "dev" / "sealing.key").touch(mode=0o600)
    with running(tmp_path / "state", *options) as service, service.client() as client:
        assert client.get("/certs").status_code == 200


def _hammer(service: Running) -> None:
    """Requests until the service is gone."""
    with suppress(httpx2.TransportError), service.client() as client:
        while True:
            client.post(SGX, json=sgx_body())


def test_the_state_directory_is_for_its_owner_only(tmp_path, options) -> None:
    with running(tmp_path / "state", *options) as service:
        wait_for((service.state_dir / "assay.db").exists, what="the database")
        for path in service.state_dir.rglob("*"):
            if path.is_file():
                assert path.stat().st_mode & 0o077 == 0, path

"""Several processes on one port (issue 2, point 7)."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.service.material import AT, SGX, claims_of, sgx_body
from tests.service.raw import Connection
from tests.service.running import Running, running, wait_for


@pytest.fixture(scope="module")
def options(collateral) -> tuple[str, ...]:
    common = ("--dev", "--port", "0", "--offline", "--collateral", str(collateral))
    return (*common, "--unsafe-verify-at", AT.isoformat(), "--workers", "2")


@pytest.fixture(scope="module")
def workers(tmp_path_factory, options):
    with running(tmp_path_factory.mktemp("workers") / "state", *options) as service:
        yield service


def listeners(service: Running) -> set[int]:
    """The children that listen on the port, told by the sockets that they hold."""
    inodes = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A" and int(fields[1].split(":")[1], 16) == service.port:
            inodes.add(f"socket:[{fields[9]}]")
    return {pid for pid in children(service.process.pid) if inodes & sockets(pid)}


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def sockets(pid: int) -> set[str]:
    found = set()
    for link in Path(f"/proc/{pid}/fd").glob("*"):
        try:
            found.add(os.readlink(link))
        except OSError:
            continue
    return found


def connections(pid: int, port: int) -> int:
    """Connections that clients have to this process."""
    held = sockets(pid)
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(
        f"socket:[{row[9]}]" in held and row[3] == "01" and int(row[1].split(":")[1], 16) == port for row in rows
    )


def test_every_worker_has_its_own_socket_and_answers(workers: Running) -> None:
    pids = listeners(workers)
    assert len(pids) == 2
    answered: dict[int, int] = dict.fromkeys(pids, 0)
    for _ in range(60):
        with Connection(workers) as connection:
            assert connection.ask("GET", "/certs").status == 200
            for pid in pids:
                answered[pid] += connections(pid, workers.port) > 0
        if all(answered.values()):
            return
    pytest.fail(f"one worker never answered: {answered}")


def test_the_workers_have_one_key_set_and_one_development_authority(workers: Running) -> None:
    found = set()
    for _ in range(30):
        with Connection(workers) as connection:
            found.add(connection.ask("GET", "/certs").body)
    assert len(found) == 1
    with workers.client() as client:
        assert claims_of(client.post(SGX, json=sgx_body()))["iss"] == workers.url


def test_a_worker_that_dies_is_replaced(workers: Running) -> None:
    with workers.client() as client:
        kid = client.get("/certs").json()["keys"][0]["kid"]
    before = listeners(workers)
    victim = min(before)
    os.kill(victim, signal.SIGKILL)
    wait_for(lambda: len(listeners(workers) - {victim}) == 2, what="a new worker")
    replacement = (listeners(workers) - before).pop()
    # It stays: a worker that falls at once would be replaced again and again.
    for _ in range(200):
        with Connection(workers) as connection:
            answer = connection.ask("GET", "/certs")
            assert answer.json()["keys"][0]["kid"] == kid
            if connections(replacement, workers.port):
                break
    else:
        pytest.fail("the new worker never answered")
    assert replacement in listeners(workers)
    assert f"worker {victim} ended" in workers.said()
    assert workers.said().count(" ended with ") == 1, workers.said()


def test_workers_that_start_together_agree_and_end_together(tmp_path, options) -> None:
    """The development authority and the key are made once, before any worker; a signal ends all of them."""
    for index in range(2):
        with running(tmp_path / f"state{index}", *options) as service:
            for _ in range(12):
                with Connection(service) as connection:
                    assert connection.ask("GET", "/livez").status == 200
            pids = listeners(service)
            assert len(pids) == 2
            assert service.stop() == 0
            assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_workers_end_when_their_parent_was_killed(tmp_path, options) -> None:
    with running(tmp_path / "state", *options) as service:
        pids = listeners(service)
        service.process.kill()
        service.process.wait()
        wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), what="the end of the workers")

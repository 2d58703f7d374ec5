"""The service as a process of its own: started with options, ready when it says so, ended by a signal."""

from __future__ import annotations

import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2

import assay

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

COMMAND = (sys.executable, "-W", "error", "-c", "from assay.cli import main; main()", "serve")
READY_SECONDS = 30
STOP_SECONDS = 20


@dataclass(frozen=True)
class Running:
    """A service that said `ready:`; `ready_seconds` is how long that took from the start of the process."""

    process: subprocess.Popen[str]
    url: str
    state_dir: Path
    log: Path
    ready_seconds: float

    @property
    def ca(self) -> Path:
        """What clients of a development service trust."""
        return self.state_dir / "dev" / "ca.pem"

    @property
    def port(self) -> int:
        return httpx2.URL(self.url).port or 443

    def said(self) -> str:
        """What stood on standard error so far."""
        return self.log.read_text()

    def client(self, ca: Path | None = None) -> httpx2.Client:
        return httpx2.Client(base_url=self.url, verify=trusting(ca or self.ca), timeout=20)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(STOP_SECONDS)


def trusting(ca: Path):
    import ssl

    return ssl.create_default_context(cafile=str(ca))


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a started service: ours without settings of Assay, and `more`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ASSAY_")}
    return {**kept, "PYTHONPATH": str(Path(assay.__file__).parents[1]), **(more or {})}


@contextmanager
def started(
    state_dir: Path, *options: str, more: Mapping[str, str] | None = None
) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """The process as soon as it exists; killed at the end if it still runs, its children with it."""
    state_dir.mkdir(parents=True, exist_ok=True)
    log = state_dir.parent / f"{state_dir.name}.stderr"
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [*COMMAND, "--state-dir", str(state_dir), *options],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env=environment(more),
            start_new_session=True,
        )
    with process:
        try:
            yield process, log
        finally:
            # Whatever is left of it, workers without their supervisor too.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def await_ready(process: subprocess.Popen[str], log: Path) -> str:
    """The base URL of the `ready:` line; fails with what the service said when it does not come."""
    lines: queue.Queue[str] = queue.Queue()
    assert process.stdout is not None
    threading.Thread(target=lambda out=process.stdout: lines.put(out.readline()), daemon=True).start()
    try:
        line = lines.get(timeout=READY_SECONDS)
    except queue.Empty:
        line = ""
    assert line.startswith("ready: "), f"{line!r}; standard error: {log.read_text()}"
    return line.removeprefix("ready: ").strip()


@contextmanager
def running(state_dir: Path, *options: str, more: Mapping[str, str] | None = None) -> Iterator[Running]:
    """A service that answers; at the end it must stop at SIGTERM with 0, having reported no bug."""
    begun = time.monotonic()
    with started(state_dir, *options, more=more) as (process, log):
        url = await_ready(process, log)
        service = Running(process, url, state_dir, log, time.monotonic() - begun)
        yield service
        if process.poll() is None:
            code = service.stop()
            assert code == 0, f"exit code {code}: {service.said()[-2000:]}"
        assert_quiet(service)


def assert_quiet(service: Running) -> None:
    said = service.said()
    assert '"level": "error"' not in said, said
    assert "Traceback" not in said, said


def refused_start(state_dir: Path, *options: str, more: Mapping[str, str] | None = None) -> tuple[int, str]:
    """The exit code and standard error of a service that is expected not to start."""
    with started(state_dir, *options, more=more) as (process, log):
        code = process.wait(READY_SECONDS)
        assert process.stdout is not None
        assert process.stdout.read() == ""
        return code, log.read_text()


def wait_for(condition, seconds: float = 15.0, *, what: str = "the condition") -> None:
    """Returns as soon as the condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what} did not come in {seconds} seconds"
        time.sleep(0.02)

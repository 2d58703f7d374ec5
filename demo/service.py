"""The real service as a process of its own, on embedded defaults and under the development CA."""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from assay import clock
from assay.client import Client

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ASSAY: Final = Path(sys.executable).with_name("assay")
_START_SECONDS: Final = 20.0
_STOP_SECONDS: Final = 15.0


@dataclass(frozen=True, slots=True)
class RunningService:
    """A service that answers at `url` under the CA in `ca_file`; `seconds` is how long it took until it did."""

    url: str
    ca_file: Path
    pid: int
    seconds: float

    def client(self) -> Client:
        """A client with the reader's development token: TPMs are attested for those who may read only."""
        bearer = (self.ca_file.parent / "reader.token").read_text(encoding="ascii").strip()
        return Client(self.url, ca_file=self.ca_file, bearer=bearer)


class ServiceNotReady(Exception):
    """The service ended or did not say that it was ready; the message is what it wrote."""


@contextmanager
def running_service(state: Path, collateral: Sequence[Path], *options: str) -> Iterator[RunningService]:
    """Starts `assay serve` for development, without any network, and stops it at the end."""
    state.mkdir(parents=True, exist_ok=True)
    log = state / "service.log"
    start = clock.monotonic()
    with log.open("wb") as errors:
        process = subprocess.Popen(  # noqa: S603  # our own program, no shell
            _command(state, collateral, options), stdout=subprocess.PIPE, stderr=errors, env=_environment(), text=True
        )
    try:
        url = _await_ready(process, log)
        yield RunningService(url, state / "dev" / "ca.pem", process.pid, clock.monotonic() - start)
    finally:
        _stop(process)


def _command(state: Path, collateral: Sequence[Path], options: Sequence[str]) -> list[str]:
    directories = [text for path in collateral for text in ("--collateral", str(path))]
    return [str(ASSAY), "serve", "--dev", "--port", "0", "--offline", "--state-dir", str(state), *directories, *options]


def _environment() -> dict[str, str]:
    """Ours without settings for another service."""
    return {name: value for name, value in os.environ.items() if not name.startswith("ASSAY_")}


def _await_ready(process: subprocess.Popen[str], log: Path) -> str:
    assert process.stdout is not None
    deadline = clock.monotonic() + _START_SECONDS
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while (left := deadline - clock.monotonic()) > 0 and selector.select(left):
            line = process.stdout.readline()
            if line.startswith("ready: "):
                return line.removeprefix("ready: ").strip()
            if not line:
                break
    raise ServiceNotReady(f"{ASSAY.name} serve did not become ready:\n{log.read_text(errors='replace')[-2000:]}")


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()

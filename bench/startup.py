"""Section g: how long it takes until something answers."""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path

from demo.service import ASSAY, running_service

from assay import clock
from assay.simulator import simulate_sgx
from bench.report import Line, Target


def startup() -> tuple[Line, ...]:
    """(g) The service on a migrated database with its keys, and the command line's help."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        simulate_sgx(clock.now().replace(microsecond=0)).collateral.write(folder / "collateral")
        first, *later = [_start(folder) for _ in range(5)]
    return (
        Line("service ready, first start: migrations, keys, certificates", f"{first:.2f} s"),
        _line("service ready, migrated database", min(later), 1.2),
        _line("assay --help", min(_help() for _ in range(7)), 0.25),
    )


def _line(what: str, seconds: float, most: float) -> Line:
    return Line(what, f"{seconds:.2f} s", "", Target(most, unit=" s"), seconds)


def _start(folder: Path) -> float:
    with running_service(folder / "state", [folder / "collateral"]) as service:
        return service.seconds


def _help() -> float:
    start = time.perf_counter()
    subprocess.run([ASSAY, "--help"], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start

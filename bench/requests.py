"""Section f: requests a second over TLS, driven by wrk, beside the bound that the cryptography sets."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from demo.service import running_service

from assay import clock
from assay.client.protocol import API_VERSION, encode_submission
from assay.evidence.base import Submission
from assay.simulator import simulate_sgx
from bench.measure import interleaved
from bench.processor_time import processor_seconds
from bench.report import Line, Target
from bench.subjects import KIND, arrange, quotes_of_one_platform
from bench.verification import QUOTES, p256_verify, rsa_sign

CONNECTIONS: Final = 64
_SECONDS: Final = 3
_ROUNDS: Final = 3
_BOUND_SECONDS: Final = 0.5
_SCRIPT: Final = Path(__file__).with_name("requests.lua")


@dataclass(frozen=True, slots=True)
class Load:
    """What one run of wrk saw: requests a second that were served, others, and wrk's own share of one processor.

    `cost` is the service's processor time for one request in microseconds, None where the system does not tell.
    `bound` is what the cryptography alone would have served in the seconds just before and after: shared processors
    change their pace from second to second, so that only neighbours are compared.
    """

    rate: float
    refused: int
    broken: int
    share: float
    cost: float | None
    bound: float

    @property
    def ratio(self) -> float:
        return self.rate / self.bound


def requests() -> tuple[Line, ...]:
    """(f) One worker and two, 64 connections, every request another quote of a known platform.

    The audit writer is counted apart (design, section 8): first without it, then with replies that wait for their
    records, which is the default.
    """
    wrk = shutil.which("wrk")
    if wrk is None:
        return (Line("left out: wrk is not installed (Debian: apt-get install wrk)", ""),)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        simulate_sgx(clock.now().replace(microsecond=0)).collateral.write(folder / "collateral")
        bodies = folder / "bodies"
        bodies.write_bytes(
            b"".join(encode_submission(KIND, Submission(q)) + b"\n" for q in quotes_of_one_platform(QUOTES))
        )
        bound = _bound()
        one, two = (_serve(wrk, folder, bodies, "--workers", str(workers), "--audit", "off") for workers in (1, 2))
        audited = _serve(wrk, folder, bodies)
        crowded = _crowded_bound()
    return (
        Line("the bound: 1 / (P-256 verify + RSA-2048 sign), at best", f"{bound:.0f}/s"),
        Line("  the same while another process is busy, as wrk is", f"{crowded:.0f}/s", f"{crowded / bound:.3f}"),
        *_lines("one worker, beside the bound in the same seconds", one, one.ratio, Target(0.6, most=False)),
        *_cost_lines(one),
        *_lines("  with the audit, as by default", audited, audited.ratio),
        *_cost_lines(audited),
        *_lines("two workers, beside one", two, two.ratio / one.ratio, Target(1.5, most=False)),
        Line("two workers, beside the bound in the same seconds", f"{two.rate:.0f}/s", f"{two.ratio:.3f}"),
        Line(f"processors that service, wrk and everything else share: {os.cpu_count()}", ""),
    )


def _bound() -> float:
    """At best: what one processor could serve while nothing disturbs it."""
    found = interleaved({"verify": p256_verify(arrange()), "sign": rsa_sign()}, 1)
    return 1e6 / (found["verify"] + found["sign"])


def _bound_now() -> float:
    """On average over the next moment, by processor time: others do not count, the processor's pace does."""
    verify, sign = p256_verify(arrange()), rsa_sign()
    calls, start, end = 0, time.process_time(), time.perf_counter() + _BOUND_SECONDS
    while time.perf_counter() < end:
        verify()
        sign()
        calls += 1
    return calls / (time.process_time() - start)


def _crowded_bound() -> float:
    """Processors may share their caches and units: what is left of the bound when a neighbour works."""
    neighbour = subprocess.Popen([sys.executable, "-c", "while True: sum(range(1000))"])
    try:
        return _bound()
    finally:
        neighbour.kill()
        neighbour.wait()


def _lines(what: str, load: Load, ratio: float, target: Target | None = None) -> tuple[Line, ...]:
    lines = [
        Line(what, f"{load.rate:.0f}/s", f"{ratio:.3f}", target, ratio),
        Line("  wrk's own share of one processor meanwhile", f"{100 * load.share:.0f} %"),
    ]
    if load.refused or load.broken:
        lines.append(Line("  NOT SERVED: refused, broken", f"{load.refused}, {load.broken}"))
    return tuple(lines)


def _cost_lines(load: Load) -> tuple[Line, ...]:
    """What the ratio would be on a machine that nobody else uses."""
    if load.cost is None:
        return ()
    ratio = 1e6 / load.bound / load.cost
    return (Line("  processor time of a request, and the bound's part of it", f"{load.cost:.0f}", f"{ratio:.3f}"),)


def _serve(wrk: str, folder: Path, bodies: Path, *options: str) -> Load:
    """The median of the rounds."""
    with running_service(folder / "state", [folder / "collateral"], *options) as service:
        url = f"{service.url}/attest/{KIND.path}?api-version={API_VERSION}"
        _drive(wrk, url, bodies, 1, service.pid)
        bounds, loads = [_bound_now()], []
        for _ in range(_ROUNDS):
            load = _drive(wrk, url, bodies, _SECONDS, service.pid)
            bounds.append(_bound_now())
            loads.append(replace(load, bound=sum(bounds[-2:]) / 2))
        return sorted(loads, key=lambda load: load.ratio)[_ROUNDS // 2]


def _drive(wrk: str, url: str, bodies: Path, seconds: int, service: int) -> Load:
    command = [wrk, "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(_SCRIPT), url, "--", str(bodies)]
    start, before = time.perf_counter(), processor_seconds(service)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout as output:
        last = output.read().strip().rpartition("\n")[2]
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"wrk ended with {process.returncode}")
    found = json.loads(last)
    served = found["requests"] - found["refused"]
    share = (usage.ru_utime + usage.ru_stime) / (time.perf_counter() - start)
    after = processor_seconds(service)
    cost = None if before is None or after is None else 1e6 * (after - before) / max(1, found["requests"])
    return Load(1e6 * served / found["microseconds"], found["refused"], found["broken"], share, cost, 0.0)

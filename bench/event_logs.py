"""Section l: the log of a measured boot, parsed, replayed, believed and judged by a policy on Windows' health."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from assay.claims import Claim, ClaimSet
from assay.evidence._tcg.algorithms import HashAlgorithm
from assay.evidence._tcg.event_log import EventLog, parse_event_log
from assay.evidence._tcg.evidence_claims import EVENTS, events_claim
from assay.evidence._tcg.measured import measure
from assay.evidence._tcg.replay import replay
from assay.policy import compile_policy
from assay.simulator.tpm.boots import linux_boot
from assay.simulator.tpm.event_log import IPL, LoggedEvent, encode_log
from bench.measure import interleaved
from bench.report import Line, Target, time_line

if TYPE_CHECKING:
    from collections.abc import Callable

_OCTETS: Final = 40_000
_SHARED: Final = Path(os.environ.get("ASSAY_SHARED", Path(__file__).resolve().parents[2] / "shared"))
_WINDOWS: Final = _SHARED / "vectors/tpm/eventlogs/windows/azure-tl-windows-securebootOn.bin"
_POLICY: Final = _SHARED / "spec/policies/tpm-csp-12-windows-health.policy"
_LOG_TARGET: Final = Target(4000, unit=" µs")
_POLICY_TARGET: Final = Target(25_000, unit=" µs")


def event_logs() -> tuple[Line, ...]:
    """(l) A Linux boot of 40 kB, and a real machine's Windows where the vectors are."""
    octets = _linux()
    found = interleaved({"log": lambda: _replayed(parse_event_log(octets))}, 2)
    lines = [_line(f"a log of {len(octets)} octets parsed and replayed (SHA-256)", found["log"], _LOG_TARGET)]
    if not (_WINDOWS.exists() and _POLICY.exists()):
        return (*lines, Line("a real Windows log: the shared vectors are not here", ""))
    found = interleaved(_windows_subjects(), 4)
    return (
        *lines,
        time_line("a real Windows log parsed and replayed", found["log"]),
        time_line("its events claim", found["claim"]),
        _line("the documented Windows health policy on it", found["policy"], _POLICY_TARGET),
    )


def _line(what: str, microseconds: float, target: Target) -> Line:
    return replace(time_line(what, microseconds), target=target, value=microseconds)


def _linux() -> bytes:
    """As many commands of the boot loader as fill the log."""
    events = list(linux_boot())
    command = LoggedEvent(8, IPL, b"grub_cmd: " + b"x" * 90, b"x" * 90)
    while len(encode_log(events)) < _OCTETS:
        events.append(command)
    return encode_log(events)


def _replayed(log: EventLog) -> object:
    return replay(log, HashAlgorithm.SHA256)


def _windows_subjects() -> dict[str, Callable[[], object]]:
    octets = _WINDOWS.read_bytes()
    log = parse_event_log(octets)
    bank = replay(log, HashAlgorithm.SHA256)
    policy = compile_policy(_POLICY.read_text("utf-8"))
    incoming = ClaimSet((Claim(EVENTS, events_claim(measure(log, [bank]))),))
    return {
        "log": lambda: _replayed(parse_event_log(octets)),
        "claim": lambda: events_claim(measure(log, [bank])),
        "policy": lambda: policy.evaluate(incoming),
    }

"""Measuring on a machine that others use too: rounds of every subject in turn, the least time of each."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

Work = Callable[[], object]
# Long enough that the timer and the loop do not count, short enough to fit between two interruptions.
_BATCH_SECONDS = 0.004


def interleaved(subjects: Mapping[str, Work], seconds: float) -> dict[str, float]:
    """Microseconds of one call of each subject: the least average of a batch over all rounds of `seconds`."""
    sizes = {name: _batch_size(work) for name, work in subjects.items()}
    best = dict.fromkeys(subjects, float("inf"))
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        for name, work in subjects.items():
            best[name] = min(best[name], _batch(work, sizes[name]))
    return {name: 1e6 * least for name, least in best.items()}


def _batch_size(work: Work) -> int:
    work()
    return max(1, int(_BATCH_SECONDS / max(_batch(work, 3), 1e-7)))


def _batch(work: Work, size: int) -> float:
    start = time.perf_counter()
    for _ in range(size):
        work()
    return (time.perf_counter() - start) / size

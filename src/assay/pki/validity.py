"""Validity windows: inclusive at both ends, without skew (design, section 8)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Window:
    """From `start` to `end`, both included."""

    start: datetime
    end: datetime

    def __contains__(self, at: datetime) -> bool:
        return self.start <= at <= self.end

    def __str__(self) -> str:
        return f"{self.start:%Y-%m-%dT%H:%M:%SZ} to {self.end:%Y-%m-%dT%H:%M:%SZ}"


ALWAYS = Window(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


def intersection(windows: Iterable[Window]) -> Window:
    """The time in which all windows hold; empty when its start is after its end."""
    start, end = ALWAYS.start, ALWAYS.end
    for window in windows:
        start, end = max(start, window.start), min(end, window.end)
    return Window(start, end)

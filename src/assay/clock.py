"""The only reader of the clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now() -> datetime:
    """The current time, aware and in UTC."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds that never go back, for measuring durations only."""
    return time.monotonic()

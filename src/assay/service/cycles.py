"""The collector of reference cycles in a serving process (ADR 0025)."""

from __future__ import annotations

import gc
from typing import Final

# New objects, more than were freed, before the youngest are looked at; the interpreter's own number is 700, which one
# request makes. Then how many such looks until the older, and the oldest, are looked at.
_THRESHOLDS: Final = (20_000, 20, 20)


def spare_what_was_loaded() -> None:
    """Called once a process is loaded: what is there stays, and is never walked again for cycles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)

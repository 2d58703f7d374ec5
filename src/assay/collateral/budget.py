"""A budget per minute, for what strangers can cause (design, section 3)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Budget:
    """A token bucket: holds one minute's worth, fills evenly."""

    __slots__ = ("_filled", "_left", "_monotonic", "_per_minute")

    def __init__(self, per_minute: int, monotonic: Callable[[], float]) -> None:
        self._per_minute, self._monotonic = per_minute, monotonic
        self._left, self._filled = float(per_minute), monotonic()

    def take(self) -> int | None:
        """Takes one and returns None; when none is left, the seconds after which there is one."""
        now = self._monotonic()
        self._left = min(self._per_minute, self._left + (now - self._filled) * self._per_minute / 60)
        self._filled = now
        if self._left >= 1:
            self._left -= 1
            return None
        return math.ceil((1 - self._left) * 60 / self._per_minute)

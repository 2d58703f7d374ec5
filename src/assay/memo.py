"""A bounded memory of what does not depend on the request."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Generic, TypeVar

KeyT = TypeVar("KeyT", bound=Hashable)
ValueT = TypeVar("ValueT")


class Memo(Generic[KeyT, ValueT]):
    """Keeps the most recently kept values, at most `size`; the attacker picks the keys, so it is bounded."""

    __slots__ = ("_kept", "_lock", "_size")

    def __init__(self, size: int) -> None:
        self._kept: OrderedDict[KeyT, ValueT] = OrderedDict()
        self._size, self._lock = size, Lock()

    def find(self, key: KeyT) -> ValueT | None:
        return self._kept.get(key)

    def keep(self, key: KeyT, value: ValueT) -> None:
        with self._lock:
            self._kept[key] = value
            self._kept.move_to_end(key)
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()

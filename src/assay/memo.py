"""What is remembered: a bounded memory of what does not depend on the request, and properties computed once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, Self, TypeVar, overload

KeyT = TypeVar("KeyT", bound=Hashable)
ValueT = TypeVar("ValueT")
OwnerT = TypeVar("OwnerT")


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


class Lazy(Generic[OwnerT, ValueT]):
    """A property computed when first asked for and then an ordinary attribute.

    `functools.cached_property` without its lock, which costs more than most of what is computed here. Two threads may
    compute the same value; every value here is a function of frozen fields.
    """

    __slots__ = ("_compute", "_name")

    def __init__(self, compute: Callable[[OwnerT], ValueT]) -> None:
        self._compute = compute
        self._name = compute.__name__

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: OwnerT, owner: type) -> ValueT: ...
    def __get__(self, instance: OwnerT | None, owner: type) -> Self | ValueT:
        if instance is None:
            return self
        value = instance.__dict__[self._name] = self._compute(instance)
        return value

"""Fetches under way: whoever wants the same thing at the same time waits for the one that started."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from functools import partial
from typing import Generic, TypeVar

KeyT = TypeVar("KeyT", bound=Hashable)
ValueT = TypeVar("ValueT")


class Flights(Generic[KeyT, ValueT]):
    """At most one task per key. A failure fails all who wait; cancelling one who waits cancels nobody else."""

    __slots__ = ("_under_way",)

    def __init__(self) -> None:
        self._under_way: dict[KeyT, asyncio.Task[ValueT]] = {}

    async def join(self, key: KeyT, start: Callable[[], Coroutine[None, None, ValueT]]) -> ValueT:
        """The outcome of the fetch under way for the key, begun when there is none; raises what it raised."""
        task = self._under_way.get(key)
        if task is None:
            task = asyncio.create_task(start())
            self._under_way[key] = task
            task.add_done_callback(partial(self._land, key))
        return await asyncio.shield(task)

    def _land(self, key: KeyT, task: asyncio.Task[ValueT]) -> None:
        del self._under_way[key]
        if not task.cancelled():
            task.exception()  # retrieved here, since everybody who waited may have gone

    async def close(self) -> None:
        """Cancels what is under way and waits for it to end."""
        tasks = tuple(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

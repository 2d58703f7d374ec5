"""The audit writer of one process: gathers the events of many requests into one commit."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from enum import Enum
from typing import Final, NamedTuple

import structlog

from assay import clock, limits
from assay.errors import StoreUnavailable
from assay.formats.strict_json import JsonValue
from assay.store.audit import AuditChain
from assay.store.audit_event import AuditEvent

# The longest that a busy loop keeps the first event of a batch waiting for company.
GATHER_SECONDS: Final = 0.005
RETRY_SECONDS: Final = 1.0
PURGE_SECONDS: Final = 3600.0
log = structlog.get_logger("assay.audit")


class AuditMode(str, Enum):
    """When a reply leaves: once its record is durable, at once, or without any record."""

    WAIT = "wait"
    ASYNC = "async"
    OFF = "off"


class _Pending(NamedTuple):
    """An event that waits for its commit, and who waits for it."""

    event: AuditEvent
    waiter: asyncio.Future[None] | None


class AuditWriter:
    """Writes the audit events of one process, in the order in which they were given, from one thread of its own.

    While one batch is being committed the next one gathers. An event of which `record` has returned in mode `WAIT` is
    durable; when the store fails, `record` raises and the caller must not let its answer out. A record without an
    answer can be left behind that way, an answer without a record cannot.
    """

    def __init__(self, chain: AuditChain, mode: AuditMode = AuditMode.WAIT, queue: int = limits.AUDIT_QUEUE) -> None:
        self.mode: Final = mode
        self._chain, self._most = chain, queue
        self._pending: deque[_Pending] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="audit")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._idle = asyncio.Event()
        self._busy = self._closed = False
        self._under_way = 0

    @property
    def records(self) -> bool:
        """Whether anything is recorded, so that an event is worth making."""
        return self.mode is not AuditMode.OFF

    @property
    def waiting(self) -> int:
        """Events accepted and not yet durable."""
        return len(self._pending) + self._under_way

    async def start(self, details: Mapping[str, JsonValue]) -> None:
        """Opens the chain; raises `StoreUnavailable`, and then the service must not start."""
        self._loop = asyncio.get_running_loop()
        self._idle.set()
        if self.mode is AuditMode.OFF:
            log.warning("audit off", consequence="decisions and changes leave no record")
            return
        log.info("audit", mode=self.mode.value, writer=self._chain.writer)
        await self._loop.run_in_executor(self._thread, self._chain.open, details)

    async def record(self, event: AuditEvent) -> None:
        """Returns when the event may be answered, which the mode decides; raises `StoreUnavailable`."""
        if self.mode is AuditMode.OFF:
            return
        await self._record(event, waits=self.mode is AuditMode.WAIT)

    def record_now(self, event: AuditEvent) -> None:
        """As `record` in mode `WAIT`, from a thread that is not the loop's: for the record of a change.

        Called in the transaction of the change, before it commits, it leaves no change without its record.
        """
        if self.mode is AuditMode.OFF:
            return
        if self._loop is None:
            raise StoreUnavailable("audit: not started")
        asyncio.run_coroutine_threadsafe(self._record(event, waits=True), self._loop).result()

    async def purge(self, before: datetime) -> int:
        """Removes what is older than `before`, as `AuditChain.purge`; returns how many records."""
        if self.mode is AuditMode.OFF:
            return 0
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._chain.purge, before)

    async def close(self, details: Mapping[str, JsonValue]) -> None:
        """Writes what waits, then the last record, and closes the store; afterwards every `record` raises."""
        self._closed = True
        await self._idle.wait()
        if self._loop is not None and self.mode is not AuditMode.OFF:
            await self._end_chain(details)
        self._thread.shutdown()
        self._chain.release()

    async def _end_chain(self, details: Mapping[str, JsonValue]) -> None:
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._chain.close, details)
        except StoreUnavailable as error:
            log.warning("audit not closed", error=error.message)

    async def _record(self, event: AuditEvent, *, waits: bool) -> None:
        waiter = self._add(event, waits=waits)
        if waiter is not None:
            await waiter

    def _add(self, event: AuditEvent, *, waits: bool) -> asyncio.Future[None] | None:
        if self._closed or self._loop is None:
            raise StoreUnavailable("audit: not started or stopping")
        if self.waiting >= self._most:
            raise StoreUnavailable(f"audit: {self._most} events wait for the store")
        waiter = self._loop.create_future() if waits else None
        self._pending.append(_Pending(event, waiter))
        if not self._busy:
            self._busy = True
            self._idle.clear()
            self._loop.call_soon(self._gather, 1, self._loop.time() + GATHER_SECONDS)
        return waiter

    def _gather(self, seen: int, until: float) -> None:
        """Begins a commit at the first turn of the loop that brought no event: whoever can come along has come."""
        count = len(self._pending)
        if self._loop is not None and seen < count < limits.AUDIT_BATCH and self._loop.time() < until:
            self._loop.call_soon(self._gather, count, until)
            return
        self._commit_next()

    def _commit_next(self) -> None:
        batch = [self._pending.popleft() for _ in range(min(len(self._pending), limits.AUDIT_BATCH))]
        self._under_way = len(batch)
        self._thread.submit(self._commit, batch)

    def _commit(self, batch: list[_Pending]) -> None:
        """In the audit's thread: one transaction, and word of how it ended."""
        failure: Exception | None = None
        try:
            self._chain.append([pending.event for pending in batch])
        except Exception as error:  # noqa: BLE001  # whatever it was goes to those who wait; the thread lives on
            failure = error
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._committed, batch, failure)

    def _committed(self, batch: list[_Pending], failure: Exception | None) -> None:
        self._under_way = 0
        for pending in batch:
            waiter = pending.waiter
            # A caller who has gone away has cancelled his wait; his event is recorded all the same.
            if waiter is not None and not waiter.done():
                waiter.set_result(None) if failure is None else waiter.set_exception(_once_more(failure))
        if failure is None:
            self._go_on()
            return
        log.error("audit not written", events=len(batch), error=f"{type(failure).__name__}: {failure}")
        # What was answered already is tried again, before anything that came later.
        self._pending.extendleft(pending for pending in reversed(batch) if pending.waiter is None)
        self._go_on_after_failure()

    def _go_on(self) -> None:
        if self._pending:
            self._commit_next()
            return
        self._busy = False
        self._idle.set()

    def _go_on_after_failure(self) -> None:
        """The next waiter's attempt comes at once; what nobody waits for is tried again after a pause, or given up."""
        if any(pending.waiter is not None for pending in self._pending):
            self._commit_next()
        elif self._pending and self._closed:
            log.error("audit records lost", events=len(self._pending))
            self._pending.clear()
            self._go_on()
        elif self._pending and self._loop is not None:
            self._loop.call_later(RETRY_SECONDS, self._commit_next)
        else:
            self._go_on()


def _once_more(failure: Exception) -> Exception:
    """An outage for one of several who wait: each raises an exception of its own."""
    return StoreUnavailable(failure.message) if isinstance(failure, StoreUnavailable) else failure


async def purge_periodically(writer: AuditWriter, retention: timedelta, seconds: float = PURGE_SECONDS) -> None:
    """Until cancelled: removes records older than `retention`, once an hour; an outage of the store is logged."""
    while True:
        try:
            while removed := await writer.purge(clock.now() - retention):
                log.info("audit purged", records=removed)
        except StoreUnavailable as error:
            log.warning("audit not purged", error=error.message)
        await asyncio.sleep(seconds)

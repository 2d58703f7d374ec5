"""The audit writer of a process, on real databases; outages are another connection that holds the write lock."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import asynccontextmanager, closing, contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import make_url

from assay.errors import StoreUnavailable
from assay.service import audit as service_audit
from assay.service.audit import AuditMode, AuditWriter, purge_periodically
from assay.store import default_database_url
from assay.store.audit import CLOSED, OPENED, AuditChain, open_audit_store
from assay.store.audit_verification import verify_audit
from tests.store.audits import event, records, rows
from tests.store.processes import begin, line, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from assay.store import Store


@pytest.fixture
def url(tmp_path: Path) -> str:
    return default_database_url(tmp_path)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with open_audit_store(url) as opened:
        yield opened


@asynccontextmanager
async def writing(store: Store, mode: AuditMode = AuditMode.WAIT, **more) -> AsyncIterator[AuditWriter]:
    writer = AuditWriter(AuditChain(store), mode, **more)
    await writer.start({"version": "1"})
    try:
        yield writer
    finally:
        await writer.close({})


@contextmanager
def held(store: Store) -> Iterator[None]:
    """Nobody else can write while this lasts."""
    other = sqlite3.connect(str(make_url(store.engine.url).database), isolation_level=None)
    with closing(other):
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("COMMIT")


def lose_patience(store: Store) -> None:
    """Has the store's connection fail at once where it would wait for a lock."""
    with closing(store.engine.raw_connection()) as connection:
        connection.cursor().execute("PRAGMA busy_timeout=0")


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  # what is waited for happens in a database
            await asyncio.sleep(0.001)


def tokens(store: Store) -> list[str]:
    return [str(record.members["token"]) for record in records(store) if "token" in record.members]


def operations(store: Store) -> list[str]:
    return [str(record.members["operation"]) for record in records(store)]


def test_a_record_is_durable_when_it_is_acknowledged(store: Store):
    async def run() -> None:
        async with writing(store) as writer:
            await writer.record(event(1))
            assert tokens(store) == [event(1).token]

    asyncio.run(run())


def test_a_reply_waits_for_its_record(store: Store):
    async def run() -> None:
        async with writing(store) as writer:
            with held(store):
                reply = asyncio.create_task(writer.record(event(1)))
                await until(lambda: writer.waiting == 1)
                assert tokens(store) == []
                assert not reply.done()
            await reply
            assert tokens(store) == [event(1).token]

    asyncio.run(run())


def test_a_reply_does_not_wait_where_the_operator_said_so(store: Store):
    async def run() -> None:
        async with writing(store, AuditMode.ASYNC) as writer:
            with held(store):
                await writer.record(event(1))
                assert tokens(store) == []
        assert tokens(store) == [event(1).token]

    asyncio.run(run())


def test_what_comes_during_a_commit_is_the_next_commit(store: Store):
    async def run() -> None:
        async with writing(store) as writer:
            with held(store):
                replies = [asyncio.create_task(writer.record(event(1)))]
                await until(lambda: writer.waiting == 1)
                await until(lambda: not writer._pending)
                replies += [asyncio.create_task(writer.record(event(number))) for number in range(2, 50)]
                await until(lambda: writer.waiting == 49)
            await asyncio.gather(*replies)
        assert tokens(store) == [event(number).token for number in range(1, 50)]
        assert [(row["first"], row["last"]) for row in rows(store)] == [(1, 1), (2, 2), (3, 50), (51, 51)]

    asyncio.run(run())


def test_events_of_one_turn_are_one_commit(store: Store):
    async def run() -> None:
        async with writing(store) as writer:
            await asyncio.gather(*(writer.record(event(number)) for number in range(30)))
        assert [(row["first"], row["last"]) for row in rows(store)] == [(1, 1), (2, 31), (32, 32)]

    asyncio.run(run())


def test_a_busy_loop_does_not_keep_events_from_their_commit(store: Store):
    async def run() -> None:
        async with writing(store, AuditMode.ASYNC) as writer:
            number = 0
            while len(rows(store)) < 3:
                # Every turn of the loop brings another event.
                await writer.record(event(number := number + 1))
                await asyncio.sleep(0)
        assert verify_audit(store).faults == ()

    asyncio.run(run())


def test_nothing_is_answered_that_cannot_be_recorded(store: Store):
    async def run() -> None:
        async with writing(store) as writer:
            lose_patience(store)
            with held(store):
                replies = await asyncio.gather(*(writer.record(event(n)) for n in range(5)), return_exceptions=True)
            assert [type(reply) for reply in replies] == [StoreUnavailable] * 5
            assert len({id(reply) for reply in replies}) == 5
            await writer.record(event(6))
        assert tokens(store) == [event(6).token]
        found = verify_audit(store)
        assert (found.records, found.faults) == (3, ())

    asyncio.run(run())


def test_what_was_answered_at_once_is_recorded_after_an_outage(store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(service_audit, "RETRY_SECONDS", 0.01)

    async def run() -> None:
        async with writing(store, AuditMode.ASYNC) as writer:
            lose_patience(store)
            with held(store):
                for number in range(5):
                    await writer.record(event(number))
                with pytest.raises(StoreUnavailable):
                    await asyncio.to_thread(writer.record_now, event(10))
            await until(lambda: writer.waiting == 0)
            await writer.record(event(5))
        assert tokens(store) == [event(number).token for number in range(6)]
        assert verify_audit(store).faults == ()

    asyncio.run(run())


def test_a_stop_during_an_outage_ends(store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(service_audit, "RETRY_SECONDS", 0.01)

    async def run() -> None:
        lock = held(store)
        async with writing(store, AuditMode.ASYNC) as writer:
            lose_patience(store)
            lock.__enter__()
            await writer.record(event(1))
        lock.__exit__(None, None, None)
        assert operations(store) == [OPENED]

    asyncio.run(run())


def test_the_queue_is_bounded(store: Store):
    async def run() -> None:
        async with writing(store, queue=3) as writer:
            with held(store):
                replies = [asyncio.create_task(writer.record(event(number))) for number in range(3)]
                await until(lambda: writer.waiting == 3)
                with pytest.raises(StoreUnavailable, match="3 events wait"):
                    await writer.record(event(4))
            await asyncio.gather(*replies)
            await writer.record(event(5))
        assert len(tokens(store)) == 4

    asyncio.run(run())


def test_the_decision_about_a_caller_who_has_gone_is_recorded(store: Store):
    async def run() -> None:
        async with writing(store) as writer:
            with held(store):
                gone, stays = (asyncio.create_task(writer.record(event(number))) for number in (1, 2))
                await until(lambda: writer.waiting == 2)
                gone.cancel()
            await stays
            assert gone.cancelled()
        assert tokens(store) == [event(1).token, event(2).token]

    asyncio.run(run())


def test_a_stop_writes_what_waits_and_closes_the_chain(store: Store):
    async def run() -> None:
        async with writing(store, AuditMode.ASYNC) as writer:
            for number in range(5):
                await writer.record(event(number))
        with pytest.raises(StoreUnavailable):
            await writer.record(event(9))
        assert len(tokens(store)) == 5
        assert operations(store)[-1] == CLOSED
        assert verify_audit(store).unfinished == 0

    asyncio.run(run())


@pytest.mark.parametrize("mode", [AuditMode.WAIT, AuditMode.ASYNC])
def test_the_record_of_a_change_is_durable_before_the_change(store: Store, mode: AuditMode):
    async def run() -> None:
        async with writing(store, mode) as writer:
            await asyncio.to_thread(writer.record_now, event(1))
            assert tokens(store) == [event(1).token]
            lose_patience(store)
            with held(store), pytest.raises(StoreUnavailable):
                await asyncio.to_thread(writer.record_now, event(2))
        assert tokens(store) == [event(1).token]

    asyncio.run(run())


def test_nothing_is_written_where_the_audit_is_off(store: Store):
    async def run() -> None:
        async with writing(store, AuditMode.OFF) as writer:
            await writer.record(event(1))
            await asyncio.to_thread(writer.record_now, event(2))
            assert await writer.purge(event(1).time) == 0
        assert rows(store) == []

    asyncio.run(run())


def test_a_writer_that_cannot_open_its_chain_does_not_start(store: Store):
    async def run() -> None:
        lose_patience(store)
        writer = AuditWriter(AuditChain(store))
        with held(store), pytest.raises(StoreUnavailable):
            await writer.start({})
        with pytest.raises(StoreUnavailable):
            await AuditWriter(AuditChain(store)).record(event(1))

    asyncio.run(run())


def test_what_is_too_old_is_purged_in_the_background(store: Store):
    async def run() -> None:
        async with writing(store) as writer:
            await writer.record(event(1))
            purging = asyncio.create_task(purge_periodically(writer, timedelta(days=-1), seconds=0.001))
            await until(lambda: tokens(store) == [])
            purging.cancel()
        found = verify_audit(store)
        assert found.purged >= 2
        assert found.faults == ()

    asyncio.run(run())


def test_a_kill_loses_nothing_acknowledged(url: str):
    open_audit_store(url).close()
    acknowledged: list[str] = []
    for index in range(3):
        with running("audit_writer", url, "wait") as process:
            assert process.stdout is not None
            assert line(process) == "waiting"
            begin(process)
            acknowledged += [line(process) for _ in range(500 + 70 * index)]
            process.kill()
            acknowledged += [said.strip() for said in process.stdout.read().splitlines(keepends=True) if "\n" in said]
        with open_audit_store(url) as store:
            assert set(acknowledged) <= set(tokens(store))
            assert verify_audit(store).faults == ()
            # Many at once are few commits.
            assert len(rows(store)) < len(tokens(store)) / 5

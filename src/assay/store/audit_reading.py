"""Reading the audit: batches and records in order, heads of chains."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final

from sqlalchemy import Column, Connection, RowMapping, Select, select

from assay import limits
from assay.formats.strict_json import JsonValue
from assay.store.audit_chain import HASH, Batch, Head, Record, read_batch
from assay.store.audit_event import encode_time
from assay.store.audit_tables import audit_batches, audit_checkpoints
from assay.store.engine import Store

_BATCH: Final = audit_batches.c
_COLUMNS: Final = (
    _BATCH.writer,
    _BATCH.first,
    _BATCH.last,
    _BATCH.first_at,
    _BATCH.last_at,
    _BATCH.hashes,
    _BATCH.records,
)
# Batches in memory at a time.
_PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class Period:
    """Records from `since` to `until`, both included; newest first when asked."""

    since: datetime | None = None
    until: datetime | None = None
    newest_first: bool = False


@contextmanager
def one_moment(store: Store) -> Iterator[Connection]:
    """A transaction whose every statement sees the store as it was at the first; raises `StoreUnavailable`."""
    with store.reading() as connection:
        if connection.dialect.name == "postgresql":
            # As long as nothing was read, the level may still be chosen.
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield connection


def encode_row(batch: Batch) -> dict[str, object]:
    """The columns of a batch."""
    return {column.name: getattr(batch, column.name) for column in _COLUMNS}


def read_records(connection: Connection, period: Period) -> Iterator[Record]:
    """The records of a period in the order in which they were committed, not verified, a page at a time.

    Raises `ChainBroken` at a record that cannot be read.
    """
    query = select(_BATCH.id, *_COLUMNS)
    if period.since is not None:
        query = query.where(_BATCH.last_at >= period.since)
    if period.until is not None:
        query = query.where(_BATCH.first_at <= period.until)
    for batch in _pages(connection, query, _BATCH.id, backwards=period.newest_first):
        records = read_batch(batch)
        for record in reversed(list(records)) if period.newest_first else records:
            if _is_within(record, period):
                yield record


def _is_within(record: Record, period: Period) -> bool:
    since, until = period.since, period.until
    return (since is None or record.time >= encode_time(since)) and (until is None or record.time <= encode_time(until))


def read_chain(connection: Connection, writer: str) -> Iterator[Batch]:
    """The batches of a writer in the order of their numbers, a page at a time."""
    return _pages(connection, select(*_COLUMNS).where(_BATCH.writer == writer), _BATCH.first)


def _pages(
    connection: Connection, query: Select[tuple[object, ...]], key: Column[int], *, backwards: bool = False
) -> Iterator[Batch]:
    """The batches of a query in the order of a key, which is different in each."""
    following = query.order_by(key.desc() if backwards else key).limit(_PAGE)
    rows = connection.execute(following).mappings().all()
    while rows:
        yield from map(_batch, rows)
        last = rows[-1][key]
        rows = connection.execute(following.where(key < last if backwards else key > last)).mappings().all()


def _batch(row: RowMapping) -> Batch:
    return Batch(**{column.name: row[column] for column in _COLUMNS})


def read_writers(connection: Connection) -> Iterator[str]:
    """Every writer of which there is a batch, sorted; as many small steps as there are writers, not batches."""
    writer: str | None = ""
    while True:
        following = select(_BATCH.writer).where(_BATCH.writer > writer).order_by(_BATCH.writer).limit(1)
        writer = connection.execute(following).scalar()
        if writer is None:
            return
        yield writer


def read_checkpoints(connection: Connection) -> Mapping[str, Head]:
    """The checkpoint of each purged chain."""
    rows = connection.execute(select(audit_checkpoints.c.writer, audit_checkpoints.c.number, audit_checkpoints.c.hash))
    return {row.writer: Head(row.number, row.hash) for row in rows}


def read_heads(connection: Connection) -> Mapping[str, Head]:
    """The last record of every chain, purged ones included: what is to be kept elsewhere."""
    found = dict(read_checkpoints(connection))
    found.update((writer, _end(connection, writer)[1]) for writer in read_writers(connection))
    return dict(sorted(found.items()))


def hash_of(connection: Connection, writer: str, number: int) -> bytes | None:
    """The hash kept for a record, or None when there is no such record."""
    place = (_BATCH.writer == writer, _BATCH.first <= number, _BATCH.last >= number)
    row = connection.execute(select(_BATCH.first, _BATCH.hashes).where(*place).order_by(_BATCH.first)).first()
    if row is None:
        return None
    start = (number - row.first) * HASH
    found: bytes = row.hashes[start : start + HASH]
    return found


def unseen_heads(connection: Connection) -> Mapping[str, Head]:
    """The heads of the chains that have grown since the last opening, which named those of its time."""
    if connection.dialect.name == "postgresql":
        # Else a batch numbered before this opening could be committed after it, and no opening would name it.
        connection.exec_driver_sql("LOCK TABLE audit_batches IN SHARE ROW EXCLUSIVE MODE")
    writers = list(read_writers(connection))
    openings = (select(_BATCH.id).where(_BATCH.writer == writer, _BATCH.first == 1) for writer in writers)
    last_opening = max((connection.execute(opening).scalar() or 0 for opening in openings), default=0)
    ends = ((writer, *_end(connection, writer)) for writer in writers)
    grown = sorted(((place, writer, head) for writer, place, head in ends if place >= last_opening), reverse=True)
    return {writer: head for _, writer, head in grown}


def _end(connection: Connection, writer: str) -> tuple[int, Head]:
    """The `id` of the last batch of a writer, and its head."""
    query = select(_BATCH.id, _BATCH.last, _BATCH.hashes).where(_BATCH.writer == writer)
    row = connection.execute(query.order_by(_BATCH.first.desc()).limit(1)).one()
    return row.id, Head(row.last, row.hashes[-HASH:])


def encode_heads(heads: Mapping[str, Head], most: int = limits.AUDIT_CHAINS) -> list[JsonValue]:
    """The heads as JSON has them, at most `most`: writer, number and hash in hex of each."""
    return [[writer, head.number, head.hash.hex()] for writer, head in islice(heads.items(), most)]

"""Purging the audit: whole batches from the beginning of chains give way to checkpoints that keep the rest provable."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Final

from sqlalchemy import Connection, delete, func, insert, select, update

from assay.formats import strict_json
from assay.formats.strict_json import JsonValue
from assay.store.audit_chain import HASH, Head
from assay.store.audit_event import encode_time
from assay.store.audit_tables import audit_batches, audit_checkpoints

# Names the advisory lock of purges among those of a PostgreSQL database: "audit" in ASCII.
_LOCK: Final = 0x6175646974
_BATCH: Final = audit_batches.c


@dataclass(frozen=True, slots=True)
class Purged:
    """What one purge removed: `heads` are the new checkpoints of the chains it shortened.

    `digest` is that of all checkpoints after the purge, so that the record of the latest purge vouches for each.
    """

    number: int
    before: datetime
    records: int
    heads: tuple[tuple[str, Head], ...]
    digest: str

    def encode(self) -> dict[str, JsonValue]:
        """The details of its record."""
        return {
            "purge": self.number,
            "before": self.before.isoformat(),
            "records": self.records,
            "chains": [[writer, head.number, head.hash.hex()] for writer, head in self.heads],
            "checkpoints": self.digest,
        }


def purge_batches(connection: Connection, before: datetime, at: datetime, most: int) -> Purged:
    """Removes batches older than `before`, of each chain at most `most` from its beginning.

    Only a beginning is ever removed: behind a batch that is young enough, older ones (a clock was set back) stay.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    number = 1 + (connection.execute(select(func.max(audit_checkpoints.c.purge))).scalar() or 0)
    old = select(_BATCH.writer).where(_BATCH.last_at < before).distinct().order_by(_BATCH.writer)
    heads: list[tuple[str, Head]] = []
    records = 0
    for writer in connection.execute(old).scalars().all():
        start, head = _purge_chain(connection, writer, before, most)
        if head is None:
            continue
        records += head.number - start + 1
        heads.append((writer, head))
        _keep_checkpoint(connection, writer, head, number, at)
    return Purged(number, before, records, tuple(heads), digest_of_checkpoints(connection))


def digest_of_checkpoints(connection: Connection) -> str:
    """SHA-256 in hex over every checkpoint: writer, number, hash, purge and time, sorted."""
    rows = connection.execute(select(audit_checkpoints)).all()
    found = sorted((row.writer, row.number, row.hash.hex(), row.purge, encode_time(row.purged_at)) for row in rows)
    return hashlib.sha256(strict_json.encode_compact([list(one) for one in found])).hexdigest()


def _purge_chain(connection: Connection, writer: str, before: datetime, most: int) -> tuple[int, Head | None]:
    """The first number removed and the last removed record; None when the beginning is young enough."""
    own = _BATCH.writer == writer
    places = select(_BATCH.first, _BATCH.last, _BATCH.last_at).where(own).order_by(_BATCH.first).limit(most)
    rows = connection.execute(places).all()
    removed = list(takewhile(lambda row: row.last_at < before, rows))
    if not removed:
        return 0, None
    start, last = removed[0].first, removed[-1].last
    hashes = connection.execute(select(_BATCH.hashes).where(own, _BATCH.last == last)).scalar_one()
    connection.execute(delete(audit_batches).where(own, _BATCH.last <= last))
    return start, Head(last, hashes[-HASH:])


def _keep_checkpoint(connection: Connection, writer: str, head: Head, purge: int, at: datetime) -> None:
    values = {"number": head.number, "hash": head.hash, "purge": purge, "purged_at": at}
    own = audit_checkpoints.c.writer == writer
    changed = connection.execute(update(audit_checkpoints).where(own).values(values))
    if not changed.rowcount:
        connection.execute(insert(audit_checkpoints).values(writer=writer, **values))

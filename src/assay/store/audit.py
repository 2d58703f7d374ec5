"""The writer of one hash chain: an incarnation of a process, which appends batches of audit events to the store."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, insert, make_url, select
from sqlalchemy.exc import ArgumentError, IntegrityError

from assay import clock
from assay.errors import StoreUnavailable
from assay.formats.strict_json import JsonValue
from assay.store.audit_chain import HASH, Head, origin, seal_batch
from assay.store.audit_event import EMPTY, AuditEvent, AuditOutcome
from assay.store.audit_purge import purge_batches
from assay.store.audit_reading import encode_heads, encode_row, unseen_heads
from assay.store.audit_tables import audit_batches
from assay.store.engine import Store, open_store

OPENED: Final = "AuditOpened"
CLOSED: Final = "AuditClosed"
PURGED: Final = "AuditPurged"
# Commits of unknown fate that are remembered; on PostgreSQL one may still be under way when its connection is gone.
_DOUBTS: Final = 64
# Made once: a statement that carries its values takes twice as long as the rest of a commit.
_INSERT: Final = insert(audit_batches)


def audit_database_url(database_url: str) -> str:
    """Where the audit of a database is: of `assay.db` in `audit.db` beside it, on PostgreSQL in the same database."""
    try:
        url = make_url(database_url)
    except (ArgumentError, ValueError):
        return database_url
    if url.drivername != "sqlite" or not url.database:
        return database_url
    path = Path(url.database)
    beside = path.with_name("audit.db") if path.name == "assay.db" else path.with_stem(f"{path.stem}-audit")
    return url.set(database=str(beside)).render_as_string(hide_password=False)


def open_audit_store(database_url: str) -> Store:
    """The store that holds the audit of a database; raises `ConfigurationError`."""
    return open_store(audit_database_url(database_url))


class AuditChain:
    """The chain of one writer; used by one thread at a time.

    Every method that writes is one transaction: when it raises `StoreUnavailable`, the caller must take its events as
    not recorded, and their numbers go to the next ones. A commit whose outcome was lost with the connection is looked
    up before the next: if it had happened, the chain goes on behind it.
    """

    def __init__(self, store: Store) -> None:
        self.writer: Final = secrets.token_hex(16)
        self._store = store
        self._head = self._sealed = origin(self.writer)
        # The ends of batches whose commit failed, by their hashes: each may be in the store all the same.
        self._doubtful: dict[bytes, Head] = {}

    @property
    def head(self) -> Head:
        """The last record known to be durable."""
        return self._head

    def open(self, details: Mapping[str, JsonValue] = EMPTY) -> None:
        """Writes record 1, which names the heads of the chains that no earlier opening has seen.

        A chain that is later cut off behind such a head, or removed, is missed by a verification.
        """
        with self._store.appending() as connection:
            heads = unseen_heads(connection)
            self._append(connection, [_note(OPENED, {**details, "heads": encode_heads(heads)})])
        self._advance()

    def append(self, events: Sequence[AuditEvent]) -> None:
        """Makes the events durable, in their order, as one batch."""
        with self._store.appending() as connection:
            self._append(connection, events)
        self._advance()

    def close(self, details: Mapping[str, JsonValue] = EMPTY) -> None:
        """Writes the last record: this writer ended as it should."""
        self.append([_note(CLOSED, details)])

    def release(self) -> None:
        """Closes the store, which belongs to the chain."""
        self._store.close()

    def purge(self, before: datetime, most: int = 10_000) -> int:
        """Removes batches whose events are all older than `before`, of each chain at most `most` from its beginning.

        Checkpoints take their place and a record of the purge joins this chain, in the same transaction. Returns how
        many records were removed; writes nothing when there are none.
        """
        with self._store.appending() as connection:
            purged = purge_batches(connection, before, clock.now(), most)
            if purged.records:
                self._append(connection, [_note(PURGED, purged.encode())])
        if purged.records:
            self._advance()
        return purged.records

    def _append(self, connection: Connection, events: Sequence[AuditEvent]) -> None:
        """Inserts a batch, whose commit is in doubt until `_advance`."""
        if self._doubtful:
            self._settle_doubt(connection)
        batch = seal_batch(self.writer, self._head, events)
        try:
            connection.execute(_INSERT, encode_row(batch))
        except IntegrityError as error:
            # A commit whose outcome was lost ended between the look and the insertion; the next look finds it.
            raise StoreUnavailable("audit: a batch of unknown fate has just been committed") from error
        self._sealed = batch.head
        self._doubtful[batch.head.hash] = batch.head

    def _advance(self) -> None:
        self._head = self._sealed
        self._doubtful.clear()

    def _settle_doubt(self, connection: Connection) -> None:
        """Goes on behind a batch whose commit failed for this process and not in the store."""
        next_first = self._head.number + 1
        own = (audit_batches.c.writer == self.writer) & (audit_batches.c.first == next_first)
        hashes = connection.execute(select(audit_batches.c.hashes).where(own)).scalar()
        if hashes is not None:
            self._head = self._doubtful[hashes[-HASH:]]
        while len(self._doubtful) > _DOUBTS:
            del self._doubtful[next(iter(self._doubtful))]


def _note(operation: str, details: Mapping[str, JsonValue]) -> AuditEvent:
    return AuditEvent(clock.now(), operation, AuditOutcome.NOTED, details=details)

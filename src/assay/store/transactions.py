"""Transactions and connection settings, equal in meaning on SQLite and PostgreSQL."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, Engine, event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry

_IMMEDIATE: Final = "assay_immediate"

_SQLITE_SETTINGS: Final = (
    # How long a writer waits for another one, in milliseconds; must stand before anything that can wait.
    "PRAGMA busy_timeout=10000",
    # In write-ahead mode FULL syncs the log at every commit: what was acknowledged survives a power cut
    # (sqlite.org/pragma.html#pragma_synchronous).
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
)


def is_sqlite(engine: Engine) -> bool:
    return engine.dialect.name == "sqlite"


def govern_sqlite(engine: Engine) -> None:
    """Has every SQLite connection of the engine use our settings and begin its transactions explicitly.

    Python's driver by itself begins no transaction before a SELECT or a CREATE TABLE, so that a read of several
    statements would not be consistent and a schema change not atomic.
    """
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)


def _set_up(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None
    with closing(connection.cursor()) as cursor:
        for setting in _SQLITE_SETTINGS:
            cursor.execute(setting)


def _begin(connection: Connection) -> None:
    immediate = _IMMEDIATE in connection.get_execution_options()
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


@contextmanager
def read_transaction(engine: Engine) -> Iterator[Connection]:
    """A transaction that only reads."""
    with engine.connect() as connection:
        yield connection


@contextmanager
def write_transaction(engine: Engine) -> Iterator[Connection]:
    """A transaction that commits when the block ends and rolls back when it raises.

    On SQLite it holds the write lock from its start (BEGIN IMMEDIATE): what it reads cannot change before it commits.
    On PostgreSQL the caller locks the rows that its decision depends on.
    """
    with engine.connect().execution_options(**{_IMMEDIATE: True}) as connection, connection.begin():
        yield connection

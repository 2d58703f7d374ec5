"""Opening the database of the service: SQLite in a state directory, or PostgreSQL."""

from __future__ import annotations

import os
import sqlite3
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final, Self

from sqlalchemy import URL, Connection, Engine, create_engine, make_url, select, update
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from assay.errors import ConfigurationError, StoreUnavailable
from assay.store.migrations import migrate
from assay.store.tables import changes
from assay.store.transactions import govern_sqlite, is_sqlite, read_transaction, write_transaction

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from sqlalchemy.pool import PoolProxiedConnection

_FILE: Final = "assay.db"


def default_database_url(state_dir: Path) -> str:
    """The URL of the embedded database of a state directory."""
    return URL.create("sqlite", database=str(state_dir.absolute() / _FILE)).render_as_string(hide_password=False)


class Store:
    """A migrated database, for the threads of one process; not to be carried over a fork.

    `engine` is public so that statements can be observed.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine: Final = engine
        self._watcher: PoolProxiedConnection | None = None
        self._watching: Final = Lock()

    def reading(self) -> AbstractContextManager[Connection]:
        """A transaction that only reads; raises `StoreUnavailable` when the database cannot be reached."""
        return _translated(read_transaction(self.engine))

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is durable when the block has ended without an exception, and noticed by other processes.

        On SQLite it holds the write lock from its start; on PostgreSQL the caller locks what its decision depends on.
        """
        with _translated(write_transaction(self.engine)) as connection:
            yield connection
            if not is_sqlite(self.engine):
                # Last, so that the row lock, which makes writers wait for one another, is held only while committing.
                connection.execute(update(changes).values(counter=changes.c.counter + 1))

    def appending(self) -> AbstractContextManager[Connection]:
        """As `writing`, for rows that no process keeps in memory (the audit): PostgreSQL does not count it as a change.

        SQLite counts every commit, so that such rows have a database file of their own.
        """
        return _translated(write_transaction(self.engine))

    def change_counter(self) -> int:
        """A number that differs from the last answer when a `writing` was committed in between, by any process.

        It may also differ when nothing of interest changed. Read it before reading what it guards.
        """
        if is_sqlite(self.engine):
            return self._data_version()
        with self.reading() as connection:
            counter: int = connection.execute(select(changes.c.counter)).scalar_one()
        return counter

    def _data_version(self) -> int:
        # The pragma tells of commits by *other* connections since the last time it was asked on this one, so it needs
        # one connection that is never used to write (sqlite.org/pragma.html#pragma_data_version).
        with self._watching:
            if self._watcher is None:
                self._watcher = self.engine.raw_connection()
                self._watcher.detach()
            cursor = self._watcher.cursor()
            cursor.execute("PRAGMA data_version")
            (version,) = cursor.fetchone() or (0,)
            cursor.close()
            return int(version)

    def close(self) -> None:
        with self._watching:
            if self._watcher is not None:
                self._watcher.close()
                self._watcher = None
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@contextmanager
def _translated(transaction: AbstractContextManager[Connection]) -> Iterator[Connection]:
    """A transaction whose outages are `StoreUnavailable`; its message never shows statements or parameters."""
    try:
        with transaction as connection:
            yield connection
    except OperationalError as error:
        raise StoreUnavailable(f"the database does not answer: {type(error.orig).__name__}") from error


def open_store(url: str) -> Store:
    """Opens the database, creating an embedded one, and brings it to the tables of this version.

    `url` is `sqlite:///PATH` or `postgresql://USER@HOST/NAME`. Raises `ConfigurationError`, which never shows the URL:
    it may hold a password.
    """
    with ExitStack() as undo:
        engine = _create_engine(_parse(url))
        undo.callback(engine.dispose)
        try:
            migrate(engine)
        except (DBAPIError, sqlite3.Error, OSError) as error:
            # SQLAlchemy's own message adds the statement and a link to its manual.
            cause = error.orig if isinstance(error, DBAPIError) else error
            raise ConfigurationError(f"the database cannot be opened: {cause}") from error
        undo.pop_all()
        return Store(engine)


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise ConfigurationError("the database URL cannot be read: write sqlite:///PATH or postgresql://…") from error
    match parsed.drivername:
        case "sqlite":
            return _parse_embedded(parsed)
        case "postgresql" | "postgres" | "postgresql+psycopg":
            return parsed.set(drivername="postgresql+psycopg")
        case other:
            raise ConfigurationError(f"databases of kind {other!r} are not supported: use sqlite or postgresql")


def _parse_embedded(url: URL) -> URL:
    if not url.database or url.database == ":memory:" or url.query or url.host:
        raise ConfigurationError("an embedded database needs a file and takes no options: sqlite:///PATH")
    return url.set(database=str(Path(url.database).absolute()))


def _create_engine(url: URL) -> Engine:
    if url.drivername == "sqlite":
        _create_file(Path(str(url.database)))
        # Parameters are hidden from messages and logs: they hold documents and sealed keys.
        engine = create_engine(url, hide_parameters=True)
        govern_sqlite(engine)
        return engine
    try:
        # Decisions are made by locking a row and then reading: a snapshot older than the lock, which a stricter level
        # set on the server would give, must not answer.
        return create_engine(url, hide_parameters=True, pool_pre_ping=True, isolation_level="READ COMMITTED")
    except ImportError as error:
        raise ConfigurationError("PostgreSQL needs its driver: pip install 'assay[postgres]'") from error


def _create_file(path: Path) -> None:
    """Makes the file before SQLite would, for its owner only; the write-ahead log inherits the permissions."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise ConfigurationError(f"the embedded database cannot be written: {error}") from error

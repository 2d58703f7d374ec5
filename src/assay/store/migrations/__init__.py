"""Bringing a database to the tables that this version uses; the way back is a backup.

Alembic is imported only when there is something to do: a start on a migrated database reads one row.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, Engine, func, inspect, select, text

from assay.errors import ConfigurationError
from assay.store.transactions import is_sqlite, read_transaction, write_transaction

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD: Final = "0004"

# Names the advisory lock of migrations among the locks of a PostgreSQL database: "assay" in ASCII.
_LOCK: Final = 0x6173736179


def migrate(engine: Engine) -> None:
    """Brings the database to `HEAD`; of several processes that start together, one does it and the others wait.

    A process that dies on the way leaves the database as it was. Raises `ConfigurationError` for a database that a
    newer version has migrated.
    """
    if is_sqlite(engine):
        with _file_lock(engine):
            _write_ahead(engine)
            _migrate(engine)
        return
    _migrate(engine)


def _migrate(engine: Engine) -> None:
    with read_transaction(engine) as connection:
        if _revision(connection) == HEAD:
            return
    with write_transaction(engine) as connection:
        if not is_sqlite(engine):
            connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        # Another process may have done it while this one waited for the lock.
        if _revision(connection) != HEAD:
            _upgrade(connection)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return revision


def _upgrade(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415  # see the docstring of this module
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    # A percent sign starts an interpolation in the values of Config.
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise ConfigurationError(
            f"the database is at revision {_revision(connection)!r}, which this version of Assay does not know "
            f"(its own is {HEAD!r}): run the newer version, or restore the backup made before the upgrade"
        ) from error


@contextmanager
def _file_lock(engine: Engine) -> Iterator[None]:
    """Excludes other processes by a lock that the kernel takes back when its holder dies."""
    descriptor = os.open(f"{engine.url.database}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write_ahead(engine: Engine) -> None:
    """Sets write-ahead mode, which the file keeps; under the file lock, since SQLite does not wait here for readers."""
    with closing(engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
        cursor.execute("PRAGMA journal_mode=WAL")
        mode = cursor.fetchone()
    if mode != ("wal",):
        raise ConfigurationError(
            f"the file system of {engine.url.database} does not support SQLite's write-ahead log: "
            "choose a local state directory, or PostgreSQL"
        )

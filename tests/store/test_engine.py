import os
import sqlite3
import stat
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import event, insert, make_url, select, text
from sqlalchemy.exc import IntegrityError

from assay.errors import ConfigurationError
from assay.store import Store, default_database_url, open_store
from assay.store.tables import providers, signing_keys
from tests.store.conftest import administration
from tests.store.processes import AT


def add_providers(store: Store, *names: str) -> None:
    with store.writing() as connection:
        for name in names:
            connection.execute(insert(providers).values(id=name, created_at=AT, settings={"a": [1]}))


def provider_names(store: Store) -> list[str]:
    with store.reading() as connection:
        return list(connection.execute(select(providers.c.id).order_by(providers.c.id)).scalars())


def test_a_new_store_has_the_default_provider(store: Store):
    assert provider_names(store) == ["default"]


def test_a_provider_comes_back_as_it_was_written(store: Store):
    add_providers(store, "contoso")
    with store.reading() as connection:
        row = connection.execute(select(providers).where(providers.c.id == "contoso")).one()
    assert (row.id, row.created_at, row.settings) == ("contoso", AT, {"a": [1]})


def test_a_time_without_a_zone_is_refused(store: Store):
    with pytest.raises(Exception, match="without a time zone"), store.writing() as connection:
        connection.execute(insert(providers).values(id="x", created_at=AT.replace(tzinfo=None), settings={}))


def test_a_writing_that_raises_leaves_nothing(store: Store):
    with pytest.raises(IntegrityError):
        add_providers(store, "x", "default")
    assert provider_names(store) == ["default"]


def test_a_key_of_an_unknown_provider_is_refused_by_the_database(store: Store):
    row = {"provider": "nobody", "kid": "k", "algorithm": "RS256", "sealed_private_key": b"", "certificate": b""}
    with pytest.raises(IntegrityError), store.writing() as connection:
        connection.execute(insert(signing_keys).values(**row, created_at=AT))


@pytest.mark.parametrize(
    ("setting", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("busy_timeout", 10000), ("foreign_keys", 1)]
)
def test_every_sqlite_connection_is_durable_and_patient(sqlite_url: str, setting: str, value: object):
    with open_store(sqlite_url) as store, store.reading() as first, store.reading() as second:
        assert first.execute(text(f"PRAGMA {setting}")).scalar_one() == value
        assert second.execute(text(f"PRAGMA {setting}")).scalar_one() == value


def test_a_sqlite_writer_holds_the_write_lock_from_its_start(sqlite_url: str):
    with open_store(sqlite_url) as store, store.writing():
        other = sqlite3.connect(str(make_url(sqlite_url).database), timeout=0, isolation_level=None)
        with closing(other), pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")


def test_the_files_of_an_embedded_database_are_for_their_owner_only(tmp_path: Path):
    with open_store(default_database_url(tmp_path / "state")) as store:
        add_providers(store, "contoso")
        modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "state").iterdir()}
        assert len(list((tmp_path / "state").iterdir())) == 4  # the database, its log, its index, the migration lock
    assert modes == {0o600}
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


@pytest.mark.parametrize("name", ["plain", "with blank", "per%20cent", "a?b#c", "ümlaut"])
def test_a_state_directory_of_any_name_works(tmp_path: Path, name: str):
    open_store(default_database_url(tmp_path / name)).close()
    assert (tmp_path / name / "assay.db").is_file()


def test_a_relative_state_directory_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert default_database_url(Path("state")) == default_database_url(tmp_path / "state")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "assay.db",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///assay.db?mode=ro",
        "mysql://root:secret@127.0.0.1/assay",
        "postgresql://root:secret@127.0.0.1:port/assay",
        "postgresql://root:secret@127.0.0.1:1/assay",
    ],
)
def test_a_database_that_cannot_be_used_is_refused_without_showing_its_password(url: str):
    with pytest.raises(ConfigurationError) as caught:
        open_store(url)
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path):
    (tmp_path / "assay.db").write_bytes(b"no database " * 1000)
    with pytest.raises(ConfigurationError, match="not a database"):
        open_store(default_database_url(tmp_path))


def test_a_state_directory_that_is_a_file_is_refused(tmp_path: Path):
    (tmp_path / "state").write_bytes(b"")
    with pytest.raises(ConfigurationError, match="state"):
        open_store(default_database_url(tmp_path / "state"))


def test_the_counter_differs_after_another_process_has_written(database_url: str):
    with open_store(database_url) as watching, open_store(database_url) as writing:
        before = watching.change_counter()
        assert watching.change_counter() == before
        add_providers(writing, "contoso")
        after = watching.change_counter()
        assert after != before
        assert watching.change_counter() == after


def test_the_counter_differs_after_the_same_store_has_written(store: Store):
    before = store.change_counter()
    add_providers(store, "contoso")
    assert store.change_counter() != before


def test_the_counter_does_not_change_by_reading(store: Store):
    before = store.change_counter()
    provider_names(store)
    assert store.change_counter() == before


def test_the_counter_stays_when_a_writing_is_rolled_back(store: Store):
    before = store.change_counter()
    with pytest.raises(IntegrityError):
        add_providers(store, "x", "default")
    assert store.change_counter() == before


def test_statements_can_be_observed(store: Store):
    seen: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda *call: seen.append(call[2]))
    add_providers(store, "contoso")
    assert any(statement.startswith("INSERT INTO providers") for statement in seen)


def test_messages_of_the_database_hide_what_is_stored(store: Store):
    with pytest.raises(IntegrityError) as caught:
        add_providers(store, "default")
    assert "2026" not in str(caught.value.statement)
    assert "[SQL parameters hidden" in str(caught.value)


def test_a_store_can_be_closed_twice(sqlite_url: str):
    store = open_store(sqlite_url)
    store.change_counter()
    store.close()
    store.close()
    assert not os.path.exists(str(make_url(sqlite_url).database) + "-wal")


def test_a_missing_postgresql_driver_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigurationError, match="assay\\[postgres\\]"):
        open_store("postgresql://root@127.0.0.1/assay")


def test_connections_that_the_server_ended_are_replaced(postgresql_url: str, scratch_database: str):
    with open_store(postgresql_url) as store:
        before = store.change_counter()
        with administration(scratch_database) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
                [scratch_database],
            )
        assert store.change_counter() == before
        assert provider_names(store) == ["default"]


def test_a_stricter_isolation_of_the_server_does_not_apply(postgresql_url: str, scratch_database: str):
    with administration(scratch_database) as connection:
        connection.execute(f"ALTER DATABASE {scratch_database} SET default_transaction_isolation = 'serializable'")
        try:
            with open_store(postgresql_url) as store, store.reading() as reading:
                assert reading.execute(text("SHOW transaction_isolation")).scalar_one() == "read committed"
        finally:
            connection.execute(f"ALTER DATABASE {scratch_database} RESET default_transaction_isolation")

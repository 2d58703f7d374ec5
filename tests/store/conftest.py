"""Databases for tests: SQLite in a fresh folder, and a scratch database of a PostgreSQL that answers on loopback."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from assay.store import SealingKey, Store, default_database_url, open_store
from assay.store.audit import open_audit_store

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVER = "host=127.0.0.1 port=5432 user=postgres connect_timeout=3"


@contextmanager
def administration(database: str):
    psycopg = pytest.importorskip("psycopg", reason="the PostgreSQL driver is not installed (extra: postgres)")
    try:
        connection = psycopg.connect(f"{SERVER} dbname={database}", autocommit=True)
    except psycopg.OperationalError:
        pytest.skip("no PostgreSQL answers on 127.0.0.1:5432 for user postgres without a password")
    with connection:
        yield connection


@pytest.fixture(scope="session")
def scratch_database() -> Iterator[str]:
    name = f"assay_test_{secrets.token_hex(6)}"
    with administration("postgres") as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield name
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def postgresql_url(scratch_database: str) -> str:
    with administration(scratch_database) as connection:
        connection.execute("SET client_min_messages = warning")
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return f"postgresql://postgres@127.0.0.1:5432/{scratch_database}"


@pytest.fixture
def sqlite_url(tmp_path) -> str:
    return default_database_url(tmp_path / "state")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    with open_store(database_url) as opened:
        yield opened


@pytest.fixture
def audit(database_url: str) -> Iterator[Store]:
    with open_audit_store(database_url) as opened:
        yield opened


@pytest.fixture(scope="session")
def sealing() -> SealingKey:
    return SealingKey.from_text(SealingKey.generate_text())

import fcntl
import signal
from contextlib import ExitStack
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, event, func, make_url, select, text

import assay.store.migrations
from assay.errors import ConfigurationError
from assay.store import open_store
from assay.store.tables import metadata, providers
from tests.store.processes import begin, line, running


def test_the_head_that_a_start_compares_with_is_alembics():
    config = Config()
    config.set_main_option("script_location", str(Path(assay.store.migrations.__file__).parent))
    assert ScriptDirectory.from_config(config).get_heads() == [assay.store.migrations.HEAD]


def test_the_migrations_end_at_the_tables_in_use(database_url: str):
    with open_store(database_url) as store, store.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_a_start_imports_alembic_only_when_there_is_something_to_do(database_url: str):
    for imported in ("True", "False", "False"):
        with running("start", database_url) as process:
            assert line(process) == "waiting"
            begin(process)
            assert line(process) == imported
            assert process.wait() == 0


def test_processes_that_start_together_migrate_once(database_url: str):
    with ExitStack() as stack:
        processes = [stack.enter_context(running("start", database_url)) for _ in range(6)]
        assert [line(process) for process in processes] == ["waiting"] * 6
        for process in processes:
            begin(process)
        assert {line(process) for process in processes} <= {"True", "False"}
        assert [process.wait() for process in processes] == [0] * 6
    with open_store(database_url) as store, store.reading() as connection:
        assert connection.execute(select(func.count()).select_from(providers)).scalar_one() == 1
        assert connection.execute(text("SELECT count(*) FROM alembic_version")).scalar_one() == 1


def test_an_embedded_database_is_locked_from_before_its_first_statement(sqlite_url: str):
    refusals: list[str] = []

    def try_to_lock(_connection, _cursor, statement: str, *_rest) -> None:
        with Path(f"{make_url(sqlite_url).database}.lock").open() as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        refusals.append(statement)

    event.listen(Engine, "before_cursor_execute", try_to_lock)
    try:
        open_store(sqlite_url).close()
    finally:
        event.remove(Engine, "before_cursor_execute", try_to_lock)
    assert any("CREATE TABLE" in statement for statement in refusals)


def test_a_process_killed_while_migrating_leaves_nothing_half_done(database_url: str):
    with running("die", database_url) as process:
        begin(process)
        assert process.wait() == -signal.SIGKILL
    with open_store(database_url) as store, store.reading() as connection:
        assert connection.execute(select(providers.c.id)).scalars().all() == ["default"]


def test_a_database_of_a_newer_version_is_refused_and_untouched(database_url: str):
    with open_store(database_url) as store, store.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigurationError, match="'9999'"):
        open_store(database_url)

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event as sql
from sqlalchemy import make_url
from sqlalchemy.exc import OperationalError

from assay.errors import StoreUnavailable
from assay.store import Store, open_store
from assay.store.audit import CLOSED, OPENED, AuditChain, audit_database_url, open_audit_store
from assay.store.audit_reading import Period, one_moment, read_heads
from assay.store.audit_verification import verify_audit
from tests.store.audits import AT, chain_of, event, faults, operations, records, rows
from tests.store.conftest import administration
from tests.store.processes import begin, line, running


@pytest.mark.parametrize(
    ("database", "audit_url"),
    [
        ("sqlite:////state/assay.db", "sqlite:////state/audit.db"),
        ("sqlite:////state/contoso.db", "sqlite:////state/contoso-audit.db"),
        ("postgresql://u:p@h/assay", "postgresql://u:p@h/assay"),
        ("nonsense", "nonsense"),
    ],
)
def test_the_audit_of_an_embedded_database_has_a_file_of_its_own(database: str, audit_url: str):
    assert audit_database_url(database) == audit_url


def test_a_chain_begins_with_its_opening_and_ends_with_its_closing(audit: Store):
    chain = AuditChain(audit)
    chain.open({"version": "1"})
    chain.append([event(2), event(3)])
    chain.close()
    assert operations(audit) == [OPENED, "AttestSgxEnclave", "AttestSgxEnclave", CLOSED]
    assert [record.number for record in records(audit)] == [1, 2, 3, 4]
    found = verify_audit(audit)
    assert (found.chains, found.records, found.purged, found.unfinished, found.faults) == (1, 4, 0, 0, ())


def test_a_chain_without_an_end_is_counted(audit: Store):
    chain_of(audit, 3)
    assert verify_audit(audit).unfinished == 1


def test_one_commit_is_one_row(audit: Store):
    chain_of(audit, 3, 2)
    assert [(row["first"], row["last"]) for row in rows(audit)] == [(1, 1), (2, 4), (5, 6)]


def test_records_do_not_count_as_a_change(database_url: str):
    with open_store(database_url) as store, open_audit_store(database_url) as audit:
        before = store.change_counter()
        chain_of(audit, 3)
        assert store.change_counter() == before


def test_records_of_a_period_are_read_in_either_order(audit: Store):
    chain_of(audit, 3, 3, 3)
    period = Period(AT + timedelta(seconds=3), AT + timedelta(seconds=6))
    numbers = [record.number for record in records(audit, period)]
    assert numbers == [3, 4, 5, 6]
    backwards = Period(period.since, period.until, newest_first=True)
    assert [record.number for record in records(audit, backwards)] == [6, 5, 4, 3]


def test_the_heads_are_those_of_every_chain(audit: Store):
    first, second = chain_of(audit, 2), chain_of(audit, 5)
    with one_moment(audit) as connection:
        assert read_heads(connection) == {first.writer: first.head, second.writer: second.head}


def test_an_opening_names_the_chains_that_have_grown_since_the_one_before(audit: Store):
    first = chain_of(audit, 2)
    second = chain_of(audit, 1)
    third = AuditChain(audit)
    third.open()
    listed = [record.members["details"]["heads"] for record in records(audit) if record.members["operation"] == OPENED]
    assert listed == [[], [[first.writer, 3, first.head.hash.hex()]], [[second.writer, 2, second.head.hash.hex()]]]


def test_a_full_disk_costs_the_events_of_that_commit_only(sqlite_url: str):
    with open_audit_store(sqlite_url) as audit:
        chain = chain_of(audit, 1)
        with closing(audit.engine.raw_connection()) as connection:
            size = connection.cursor().execute("PRAGMA page_count").fetchone()[0]
            connection.cursor().execute(f"PRAGMA max_page_count={size}")
        with pytest.raises(StoreUnavailable):
            chain.append([event(number) for number in range(1000)])
        head = chain.head
        with closing(audit.engine.raw_connection()) as connection:
            connection.cursor().execute("PRAGMA max_page_count=1000000")
        chain.append([event(1)])
        assert chain.head.number == head.number + 1
        assert faults(audit) == []


def test_a_file_that_cannot_be_written_costs_the_events_of_that_commit_only(sqlite_url: str):
    with open_audit_store(sqlite_url) as audit:
        chain = chain_of(audit, 1)
        other = sqlite3.connect(str(make_url(audit_database_url(sqlite_url)).database), isolation_level=None)
        with closing(other):
            other.execute("BEGIN EXCLUSIVE")
            with closing(audit.engine.raw_connection()) as connection:
                connection.cursor().execute("PRAGMA busy_timeout=0")
            with pytest.raises(StoreUnavailable):
                chain.append([event(1)])
            other.execute("COMMIT")
        chain.append([event(1)])
        assert chain.head.number == 3
        assert faults(audit) == []


def test_a_commit_whose_outcome_was_lost_is_looked_up(audit: Store):
    chain = chain_of(audit, 1)

    @sql.listens_for(audit.engine, "commit")
    def lose(connection) -> None:
        connection.connection.dbapi_connection.commit()
        raise OperationalError("COMMIT", {}, ConnectionError())

    with pytest.raises(StoreUnavailable):
        chain.append([event(3)])
    assert chain.head.number == 2
    sql.remove(audit.engine, "commit", lose)
    chain.append([event(4), event(5)])
    assert [record.number for record in records(audit)] == [1, 2, 3, 4, 5]
    assert faults(audit) == []


def test_connections_that_the_server_ended_cost_the_events_of_that_commit_at_most(postgresql_url, scratch_database):
    with open_audit_store(postgresql_url) as audit:
        chain = chain_of(audit, 1)

        ended: list[int] = []

        @sql.listens_for(audit.engine, "before_cursor_execute")
        def end(connection, _cursor, statement: str, *_rest) -> None:
            if statement.startswith("INSERT INTO audit_batches") and not ended:
                with administration(scratch_database) as admin:
                    pid = connection.connection.dbapi_connection.info.backend_pid
                    admin.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
                    ended.append(pid)

        with pytest.raises(StoreUnavailable):
            chain.append([event(3)])
        chain.append([event(3)])
        assert chain.head.number == 3
        assert faults(audit) == []


def test_what_was_acknowledged_survives_a_kill(database_url: str):
    open_audit_store(database_url).close()
    acknowledged: list[tuple[str, int]] = []
    for index in range(3):
        with running("audit", database_url) as process:
            assert process.stdout is not None
            assert line(process) == "waiting"
            begin(process)
            said = [line(process) for _ in range(30 + 7 * index)]
            process.kill()
            said += [text.strip() for text in process.stdout.read().splitlines(keepends=True) if "\n" in text]
        acknowledged += [(writer, int(number)) for writer, number in map(str.split, said)]
    with open_audit_store(database_url) as audit:
        kept = {(record.writer, record.number) for record in records(audit)}
        assert set(acknowledged) <= kept
        found = verify_audit(audit)
    assert (found.chains, found.unfinished, found.faults) == (3, 3, ())


def test_several_processes_write_at_once(database_url: str):
    open_audit_store(database_url).close()
    with running("audit", database_url) as one, running("audit", database_url) as two:
        for process in (one, two):
            assert line(process) == "waiting"
        for process in (one, two):
            begin(process)
        for _ in range(50):
            line(one), line(two)
    with open_audit_store(database_url) as audit:
        found = verify_audit(audit)
    assert (found.chains, found.faults) == (2, ())
    assert found.records >= 100


def test_the_file_of_the_audit_is_for_its_owner_only(sqlite_url: str):
    with open_audit_store(sqlite_url) as audit:
        chain_of(audit, 1)
        path = Path(str(make_url(audit_database_url(sqlite_url)).database))
        assert path.stat().st_mode & 0o777 == 0o600

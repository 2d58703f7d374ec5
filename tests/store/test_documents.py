from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import update

from assay.endorsements.documents import Document, DocumentKind, Need
from assay.store import SqlDocumentStore, Store, open_store
from assay.store.tables import documents as table
from tests.store.processes import AT

DAY = timedelta(days=1)
TCB_INFO = Need(DocumentKind.INTEL_TCB_INFO, "sgx", "00906ea10000", 17)
NEEDS = [
    TCB_INFO,
    Need(DocumentKind.INTEL_TCB_INFO, "sgx", "00906ea10000"),
    Need(DocumentKind.INTEL_TCB_INFO, "sgx", "00906ea10000", 0),
    Need(DocumentKind.INTEL_TCB_INFO, "tdx", "00906ea10000", 17),
    Need(DocumentKind.INTEL_TCB_INFO, "sgx", "00606a000000", 17),
    Need(DocumentKind.INTEL_QE_IDENTITY, "sgx", number=17),
    Need(DocumentKind.INTEL_PCK_CRL, platform="processor"),
    Need(DocumentKind.INTEL_ROOT_CRL),
]


def save(
    store: Store,
    need: Need = TCB_INFO,
    *,
    body: bytes = b"{}",
    issued: datetime = AT,
    number: int | None = 17,
    owner: str = "",
) -> bool:
    return SqlDocumentStore(store).save(
        need,
        Document(need.kind, body, b"chain", "a test"),
        issue_date=issued,
        next_update=issued + 30 * DAY,
        evaluation_number=number,
        fetched_at=AT,
        owner=owner,
    )


def body(store: Store, need: Need = TCB_INFO, owner: str = "") -> bytes | None:
    found = SqlDocumentStore(store).load(need, owner)
    return None if found is None else found.document.body


def test_a_document_that_was_not_saved_is_not_found(store: Store):
    assert SqlDocumentStore(store).load(TCB_INFO) is None
    assert SqlDocumentStore(store).load_all() == ()


def test_a_document_comes_back_as_it_was_saved(database_url: str):
    octets = bytes(range(256)) * 4000
    with open_store(database_url) as store:
        assert save(store, body=octets) is True
    with open_store(database_url) as store:
        found = SqlDocumentStore(store).load(TCB_INFO)
    assert found is not None
    assert found.need == TCB_INFO
    kept = found.document
    assert (kept.kind, kept.body, kept.issuer_chain, kept.origin) == (TCB_INFO.kind, octets, b"chain", "a test")
    assert (found.issue_date, found.next_update, found.fetched_at) == (AT, AT + 30 * DAY, AT)
    assert found.issue_date.tzinfo is UTC
    assert found.evaluation_number == 17


def test_every_need_names_a_document_of_its_own(store: Store):
    for index, need in enumerate(NEEDS):
        assert save(store, need, body=str(index).encode(), number=need.number)
    assert [body(store, need) for need in NEEDS] == [str(index).encode() for index in range(len(NEEDS))]
    assert {found.need for found in SqlDocumentStore(store).load_all()} == set(NEEDS)


def test_the_owner_of_a_document_is_the_only_one_to_see_it(store: Store):
    save(store, body=b"private", owner="contoso")
    assert body(store) is None
    assert body(store, owner="fabrikam") is None
    assert SqlDocumentStore(store).load_all() == ()
    assert save(store, body=b"public", issued=AT - DAY)
    assert (body(store), body(store, owner="contoso")) == (b"public", b"private")


@pytest.mark.parametrize(
    ("issued", "number", "replaces"),
    [
        (AT + DAY, 17, True),
        (AT + timedelta(microseconds=1), 17, True),
        (AT, 18, True),
        (AT - DAY, 18, True),
        (AT + DAY, 18, True),
        (AT, 17, False),
        (AT.astimezone(timezone(timedelta(hours=9))), 17, False),
        (AT - timedelta(seconds=1), 17, False),
        (AT - DAY, 17, False),
        (AT + DAY, 16, False),
        (AT - DAY, 16, False),
        (AT + DAY, None, False),
    ],
)
def test_only_a_newer_document_replaces_one(store: Store, issued: datetime, number: int | None, replaces: bool):
    assert save(store, body=b"old")
    assert save(store, body=b"new", issued=issued, number=number) is replaces
    assert body(store) == (b"new" if replaces else b"old")
    found = SqlDocumentStore(store).load(TCB_INFO)
    assert found is not None
    assert (found.issue_date, found.evaluation_number) == ((issued, number) if replaces else (AT, 17))


@pytest.mark.parametrize(("issued", "replaces"), [(AT + DAY, True), (AT, False), (AT - DAY, False)])
def test_documents_without_an_evaluation_number_are_ordered_by_date(store: Store, issued: datetime, replaces: bool):
    need = Need(DocumentKind.INTEL_ROOT_CRL)
    assert save(store, need, number=None)
    assert save(store, need, issued=issued, number=None) is replaces


def test_of_many_writers_the_newest_document_stays(store: Store):
    with ThreadPoolExecutor(12) as pool:
        outcomes = list(pool.map(lambda day: save(store, body=b"%d" % day, issued=AT + day * DAY), range(60)))
    assert body(store) == b"59"
    assert outcomes[59]


def test_each_load_gives_a_document_of_its_own(store: Store):
    save(store)
    first, second = (SqlDocumentStore(store).load(TCB_INFO) for _ in range(2))
    assert first is not None
    assert second is not None
    assert first.document != second.document  # compared by identity


def test_a_kind_that_this_version_does_not_know_is_left_out(store: Store):
    save(store)
    save(store, NEEDS[-1], number=None)
    with store.writing() as connection:
        connection.execute(update(table).where(table.c.tee == "sgx").values(kind="vendor.of_tomorrow"))
    assert [found.need for found in SqlDocumentStore(store).load_all()] == [NEEDS[-1]]


def test_a_restored_copy_without_the_log_is_put_back_into_write_ahead_mode(sqlite_url: str):
    with open_store(sqlite_url) as store:
        save(store)
        with closing(store.engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
            cursor.execute("PRAGMA journal_mode=DELETE")
            assert cursor.fetchone() == ("delete",)
    with open_store(sqlite_url) as store:
        with closing(store.engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
            cursor.execute("PRAGMA journal_mode")
            assert cursor.fetchone() == ("wal",)
        assert body(store) == b"{}"

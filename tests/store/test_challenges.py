"""Answered challenges: the first answer counts, whoever takes it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from assay.store import consume_challenge, open_store
from assay.store.tables import consumed_challenges

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ENDS = AT + timedelta(minutes=5)


def test_a_challenge_is_consumed_once(database_url: str) -> None:
    with open_store(database_url) as store:
        assert consume_challenge(store, "one", ENDS, at=AT)
        assert not consume_challenge(store, "one", ENDS, at=AT)
        assert consume_challenge(store, "other", ENDS, at=AT)


def test_tpm_12_of_many_replicas_exactly_one_succeeds(database_url: str) -> None:
    stores = [open_store(database_url) for _ in range(4)]
    with ThreadPoolExecutor(len(stores)) as pool:
        answers = list(pool.map(lambda store: consume_challenge(store, "one", ENDS, at=AT), stores))
    for store in stores:
        store.close()
    assert sorted(answers) == [False, False, False, True]


def test_challenges_that_ended_are_removed_after_an_hour(database_url: str) -> None:
    with open_store(database_url) as store:
        consume_challenge(store, "old", ENDS, at=AT)
        consume_challenge(store, "recent", ENDS + timedelta(hours=1), at=AT)
        consume_challenge(store, "new", ENDS + timedelta(hours=2), at=ENDS + timedelta(hours=1, seconds=1))
        with store.reading() as connection:
            kept = connection.execute(select(func.count()).select_from(consumed_challenges)).scalar_one()
    assert kept == 2

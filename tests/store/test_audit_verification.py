"""What `assay audit verify` finds: rows deleted, edited, moved or cut off (attack case IN-15)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update

from assay.store import Store
from assay.store.audit import AuditChain, open_audit_store
from assay.store.audit_chain import Batch, Head, origin, seal_batch
from assay.store.audit_reading import encode_row, one_moment, read_chain
from assay.store.audit_tables import audit_batches, audit_checkpoints
from assay.store.audit_verification import verify_audit
from tests.store.audits import AT, chain_of, event, faults, records

FAR = AT + timedelta(days=50_000)
BATCH = audit_batches.c


def change(store: Store, statement) -> None:
    with store.writing() as connection:
        assert connection.execute(statement).rowcount != 0


def batches(store: Store, writer: str) -> list[Batch]:
    with one_moment(store) as connection:
        return list(read_chain(connection, writer))


def test_every_chain_of_a_good_audit_is_proven(audit: Store):
    chain_of(audit, 3, 2).close()
    chain_of(audit, 1)
    found = verify_audit(audit)
    assert (found.chains, found.records, found.unfinished, found.faults) == (2, 9, 1, ())


def test_a_deleted_batch_is_found(audit: Store):
    chain = chain_of(audit, 3, 2, 4)
    change(audit, delete(audit_batches).where(BATCH.first == 5))
    assert faults(audit) == [(chain.writer, 5)]


def test_a_deleted_beginning_is_found(audit: Store):
    chain = chain_of(audit, 3)
    change(audit, delete(audit_batches).where(BATCH.first == 1))
    assert faults(audit) == [(chain.writer, 1)]


def test_an_edited_batch_is_found_at_the_edited_record(audit: Store):
    chain = chain_of(audit, 3, 2)
    good = batches(audit, chain.writer)
    forged = seal_batch(chain.writer, good[0].head, [event(2), event(30), event(4)])
    change(audit, update(audit_batches).where(BATCH.first == 2).values(records=forged.records))
    assert faults(audit) == [(chain.writer, 3)]


def test_a_batch_sealed_anew_is_found_at_the_next(audit: Store):
    chain = chain_of(audit, 3, 2)
    good = batches(audit, chain.writer)
    forged = seal_batch(chain.writer, good[0].head, [event(2), event(30), event(4)])
    row = {name: value for name, value in encode_row(forged).items() if name not in ("writer", "first", "last")}
    change(audit, update(audit_batches).where(BATCH.first == 2).values(row))
    assert faults(audit) == [(chain.writer, 5)]


def test_batches_that_change_places_are_found(audit: Store):
    chain = chain_of(audit, 2, 2)
    for old, new in ((2, 200), (4, 2), (200, 4)):
        change(audit, update(audit_batches).where(BATCH.first == old).values(first=new, last=new + 1))
    assert faults(audit) == [(chain.writer, 2)]


def test_the_batch_of_one_writer_does_not_pass_for_that_of_another(audit: Store):
    first, second = chain_of(audit, 2), chain_of(audit, 2)
    change(audit, delete(audit_batches).where(BATCH.writer == second.writer, BATCH.first == 2))
    change(
        audit, update(audit_batches).where(BATCH.writer == first.writer, BATCH.first == 2).values(writer=second.writer)
    )
    assert sorted(faults(audit)) == sorted([(second.writer, 2), (first.writer, 3)])


def test_a_chain_under_another_name_is_found(audit: Store):
    chain_of(audit, 2)
    change(audit, update(audit_batches).values(writer="00" * 16))
    assert faults(audit) == [("00" * 16, 1)]


def test_an_end_that_a_later_opening_has_seen_is_missed(audit: Store):
    chain, _ = chain_of(audit, 2, 2), chain_of(audit)
    change(audit, delete(audit_batches).where(BATCH.writer == chain.writer, BATCH.first == 4))
    assert faults(audit) == [(chain.writer, 5)]


def test_a_whole_chain_that_a_later_opening_has_seen_is_missed(audit: Store):
    chain, _ = chain_of(audit, 2), chain_of(audit)
    change(audit, delete(audit_batches).where(BATCH.writer == chain.writer))
    assert faults(audit) == [(chain.writer, 3)]


def test_a_chain_computed_anew_is_not_the_one_that_a_later_opening_has_seen(audit: Store):
    chain, _ = chain_of(audit, 2), chain_of(audit)
    opening = batches(audit, chain.writer)[0]
    forged = seal_batch(chain.writer, opening.head, [event(2), event(30)])
    change(
        audit, update(audit_batches).where(BATCH.writer == chain.writer, BATCH.first == 2).values(encode_row(forged))
    )
    assert faults(audit) == [(chain.writer, 3)]


def test_a_cut_end_shows_against_an_anchor_only(audit: Store):
    chain = chain_of(audit, 2, 2)
    anchor = {chain.writer: chain.head}
    assert faults(audit, anchor) == []
    chain.append([event(6)])
    assert faults(audit, anchor) == []
    change(audit, delete(audit_batches).where(BATCH.first >= 4))
    assert faults(audit) == []
    assert faults(audit, anchor) == [(chain.writer, 5)]


def test_an_anchor_in_the_middle_of_a_batch_is_met(audit: Store):
    chain = chain_of(audit, 4)
    middle = batches(audit, chain.writer)[1].hash_of(3)
    assert faults(audit, {chain.writer: Head(3, middle)}) == []
    assert faults(audit, {chain.writer: Head(4, middle)}) == [(chain.writer, 4)]


def test_a_chain_that_an_anchor_names_must_be_there(audit: Store):
    chain_of(audit, 1)
    assert faults(audit, {"nobody": Head(1, b"\0" * 32)}) == [("nobody", 1)]


@pytest.mark.parametrize("column", ["writer", "first", "last", "first_at", "last_at", "hashes", "records"])
def test_every_column_of_a_batch_counts(audit: Store, column: str):
    chain = chain_of(audit, 3, 3)
    other = {"writer": "x", "first": 3, "last": 5, "first_at": FAR, "last_at": FAR, "hashes": b"x" * 96, "records": b""}
    change(audit, update(audit_batches).where(BATCH.first == 2).values({column: other[column]}))
    named = {"writer": [("x", 1), (chain.writer, 2)], "last": [(chain.writer, 5)]}
    assert sorted(faults(audit)) == sorted(named.get(column, [(chain.writer, 2)]))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(
    index=st.integers(0, 2),
    column=st.sampled_from(["hashes", "records"]),
    place=st.integers(0, 10_000),
    mask=st.integers(1, 255),
)
def test_every_octet_of_every_row_counts(tmp_path_factory, index: int, column: str, place: int, mask: int):
    with open_audit_store(f"sqlite:///{tmp_path_factory.mktemp('audit')}/assay.db") as store:
        chain = chain_of(store, 2, 3)
        good = [record.octets for record in records(store)]
        altered = batches(store, chain.writer)[index]
        content = bytearray(getattr(altered, column))
        content[place % len(content)] ^= mask
        change(store, update(audit_batches).where(BATCH.first == altered.first).values({column: bytes(content)}))
        seen = verify_audit(store).faults
        if not seen:
            # Bits that pad compressed octets say nothing.
            assert [record.octets for record in records(store)] == good
            return
        assert [fault.writer for fault in seen] == [chain.writer]
        assert altered.first <= seen[0].number <= altered.last


def purged(audit: Store) -> tuple[AuditChain, AuditChain]:
    """A chain whose first 4 records were purged, and the one that did it."""
    chain, purger = chain_of(audit, 3), chain_of(audit)
    chain.append([event(5, at=FAR), event(6, at=FAR)])
    purger.append([event(2, at=FAR)])
    assert purger.purge(FAR) == 5
    return chain, purger


def test_a_purge_leaves_the_rest_provable(audit: Store):
    chain, purger = purged(audit)
    found = verify_audit(audit)
    assert (found.chains, found.records, found.purged, found.faults) == (2, 4, 5, ())
    assert [(record.writer, record.number) for record in records(audit)] == [
        (chain.writer, 5),
        (chain.writer, 6),
        (purger.writer, 2),
        (purger.writer, 3),
    ]
    assert records(audit)[-1].members["operation"] == "AuditPurged"


def test_chains_go_on_after_a_purge_of_everything(audit: Store):
    chain, other = chain_of(audit, 3), chain_of(audit, 3)
    assert other.purge(FAR) == 8
    chain.append([event(5)])
    assert faults(audit) == []
    assert [(record.writer, record.number) for record in records(audit)] == [(other.writer, 5), (chain.writer, 5)]


def test_a_purge_of_nothing_leaves_no_record(audit: Store):
    chain = chain_of(audit, 3)
    assert chain.purge(AT - timedelta(days=1)) == 0
    assert chain.head.number == 4


def test_a_purge_stops_at_what_is_young_enough(audit: Store):
    chain = chain_of(audit)
    chain.append([event(2, at=FAR)])
    chain.append([event(3)])
    assert chain.purge(FAR) == 1
    assert [record.number for record in records(audit)] == [2, 3, 4]
    assert faults(audit) == []


def test_a_purge_in_parts_is_as_good_as_one(audit: Store):
    chain = chain_of(audit, 1, 1, 1, 1)
    assert [chain.purge(FAR, most=2), chain.purge(FAR, most=2)] == [2, 2]
    assert faults(audit) == []


def test_later_purges_vouch_for_the_checkpoints_of_earlier_ones(audit: Store):
    chain, purger = purged(audit)
    assert purger.purge(FAR + timedelta(days=1)) > 0
    assert chain_of(audit).purge(FAR + timedelta(days=1)) > 0
    assert faults(audit) == []
    with audit.reading() as connection:
        writers = set(connection.execute(select(audit_checkpoints.c.writer)).scalars())
    assert {chain.writer, purger.writer} <= writers


def test_a_deleted_beginning_cannot_be_passed_off_as_purged(audit: Store):
    chain, _ = purged(audit)
    chain.append([event(7, at=FAR)])
    hashes = batches(audit, chain.writer)[0].hashes
    change(audit, delete(audit_batches).where(BATCH.writer == chain.writer, BATCH.first == 5))
    own = audit_checkpoints.c.writer == chain.writer
    change(audit, update(audit_checkpoints).where(own).values(number=6, hash=hashes[-32:]))
    assert faults(audit) == [("", 0)]


def test_a_checkpoint_where_nothing_was_purged_is_found(audit: Store):
    chain = chain_of(audit, 2, 2)
    head = batches(audit, chain.writer)[1].head
    change(audit, delete(audit_batches).where(BATCH.first <= 3))
    values = {"number": head.number, "hash": head.hash, "purge": 1, "purged_at": AT}
    change(audit, insert(audit_checkpoints).values(writer=chain.writer, **values))
    assert faults(audit) == [("", 0)]


@pytest.mark.parametrize("column", ["writer", "number", "hash", "purge", "purged_at"])
def test_every_column_of_a_checkpoint_counts(audit: Store, column: str):
    chain, _ = purged(audit)
    own = audit_checkpoints.c.writer == chain.writer
    other = {"writer": "x", "number": 3, "hash": origin("x").hash, "purge": 7, "purged_at": FAR}
    change(audit, update(audit_checkpoints).where(own).values({column: other[column]}))
    assert ("", 0) in faults(audit)


def test_a_deleted_checkpoint_is_found(audit: Store):
    chain, _ = purged(audit)
    change(audit, delete(audit_checkpoints).where(audit_checkpoints.c.writer == chain.writer))
    assert faults(audit) == [(chain.writer, 1), ("", 0)]


def test_an_anchor_before_a_purge_is_still_met(audit: Store):
    chain = chain_of(audit, 2)
    anchor = {chain.writer: chain.head}
    chain.append([event(4, at=FAR)])
    assert chain.purge(FAR) == 3
    assert faults(audit, anchor) == []
    forged = {chain.writer: replace(chain.head, number=3)}
    assert faults(audit, forged) == [(chain.writer, 3)]

import hashlib
import zlib
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.store.audit_chain import Batch, ChainBroken, Head, origin, read_batch, seal_batch, verify_batch
from assay.store.audit_event import encode_record
from tests.store.audits import event

WRITER = "ab" * 16
START = origin(WRITER)


def sealed(*numbers: int, after: Head = START) -> Batch:
    return seal_batch(WRITER, after, [event(number) for number in numbers])


def verified(batch: Batch, before: Head = START) -> list[int]:
    return [record.number for record in verify_batch(batch, before)]


def first_bad(batch: Batch, before: Head = START) -> int:
    with pytest.raises(ChainBroken) as caught:
        verified(batch, before)
    return caught.value.number


def test_the_hash_of_a_record_covers_the_one_before_and_its_octets():
    batch = sealed(1, 2)
    start = hashlib.sha256(b"assay audit chain 1\n" + WRITER.encode()).digest()
    first = hashlib.sha256(start + encode_record(1, event(1))).digest()
    second = hashlib.sha256(first + encode_record(2, event(2))).digest()
    assert batch.hashes == first + second
    assert batch.head == Head(2, second)
    assert zlib.decompress(batch.records) == encode_record(1, event(1)) + b"\n" + encode_record(2, event(2))


def test_a_chain_of_batches_is_proven():
    first = sealed(1, 2, 3)
    second = sealed(4, 5, after=first.head)
    assert verified(first) == [1, 2, 3]
    assert verified(second, first.head) == [4, 5]


def test_the_batch_of_one_writer_is_not_that_of_another():
    assert first_bad(sealed(1), origin("cd" * 16)) == 1


def test_a_missing_batch_is_named_by_its_first_record():
    first = sealed(1, 2, 3)
    second = sealed(4, 5, after=first.head)
    third = sealed(6, after=second.head)
    assert first_bad(third, first.head) == 4


def test_a_batch_that_comes_twice_is_found():
    first = sealed(1, 2, 3)
    assert first_bad(first, first.head) == 1


def test_a_batch_without_records_is_found():
    assert first_bad(replace(sealed(1), last=0)) == 1


def test_a_record_that_is_altered_together_with_its_hash_breaks_the_next():
    batch, other = sealed(1, 2, 3), sealed(1, 9, 3)
    hashes = batch.hashes[:32] + other.hashes[32:64] + batch.hashes[64:]
    assert first_bad(replace(other, hashes=hashes)) == 3


def test_records_that_change_places_are_found_at_the_first():
    batch = sealed(1, 2, 3)
    lines = zlib.decompress(batch.records).split(b"\n")
    moved = zlib.compress(b"\n".join([lines[0], lines[2], lines[1]]))
    assert first_bad(replace(batch, records=moved)) == 2


def test_a_record_that_was_removed_is_found_though_its_hash_is_removed_too():
    batch = sealed(1, 2, 3)
    lines = zlib.decompress(batch.records).split(b"\n")
    shorter = replace(batch, records=zlib.compress(b"\n".join([lines[0], lines[2]])), hashes=batch.hashes[:32] * 2)
    assert first_bad(replace(shorter, last=2)) == 2


def test_what_stands_after_the_last_record_is_found():
    batch = sealed(1, 2)
    assert first_bad(replace(batch, hashes=batch.hashes + b"x")) == 2
    assert first_bad(replace(batch, records=batch.records + b"x")) == 2


def test_other_times_than_those_of_the_records_are_found():
    batch = sealed(1, 2)
    assert first_bad(replace(batch, first_at=batch.last_at)) == 1
    assert first_bad(replace(batch, last_at=batch.first_at)) == 1


def test_a_number_of_records_beyond_measure_costs_nothing():
    assert first_bad(replace(sealed(1), last=1 << 62)) == 2


def test_a_batch_that_unpacks_beyond_measure_is_found(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("assay.limits.AUDIT_BATCH_OCTETS", 100)
    assert first_bad(sealed(1, 2)) == 1


def test_reading_proves_nothing():
    batch = replace(sealed(1, 2), hashes=b"")
    assert [record.number for record in read_batch(batch)] == [1, 2]


def test_what_cannot_be_read_is_not_passed_over():
    batch = sealed(1, 2)
    with pytest.raises(ChainBroken) as caught:
        list(read_batch(replace(batch, records=batch.records[:-20])))
    assert caught.value.number <= 2


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=6), st.data())
def test_every_octet_of_a_batch_counts(numbers: list[int], draw: st.DataObject):
    batch = sealed(*numbers)
    column = draw.draw(st.sampled_from(["records", "hashes"]))
    content = bytearray(getattr(batch, column))
    place = draw.draw(st.integers(0, len(content) - 1))
    content[place] ^= draw.draw(st.integers(1, 255))
    changed: dict[str, Any] = {column: bytes(content)}
    altered = replace(batch, **changed)
    if column == "hashes":
        assert first_bad(altered) == 1 + place // 32
        return
    proven: list[bytes] = []
    with suppress(ChainBroken):
        proven += (record.octets for record in verify_batch(altered, START))
        # The few bits that pad compressed octets say nothing: then every record is as it was.
        assert len(proven) == len(numbers)
    assert proven == [encode_record(index, event(number)) for index, number in enumerate(numbers, 1)][: len(proven)]

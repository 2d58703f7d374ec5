"""The hash chain of one writer: sealing events into batches, and recomputing batches; pure.

The hash of a record is SHA-256(hash before it || octets of the record), that before record 1 is made of the writer's
name. A record says its own number. Whoever alters, removes, inserts or moves a record must alter every later hash of
the chain, and then no longer meets a head that was kept elsewhere.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from assay import limits
from assay.formats import strict_json
from assay.formats.strict_json import JsonError, JsonObject
from assay.store.audit_event import AuditEvent, encode_record, encode_time

HASH: Final = 32
_ORIGIN: Final = b"assay audit chain 1\n"
_DAMAGED: Final = "the record is missing from its batch, or its batch is damaged from there on"
# A window of 8 kB and little memory: four times as quick for one record as the defaults, as small for many.
_LEVEL, _WINDOW_BITS, _MEMORY = 1, 13, 6


class ChainBroken(Exception):
    """A record that is not what its writer wrote; it never leaves the store's verification, which reports it.

    `number` is that of the first record that is not proven, `problem` says what differs.
    """

    def __init__(self, number: int, problem: str) -> None:
        super().__init__(number, problem)
        self.number, self.problem = number, problem


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain, or of a part of it: the number of a record and its hash."""

    number: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive records of one writer, committed together; `hashes` holds `HASH` octets for each record.

    `records` are their lines, compressed (zlib); the times are the earliest and the latest of the events.
    """

    writer: str
    first: int
    last: int
    first_at: datetime
    last_at: datetime
    hashes: bytes
    records: bytes

    @property
    def head(self) -> Head:
        return Head(self.last, self.hashes[-HASH:])

    def hash_of(self, number: int) -> bytes:
        """The hash of one of its records."""
        start = (number - self.first) * HASH
        return self.hashes[start : start + HASH]


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it was read; `members` are its decoded octets."""

    writer: str
    number: int
    octets: bytes
    members: JsonObject

    @property
    def time(self) -> str:
        """As `audit_event.encode_time` wrote it, so that text compares as times do."""
        return str(self.members["time"])


def origin(writer: str) -> Head:
    """Where the chain of a writer begins."""
    return Head(0, hashlib.sha256(_ORIGIN + writer.encode("utf-8")).digest())


def seal_batch(writer: str, head: Head, events: Sequence[AuditEvent]) -> Batch:
    """The batch that continues a chain at `head` by at least one event."""
    lines: list[bytes] = []
    hashes: list[bytes] = []
    previous = head.hash
    for number, event in enumerate(events, head.number + 1):
        line = encode_record(number, event)
        previous = hashlib.sha256(previous + line).digest()
        lines.append(line)
        hashes.append(previous)
    times = [event.time for event in events]
    packing = zlib.compressobj(_LEVEL, zlib.DEFLATED, _WINDOW_BITS, _MEMORY)
    records = packing.compress(b"\n".join(lines)) + packing.flush()
    return Batch(writer, head.number + 1, head.number + len(events), min(times), max(times), b"".join(hashes), records)


def verify_batch(batch: Batch, before: Head) -> Iterator[Record]:
    """The records of a batch, each once it is proven to continue the chain that ends with `before`.

    Raises `ChainBroken` at the first that is not, and when the batch's own row says something else than its records.
    """
    _require_place(batch, before)
    lines = _unpack(batch)
    count = batch.last - batch.first + 1
    previous, times = before.hash, set[str]()
    for index in range(count):
        number = batch.first + index
        if index >= len(lines):
            raise ChainBroken(number, _DAMAGED)
        previous = hashlib.sha256(previous + lines[index]).digest()
        if previous != batch.hash_of(number):
            raise ChainBroken(number, "the record and the hash kept for it do not belong together: one was altered")
        record = Record(batch.writer, number, lines[index], _decode(number, lines[index]))
        times.add(record.time)
        yield record
    if len(lines) != count or len(batch.hashes) != count * HASH:
        raise ChainBroken(batch.last, "the batch holds something after its last record")
    if (encode_time(batch.first_at), encode_time(batch.last_at)) != (min(times), max(times)):
        raise ChainBroken(batch.first, "the times of the batch are not those of its records")


def read_batch(batch: Batch) -> Iterator[Record]:
    """The records of a batch, not verified; raises `ChainBroken` at one that cannot be read."""
    lines = _unpack(batch)
    for number, line in enumerate(lines, batch.first):
        yield Record(batch.writer, number, line, _decode(number, line))
    if batch.first + len(lines) <= batch.last:
        raise ChainBroken(batch.first + len(lines), _DAMAGED)


def _require_place(batch: Batch, before: Head) -> None:
    expected = before.number + 1
    if batch.first > expected:
        raise ChainBroken(expected, f"records {expected} to {batch.first - 1} are missing")
    if batch.first < expected or batch.last < batch.first:
        raise ChainBroken(
            batch.first, f"a batch of records {batch.first} to {batch.last} stands where {expected} follows"
        )


def _unpack(batch: Batch) -> list[bytes]:
    """The lines of a batch; of a damaged one the whole lines before the damage."""
    unpacking = zlib.decompressobj()
    try:
        content = unpacking.decompress(batch.records, limits.AUDIT_BATCH_OCTETS)
    except zlib.error:
        return _whole_lines(_before_damage(batch.records))
    if not unpacking.eof or unpacking.unused_data:
        return _whole_lines(content)
    return content.split(b"\n")


def _before_damage(packed: bytes) -> bytes:
    unpacking, content = zlib.decompressobj(), bytearray()
    try:
        for octet in packed:
            content += unpacking.decompress(bytes((octet,)), limits.AUDIT_BATCH_OCTETS - len(content))
            if len(content) >= limits.AUDIT_BATCH_OCTETS:
                break
    except zlib.error:
        pass
    return bytes(content)


def _whole_lines(content: bytes) -> list[bytes]:
    return content.split(b"\n")[:-1]


def _decode(number: int, line: bytes) -> JsonObject:
    try:
        members = strict_json.decode_object(line)
    except JsonError as error:
        raise ChainBroken(number, f"the record is not JSON: {error}") from error
    if members.get("n") != number or not isinstance(members.get("time"), str):
        raise ChainBroken(number, f"the record says that it is number {members.get('n')!r}")
    return members

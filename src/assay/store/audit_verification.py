"""Verifying the whole audit: every chain recomputed, checkpoints vouched for, heads that others saw met again."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, select

from assay.formats.strict_json import JsonObject, JsonValue
from assay.store.audit import CLOSED, OPENED, PURGED
from assay.store.audit_chain import HASH, ChainBroken, Head, Record, origin, verify_batch
from assay.store.audit_event import AuditOutcome
from assay.store.audit_purge import digest_of_checkpoints
from assay.store.audit_reading import hash_of, one_moment, read_chain, read_checkpoints, read_writers
from assay.store.audit_tables import audit_checkpoints
from assay.store.engine import Store


@dataclass(frozen=True, slots=True)
class Fault:
    """The first record of a chain that is not proven, and why; `number` is 0 where no record can be named."""

    writer: str
    number: int
    problem: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What a verification found; the audit is proven when there is no fault.

    `records` are those recomputed, `purged` those that checkpoints stand for, `unfinished` the chains without a last
    record of their own: of processes that run, were killed, or whose end was cut off.
    """

    chains: int
    records: int
    purged: int
    unfinished: int
    faults: tuple[Fault, ...]


@dataclass(slots=True)
class _Findings:
    """What the records of proven chains say about chains."""

    records: int = 0
    unfinished: int = 0
    faults: list[Fault] = field(default_factory=list)
    # Heads that somebody saw: the writer, its head, and who saw it.
    seen: list[tuple[str, Head, str]] = field(default_factory=list)
    # Of the latest purge: its number and the digest of the checkpoints that it left.
    purge: tuple[int, str] = (0, "")


def verify_audit(store: Store, anchor: Mapping[str, Head] | None = None) -> Verification:
    """Recomputes every chain, and compares with heads that were kept elsewhere.

    1. Every record gives its hash from the one before, from the chain's origin or its checkpoint on; numbers have no
       gap; rows say what their records say.
    2. The checkpoints are those that the record of the latest purge names.
    3. Chains reach the heads that later openings and `anchor` saw, with the same hash.

    Raises `StoreUnavailable`.
    """
    with one_moment(store) as connection:
        checkpoints = read_checkpoints(connection)
        findings, writers = _Findings(), {*read_writers(connection), *checkpoints}
        for writer in sorted(writers):
            _verify_chain(connection, writer, checkpoints.get(writer), findings)
        findings.faults.extend(_verify_checkpoints(connection, checkpoints, findings.purge))
        findings.seen += [(writer, head, "the anchor") for writer, head in (anchor or {}).items()]
        findings.faults.extend(_verify_seen(connection, checkpoints, findings))
    purged = sum(head.number for head in checkpoints.values())
    return Verification(len(writers), findings.records, purged, findings.unfinished, tuple(findings.faults))


def _verify_chain(connection: Connection, writer: str, checkpoint: Head | None, findings: _Findings) -> None:
    head, last = checkpoint or origin(writer), ""
    try:
        for batch in read_chain(connection, writer):
            for record in verify_batch(batch, head):
                findings.records += 1
                last = str(record.members.get("operation"))
                _note(record, findings)
            head = batch.head
    except ChainBroken as broken:
        findings.faults.append(Fault(writer, broken.number, broken.problem))
        return
    # A chain that was purged whole has nothing left that could say how it ended.
    findings.unfinished += last not in ("", CLOSED)


def _note(record: Record, findings: _Findings) -> None:
    """Keeps what a record of the audit itself says about other chains."""
    members = record.members
    if members.get("outcome") != AuditOutcome.NOTED.value:
        return
    details = members.get("details")
    if not isinstance(details, dict):
        return
    if members.get("operation") == OPENED and record.number == 1:
        findings.seen += [(writer, head, f"writer {record.writer}") for writer, head in decode_heads(details, "heads")]
    if members.get("operation") == PURGED:
        number, digest = details.get("purge"), details.get("checkpoints")
        if isinstance(number, int) and isinstance(digest, str) and number > findings.purge[0]:
            findings.purge = number, digest


def decode_heads(details: JsonObject, name: str) -> Iterator[tuple[str, Head]]:
    """The heads that a member lists as writer, number and hash; others are passed over."""
    listed = details.get(name)
    for one in listed if isinstance(listed, list) else []:
        head = _decode_head(one)
        if head is not None:
            yield head


def _decode_head(value: JsonValue) -> tuple[str, Head] | None:
    match value:
        case [str(writer), int(number), str(digits)] if number > 0 and len(digits) == 2 * HASH:
            try:
                return writer, Head(number, bytes.fromhex(digits))
            except ValueError:
                return None
        case _:
            return None


def _verify_checkpoints(
    connection: Connection, checkpoints: Mapping[str, Head], purge: tuple[int, str]
) -> Iterator[Fault]:
    latest = connection.execute(select(func.max(audit_checkpoints.c.purge))).scalar() or 0
    if not checkpoints and purge[0] == 0:
        return
    if latest != purge[0] or not hmac.compare_digest(digest_of_checkpoints(connection), purge[1]):
        yield Fault("", 0, "the checkpoints of purged records are not those that the record of the latest purge names")


def _verify_seen(connection: Connection, checkpoints: Mapping[str, Head], findings: _Findings) -> Iterator[Fault]:
    broken = {fault.writer for fault in findings.faults}
    for writer, head, witness in findings.seen:
        checkpoint = checkpoints.get(writer, origin(writer))
        # What was purged since is not there to be compared; the checkpoint itself is.
        if writer in broken or head.number < checkpoint.number:
            continue
        found = checkpoint.hash if head.number == checkpoint.number else hash_of(connection, writer, head.number)
        if found is None:
            broken.add(writer)
            yield Fault(writer, head.number, f"the chain ends before this record, which {witness} has seen")
        elif not hmac.compare_digest(found, head.hash):
            broken.add(writer)
            yield Fault(writer, head.number, f"the record is not the one that {witness} has seen")

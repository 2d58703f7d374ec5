"""Audit events and stores for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from assay.store import Store
from assay.store.audit import AuditChain
from assay.store.audit_event import AuditEvent, AuditOutcome, encode_part
from assay.store.audit_reading import Period, one_moment, read_records
from assay.store.audit_tables import audit_batches
from assay.store.audit_verification import verify_audit

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
COLLATERAL = encode_part({"intel.tcb_info.sgx": "cd" * 32})
VERDICT = encode_part({"passed": 57})


def event(number: int = 1, *, at: datetime = AT, **more) -> AuditEvent:
    """The event of a token, different for each number."""
    members = {
        "time": at + timedelta(seconds=number),
        "operation": "AttestSgxEnclave",
        "outcome": AuditOutcome.ISSUED,
        "provider": "default",
        "status": 200,
        "request": f"request-{number}",
        "evidence": f"{number:064x}",
        "policy": "hash-of-a-policy",
        "collateral": COLLATERAL,
        "token": f"{number:064d}",
        "verdict": VERDICT,
    }
    return AuditEvent(**{**members, **more})


def chain_of(store: Store, *sizes: int, at: datetime = AT) -> AuditChain:
    """A chain with its opening and a batch of each size; numbers of events are those of their records."""
    chain = AuditChain(store)
    chain.open()
    for size in sizes:
        first = chain.head.number + 1
        chain.append([event(number, at=at) for number in range(first, first + size)])
    return chain


def faults(store: Store, anchor=None) -> list[tuple[str, int]]:
    return [(fault.writer, fault.number) for fault in verify_audit(store, anchor).faults]


def rows(store: Store):
    with store.reading() as connection:
        return connection.execute(select(audit_batches).order_by(audit_batches.c.id)).mappings().all()


def records(store: Store, period: Period | None = None):
    with one_moment(store) as connection:
        return list(read_records(connection, period or Period()))


def operations(store: Store) -> list[str]:
    return [str(record.members["operation"]) for record in records(store)]

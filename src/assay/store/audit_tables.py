"""The tables of the audit: batches of records, and checkpoints of what was purged."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, Text, UniqueConstraint

from assay.store.tables import UtcDateTime, metadata

# One row for each commit of a writer. `id` orders rows of all writers as they were committed, and proves nothing;
# everything else is recomputed by a verification. `hashes` holds 32 octets for each record.
audit_batches = Table(
    "audit_batches",
    metadata,
    # SQLite numbers rows by itself only under a primary key of type INTEGER.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("writer", Text, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("first_at", UtcDateTime, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
    Column("hashes", LargeBinary, nullable=False),
    Column("records", LargeBinary, nullable=False),
    UniqueConstraint("writer", "first", name="uq_audit_batches"),
    Index("ix_audit_batches_last_at", "last_at"),
)

# What is known of the purged beginning of a chain: its last number and hash, how many records in all, by which purge.
audit_checkpoints = Table(
    "audit_checkpoints",
    metadata,
    Column("writer", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("purge", BigInteger, nullable=False),
    Column("purged_at", UtcDateTime, nullable=False),
)

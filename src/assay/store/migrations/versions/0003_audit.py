"""The audit: batches of records, and checkpoints of what was purged."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0003"
down_revision: Final = "0002"

_TIME: Final = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Creates what 0002 had no need of."""
    op.create_table(
        "audit_batches",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("writer", sa.Text(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("first_at", _TIME, nullable=False),
        sa.Column("last_at", _TIME, nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.Column("records", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_batches"),
        sa.UniqueConstraint("writer", "first", name="uq_audit_batches"),
    )
    op.create_index("ix_audit_batches_last_at", "audit_batches", ["last_at"])
    op.create_table(
        "audit_checkpoints",
        sa.Column("writer", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("purge", sa.BigInteger(), nullable=False),
        sa.Column("purged_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("writer", name="pk_audit_checkpoints"),
    )

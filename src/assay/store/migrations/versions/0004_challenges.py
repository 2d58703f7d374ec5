"""Challenges that were answered, and the certificates of keys that sign reports."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0004"
down_revision: Final = "0003"


def upgrade() -> None:
    """Creates what 0003 had no need of."""
    op.create_table(
        "consumed_challenges",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_consumed_challenges"),
    )
    op.create_index("ix_consumed_challenges_expires_at", "consumed_challenges", ["expires_at"])
    op.add_column("signing_keys", sa.Column("report_chain", sa.JSON()))

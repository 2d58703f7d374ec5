"""Policies with their history, policy signers, and a revision of each provider."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Creates what 0001 had no need of."""
    op.add_column("providers", sa.Column("revision", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "policies",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("jws", sa.Text(), nullable=False),
        sa.Column("policy_hash", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("restores", sa.Integer()),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("provider", "type", "number", name="pk_policies"),
        sa.ForeignKeyConstraint(["provider"], ["providers.id"], name="fk_policies_providers"),
    )
    op.create_table(
        "policy_signers",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("chain", sa.JSON(), nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.Column("added_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("provider", "position", name="pk_policy_signers"),
        sa.UniqueConstraint("provider", "digest", name="uq_policy_signers"),
        sa.ForeignKeyConstraint(["provider"], ["providers.id"], name="fk_policy_signers_providers"),
    )

"""The first tables: providers, signing keys, vendor documents, the count of changes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from assay import clock

revision = "0001"
down_revision = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    _create_providers()
    op.create_table(
        "signing_keys",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("algorithm", sa.Text(), nullable=False),
        sa.Column("sealed_private_key", sa.LargeBinary(), nullable=False),
        sa.Column("certificate", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("retired_at", _TIME),
        sa.PrimaryKeyConstraint("provider", "kid", name="pk_signing_keys"),
        sa.ForeignKeyConstraint(["provider"], ["providers.id"], name="fk_signing_keys_providers"),
    )
    op.create_table(
        "documents",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("tee", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("issuer_chain", sa.LargeBinary(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("issue_date", _TIME, nullable=False),
        sa.Column("next_update", _TIME, nullable=False),
        sa.Column("evaluation_number", sa.Integer()),
        sa.Column("fetched_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("owner", "kind", "tee", "platform", "number", name="pk_documents"),
    )
    changes = op.create_table(
        "changes",
        sa.Column("counter", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("counter", name="pk_changes"),
    )
    op.bulk_insert(changes, [{"counter": 0}])


def _create_providers() -> None:
    providers = op.create_table(
        "providers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_providers"),
    )
    op.bulk_insert(providers, [{"id": "default", "created_at": clock.now(), "settings": {}}])

"""The tables of the store as this version uses them; `migrations` brings a database there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeDecorator

DEFAULT_PROVIDER: Final = "default"


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time, kept in UTC: SQLite has no time zones and orders its times as text."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a time zone")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "uq": "uq_%(table_name)s",
    }
)

# `revision` is counted up by whatever changes a provider, its policies, signers or keys; counting locks the provider.
providers = Table(
    "providers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("settings", JSON, nullable=False),
    Column("revision", Integer, nullable=False, server_default="0"),
)

# Every version ever set, numbered from 1 within its provider and type; the one with the greatest number is in force.
policies = Table(
    "policies",
    metadata,
    Column("provider", Text, ForeignKey("providers.id"), primary_key=True),
    Column("type", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("action", Text, nullable=False),
    Column("jws", Text, nullable=False),
    Column("policy_hash", Text, nullable=False),
    Column("token_hash", Text, nullable=False),
    Column("restores", Integer),
    Column("set_by", Text, nullable=False),
    Column("set_at", UtcDateTime, nullable=False),
)

# `chain` is `x5c` as it was given, the signer's certificate first; `digest` is the SHA-256 of that certificate, in hex.
policy_signers = Table(
    "policy_signers",
    metadata,
    Column("provider", Text, ForeignKey("providers.id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("digest", Text, nullable=False),
    Column("chain", JSON, nullable=False),
    Column("added_by", Text, nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
    UniqueConstraint("provider", "digest"),
)

# `report_chain` are the certificates of the key as a signer of reports, base64 of DER, leaf first.
signing_keys = Table(
    "signing_keys",
    metadata,
    Column("provider", Text, ForeignKey("providers.id"), primary_key=True),
    Column("kid", Text, primary_key=True),
    Column("algorithm", Text, nullable=False),
    Column("sealed_private_key", LargeBinary, nullable=False),
    Column("certificate", LargeBinary, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("retired_at", UtcDateTime),
    Column("report_chain", JSON),
)

# `owner` is a provider or '' for public, and `number` is -1 where the need names none: a key column cannot be NULL.
documents = Table(
    "documents",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("tee", Text, primary_key=True),
    Column("platform", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
    Column("issuer_chain", LargeBinary, nullable=False),
    Column("origin", Text, nullable=False),
    Column("issue_date", UtcDateTime, nullable=False),
    Column("next_update", UtcDateTime, nullable=False),
    Column("evaluation_number", Integer),
    Column("fetched_at", UtcDateTime, nullable=False),
)

# Challenges that were answered: each once. A row is of no use after the time at which its challenge ends.
consumed_challenges = Table(
    "consumed_challenges",
    metadata,
    Column("id", Text, primary_key=True),
    Column("expires_at", UtcDateTime, nullable=False),
    Index("ix_consumed_challenges_expires_at", "expires_at"),
)

# One row, counted up by every writing transaction on PostgreSQL. SQLite counts by itself (PRAGMA data_version).
changes = Table("changes", metadata, Column("counter", BigInteger, primary_key=True, autoincrement=False))

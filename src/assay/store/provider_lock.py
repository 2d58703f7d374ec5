"""The lock under which a provider is changed: its own row, whose revision is counted up."""

from __future__ import annotations

from sqlalchemy import Connection, update

from assay.errors import InvalidOperation
from assay.store.tables import providers


def lock_provider(connection: Connection, name: str) -> None:
    """Counts the provider's revision up, which makes other writers of the provider wait.

    Raises `InvalidOperation` when there is no such provider.
    """
    counted = update(providers).where(providers.c.id == name).values(revision=providers.c.revision + 1)
    if connection.execute(counted).rowcount != 1:
        raise InvalidOperation(f"there is no provider {name!r}")

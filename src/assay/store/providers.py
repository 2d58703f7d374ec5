"""Providers (tenants) as the store keeps them: who exists, with which settings, at which revision."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from assay.errors import ConfigurationError, InvalidOperation
from assay.store.policy_signers import add_member
from assay.store.provider_lock import lock_provider
from assay.store.provider_settings import ProviderSettings, decode_settings, encode_settings
from assay.store.recording import Record, unrecorded
from assay.store.tables import DEFAULT_PROVIDER, policies, policy_signers, providers, signing_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from assay.store.engine import Store

# Own: each costs a signing key, which takes a tenth of a second to make.
PROVIDERS: Final = 10_000


@dataclass(frozen=True, slots=True)
class StoredProvider:
    """A provider's row; `revision` differs when anything of it has changed, its policies, signers and keys included."""

    name: str
    created_at: datetime
    settings: ProviderSettings
    revision: int


def load_providers(store: Store) -> tuple[StoredProvider, ...]:
    """All providers by name; raises `ConfigurationError` for settings that cannot be read."""
    with store.reading() as connection:
        found = connection.execute(select(providers).order_by(providers.c.id))
        return tuple(_read(row) for row in found.mappings())


def load_revisions(store: Store) -> Mapping[str, tuple[datetime, int]]:
    """When each provider was created, since a name may come back, and its revision."""
    with store.reading() as connection:
        found = connection.execute(select(providers.c.id, providers.c.created_at, providers.c.revision))
        return {row.id: (row.created_at, row.revision) for row in found}


def create_provider(
    store: Store,
    name: str,
    settings: ProviderSettings,
    *,
    signers: Iterable[tuple[str, ...]] = (),
    by: str,
    at: datetime,
    record: Record = unrecorded,
) -> StoredProvider:
    """A new provider with its first policy signers (`x5c` of each); its signing key is made when it is first loaded.

    Raises `InvalidOperation` when the name is taken or there are too many.
    """
    try:
        with store.writing() as connection:
            if connection.execute(select(func.count()).select_from(providers)).scalar_one() >= PROVIDERS:
                raise InvalidOperation(f"there are {PROVIDERS} providers, the most that one installation keeps")
            encoded = encode_settings(settings)
            row = {"id": name, "created_at": at, "settings": encoded, "revision": 0}
            connection.execute(insert(providers).values(row))
            for chain in signers:
                add_member(connection, name, chain, by=by, at=at)
            record({"provider": name, "settings": encoded})
    except IntegrityError as error:
        raise InvalidOperation(f"provider {name!r} exists") from error
    return StoredProvider(name, at, settings, 0)


def change_provider(
    store: Store, name: str, change: Callable[[ProviderSettings], ProviderSettings], *, record: Record = unrecorded
) -> StoredProvider:
    """The provider with changed settings, read and written in one step; raises `InvalidOperation` when unknown."""
    with store.writing() as connection:
        lock_provider(connection, name)
        stored = _find(connection, name)
        changed = change(stored.settings)
        encoded = encode_settings(changed)
        connection.execute(update(providers).where(providers.c.id == name).values(settings=encoded))
        record({"provider": name, "before": encode_settings(stored.settings), "settings": encoded})
    return replace(stored, settings=changed)


def delete_provider(store: Store, name: str, *, record: Record = unrecorded) -> bool:
    """Removes a provider with its policies, signers and keys; False when there was none.

    Raises `InvalidOperation` for the default provider. What was decided under it stays in the audit log.
    """
    if name == DEFAULT_PROVIDER:
        raise InvalidOperation("the default provider cannot be deleted")
    with store.writing() as connection:
        # Locked first: whoever is adding a row below it ends before, or finds no provider after.
        found = connection.execute(select(providers.c.id).where(providers.c.id == name).with_for_update()).first()
        for table in (policies, policy_signers, signing_keys):
            connection.execute(delete(table).where(table.c.provider == name))
        connection.execute(delete(providers).where(providers.c.id == name))
        record({"provider": name, "existed": found is not None})
        return found is not None


def _find(connection: Connection, name: str) -> StoredProvider:
    return _read(connection.execute(select(providers).where(providers.c.id == name)).mappings().one())


def _read(row: RowMapping) -> StoredProvider:
    try:
        settings = decode_settings(row["settings"])
    except ValueError as error:
        raise ConfigurationError(f"the settings of provider {row['id']!r} in the store: {error}") from error
    return StoredProvider(row["id"], row["created_at"], settings, row["revision"])

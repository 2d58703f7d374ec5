"""What the service keeps: providers, signing keys and vendor documents, in SQLite or PostgreSQL."""

from assay.store.documents import SqlDocumentStore, StoredDocument
from assay.store.engine import Store, default_database_url, open_store
from assay.store.sealing import SealingKey
from assay.store.signing_keys import (
    Algorithm,
    SigningKey,
    current_signing_key,
    ensure_signing_key,
    load_signing_keys,
    published,
    rotate_signing_key,
)
from assay.store.tables import DEFAULT_PROVIDER

__all__ = [
    "Algorithm",
    "DEFAULT_PROVIDER",
    "SealingKey",
    "SigningKey",
    "SqlDocumentStore",
    "Store",
    "StoredDocument",
    "current_signing_key",
    "default_database_url",
    "ensure_signing_key",
    "load_signing_keys",
    "open_store",
    "published",
    "rotate_signing_key",
]

"""What the service keeps: providers, signing keys and vendor documents, in SQLite or PostgreSQL."""

from assay.store.challenges import consume_challenge
from assay.store.documents import SqlDocumentStore, StoredDocument
from assay.store.engine import Store, default_database_url, open_store
from assay.store.policies import (
    Author,
    NewPolicy,
    PolicyAction,
    PolicyVersion,
    current_policies,
    policy_history,
    reset_policy,
    roll_back_policy,
    set_policy,
)
from assay.store.policy_signers import PolicySigner, add_signer, certificate_digest, load_signers, remove_signer
from assay.store.provider_settings import ProviderSettings, TrustModel, encode_settings
from assay.store.providers import (
    StoredProvider,
    change_provider,
    create_provider,
    delete_provider,
    load_providers,
    load_revisions,
)
from assay.store.sealing import SealingKey
from assay.store.signing_keys import (
    Algorithm,
    SigningKey,
    current_signing_key,
    ensure_signing_key,
    load_signing_keys,
    published,
    reporting,
    rotate_signing_key,
)
from assay.store.tables import DEFAULT_PROVIDER

__all__ = [
    "Author",
    "add_signer",
    "Algorithm",
    "certificate_digest",
    "change_provider",
    "consume_challenge",
    "create_provider",
    "current_policies",
    "current_signing_key",
    "default_database_url",
    "DEFAULT_PROVIDER",
    "delete_provider",
    "encode_settings",
    "ensure_signing_key",
    "load_providers",
    "load_revisions",
    "load_signers",
    "load_signing_keys",
    "NewPolicy",
    "open_store",
    "policy_history",
    "PolicyAction",
    "PolicySigner",
    "PolicyVersion",
    "ProviderSettings",
    "published",
    "reporting",
    "remove_signer",
    "reset_policy",
    "roll_back_policy",
    "rotate_signing_key",
    "SealingKey",
    "set_policy",
    "SigningKey",
    "SqlDocumentStore",
    "Store",
    "StoredDocument",
    "StoredProvider",
    "TrustModel",
]

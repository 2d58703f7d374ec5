"""The providers of an installation in memory: loaded when their revision changed, found by their address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

import structlog

from assay import clock
from assay.endorsements.intel.tcb import TcbStatus
from assay.errors import AssayError, StoreUnavailable
from assay.evidence.base import PlatformRules
from assay.evidence.rule_document import decode_rules
from assay.service.config import Settings, read_algorithm
from assay.service.metadata import encode_discovery, encode_key_set
from assay.service.provider import Provider, policies_in_force
from assay.service.responses import encode
from assay.service.signing import LocalSigner
from assay.store import (
    DEFAULT_PROVIDER,
    Algorithm,
    ProviderSettings,
    SealingKey,
    Store,
    StoredProvider,
    current_policies,
    current_signing_key,
    ensure_signing_key,
    load_providers,
    load_revisions,
    load_signers,
    load_signing_keys,
    published,
    reporting,
)

# A provider under the installation's own address: BASE/provider/NAME.
PREFIX: Final = "/provider/"
log = structlog.get_logger("assay.service")


@dataclass(frozen=True, slots=True)
class Providers:
    """The providers at one moment, by name and by what a request is addressed to."""

    by_name: Mapping[str, Provider]
    by_host: Mapping[str, Provider] = field(default_factory=dict)

    @property
    def default(self) -> Provider:
        return self.by_name[DEFAULT_PROVIDER]

    def find(self, host: str, path: str) -> tuple[Provider | None, str]:
        """The provider that a request addresses, and its path there; both given in lower case.

        By path prefix, else by host name; a host that is nobody's own is the default provider's.
        """
        if path.startswith(PREFIX):
            name, slash, rest = path.removeprefix(PREFIX).partition("/")
            return self.by_name.get(name), slash + rest
        if not self.by_host:
            return self.by_name[DEFAULT_PROVIDER], path
        return self.by_host.get(host.partition(":")[0], self.by_name[DEFAULT_PROVIDER]), path


def provider_url(settings: Settings, name: str, stored: ProviderSettings) -> str:
    """The base URL of a provider: its own, else made from the installation's."""
    if stored.base_url is not None:
        return stored.base_url
    if name == DEFAULT_PROVIDER:
        return settings.base_url
    if settings.provider_url:
        return settings.provider_url.replace("{name}", name)
    return f"{settings.base_url}{PREFIX}{name}"


class Tenancy:
    """Reads providers from the store; blocking, so for a thread of its own beside the requests."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings, self._store = settings, store
        self._sealing = SealingKey.from_text(settings.sealing_key)
        self._revisions: Mapping[str, tuple[datetime, int]] = {}
        self._loaded: dict[str, Provider] = {}

    def load(self) -> Providers:
        """All providers as they are now; what did not change since the last call is not read again.

        Raises `ConfigurationError` when the default provider cannot be loaded, `StoreUnavailable`. Another provider
        that cannot be loaded is left out and logged: it answers nothing, rather than with something old.
        """
        revisions = load_revisions(self._store)
        if revisions != self._revisions:
            loaded: dict[str, Provider] = {}
            for stored in load_providers(self._store):
                known = self._loaded.get(stored.name)
                if known is not None and self._revisions.get(stored.name) == (stored.created_at, stored.revision):
                    loaded[stored.name] = known
                else:
                    self._load(stored, loaded)
            if DEFAULT_PROVIDER not in loaded:
                raise StoreUnavailable("the database has no default provider: was it emptied?")
            self._loaded, self._revisions = loaded, revisions
        return Providers(self._loaded, self._hosts())

    def _load(self, stored: StoredProvider, loaded: dict[str, Provider]) -> None:
        try:
            loaded[stored.name] = self._read(stored)
        except AssayError as error:
            # An outage says nothing about the provider: the whole load is tried again.
            if stored.name == DEFAULT_PROVIDER or isinstance(error, StoreUnavailable):
                raise
            log.warning("provider not loaded", provider=stored.name, error=error.message)

    def _read(self, stored: StoredProvider) -> Provider:
        settings, own, name = self._settings, stored.settings, stored.name
        base_url = provider_url(settings, name, own)
        algorithm: Algorithm = read_algorithm(own.algorithm) if own.algorithm else settings.algorithm
        lifetime = timedelta(minutes=own.token_lifetime) if own.token_lifetime else settings.token_lifetime
        ensure_signing_key(self._store, name, base_url, algorithm, self._sealing, at=clock.now())
        keys = load_signing_keys(self._store, name, self._sealing)
        key = current_signing_key(keys, algorithm)
        listed = published(keys, clock.now(), lifetime)
        algorithms = tuple(dict.fromkeys(key.algorithm for key in listed))
        versions = {version.type: version for version in current_policies(self._store, name)}
        return Provider(
            name=name,
            base_url=base_url,
            settings=own,
            rules=_rules(settings.rules, own),
            token_lifetime=lifetime,
            signer=LocalSigner(key),
            policies=policies_in_force(versions, own.trust_model),
            policy_signers=load_signers(self._store, name),
            report_lifetime=settings.report_lifetime,
            report_signer=LocalSigner(key, reports=True),
            key_set=encode(encode_key_set(sorted(listed, key=lambda k: k is not key), reporting(keys, clock.now()))),
            discovery=encode(encode_discovery(base_url, algorithms)),
        )

    def _hosts(self) -> dict[str, Provider]:
        """Providers with a host name of their own, which the default provider's is not."""
        shared = urlsplit(self._settings.base_url).hostname
        hosts = {(urlsplit(provider.base_url).hostname or ""): provider for provider in self._loaded.values()}
        return {host: provider for host, provider in hosts.items() if host != shared}


def _rules(operator: PlatformRules, own: ProviderSettings) -> PlatformRules:
    """The operator's platform rules with what the provider sets for itself."""
    strict = operator.strict if own.strict is None else own.strict
    debug = (operator.allow_debug and not own.strict) if own.allow_debug is None else own.allow_debug
    accepted = operator.accepted_tcb if own.accepted_tcb is None else frozenset(map(TcbStatus, own.accepted_tcb))
    ruled = operator if own.platform_rules is None else decode_rules(own.platform_rules, operator)
    return replace(ruled, accepted_tcb=accepted, allow_debug=debug, strict=strict)

"""What the requests of one process share: settings, provider, collateral, grounds; refreshed in the background."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import structlog

from assay import clock
from assay.claims import Configuration
from assay.collateral import Collector
from assay.collateral.trust_directory import read_anchors
from assay.endorsements.anchors import TrustAnchors
from assay.evidence.base import Grounds
from assay.service.config import Settings
from assay.service.metadata import encode_discovery, encode_key_set
from assay.service.provider import Provider, default_policies
from assay.service.responses import encode
from assay.service.signing import LocalSigner
from assay.service.tls import TlsCertificate
from assay.store import DEFAULT_PROVIDER, SealingKey, Store, current_signing_key, load_signing_keys, published

POLL_SECONDS = 1.0
log = structlog.get_logger("assay.service")


class ServiceState:
    """The memory of one process; requests read it and issue no SQL (design, section 8)."""

    def __init__(self, settings: Settings, store: Store, collector: Collector, tls: TlsCertificate | None) -> None:
        self.settings = settings
        self.store = store
        self.collector = collector
        self.tls = tls
        self.anchors = load_anchors(settings)
        self.ready = False
        self._seen = store.change_counter()
        self.provider = self._load_provider()

    def grounds(self, configuration: Configuration | None = None) -> Grounds:
        """What a request is judged on now under a policy's configuration, before its endorsements are known."""
        settings = self.settings
        return Grounds(
            at=settings.unsafe_verify_at or clock.now(),
            anchors=self.anchors,
            rules=settings.rules,
            configuration=configuration or {},
            unsafe_no_revocation=settings.unsafe_no_revocation,
            marks=settings.marks,
        )

    def _load_provider(self) -> Provider:
        settings = self.settings
        sealing = SealingKey.from_text(settings.sealing_key)
        keys = load_signing_keys(self.store, DEFAULT_PROVIDER, sealing)
        key = current_signing_key(keys, settings.algorithm)
        listed = published(keys, clock.now(), settings.token_lifetime)
        algorithms = tuple(dict.fromkeys(key.algorithm for key in listed))
        return Provider(
            DEFAULT_PROVIDER,
            settings.base_url,
            LocalSigner(key),
            default_policies(),
            encode(encode_key_set(sorted(listed, key=lambda k: k is not key))),
            encode(encode_discovery(settings.base_url, algorithms)),
        )

    async def keep_fresh(self) -> None:
        """Until cancelled: notice changes in the store, the collateral and the TLS files, once a second.

        Each step stands alone: what fails in one must not keep a revocation list or a certificate from being noticed.
        """
        steps = (self._refresh_provider, self._reload_directories, self._renew_collateral, self._reload_tls)
        while True:
            await asyncio.sleep(POLL_SECONDS)
            for step in steps:
                try:
                    await step()
                except Exception as error:  # noqa: BLE001  # nothing may end this task; the next second tries again
                    log.warning("refresh failed", step=step.__name__, error=f"{type(error).__name__}: {error}")

    async def _refresh_provider(self) -> None:
        counter = await asyncio.to_thread(self.store.change_counter)
        if counter != self._seen:
            self.provider = await asyncio.to_thread(self._load_provider)
            self._seen = counter

    async def _reload_directories(self) -> None:
        await self.collector.reload_directories()

    async def _renew_collateral(self) -> None:
        refreshed = await self.collector.refresh_due(clock.now())
        for need, reason in refreshed.failed:
            log.warning("collateral not renewed", document=str(need), reason=reason)

    async def _reload_tls(self) -> None:
        if self.tls is not None:
            self.tls.reload_if_changed()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The lifespan: background refresh while requests are served, everything closed at the end."""
        await self.collector.warm(self.grounds().at)
        task = asyncio.create_task(self.keep_fresh())
        self.ready = True
        try:
            yield
        finally:
            self.ready = False
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await self.collector.close()
            self.store.close()


def load_anchors(settings: Settings) -> TrustAnchors:
    """The vendors' anchors and those of the trust directories; raises `ConfigurationError`."""
    return read_anchors(settings.trust, allow_simulator=settings.dev)

"""What the requests of one process share: settings, providers, collateral, grounds; refreshed in the background."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Final, ParamSpec, TypeVar

import structlog

from assay import clock
from assay.claims import Configuration
from assay.collateral import Collector
from assay.collateral.trust_directory import read_anchors
from assay.endorsements.anchors import TrustAnchors
from assay.evidence.base import Grounds
from assay.freshness import Challenges, answered_before
from assay.result.attestation import AttestationResult
from assay.service.access import Authenticator, challenge
from assay.service.audit import AuditWriter, purge_periodically
from assay.service.audit_events import opening_details
from assay.service.config import Settings
from assay.service.provider import Provider
from assay.service.tenancy import Providers, Tenancy
from assay.service.tls import TlsCertificate
from assay.store import SealingKey, Store, consume_challenge

ResultT = TypeVar("ResultT")
P = ParamSpec("P")
# A change made by one process is in force in all of them within a second.
POLL_SECONDS: Final = 0.5
log = structlog.get_logger("assay.service")


class ServiceState:
    """The memory of one process; requests read it and issue no SQL (design, section 8)."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        collector: Collector,
        *,
        authenticator: Authenticator,
        audit: AuditWriter,
        tls: TlsCertificate | None = None,
    ) -> None:
        self.settings = settings
        self.store = store
        self.collector = collector
        self.authenticator = authenticator
        self.audit = audit
        self.tls = tls
        self.anchors = load_anchors(settings)
        self.challenges = Challenges(SealingKey.from_text(settings.sealing_key).derive(Challenges.purpose()))
        self.drafts = ThreadPoolExecutor(1, thread_name_prefix="draft")
        self.challenge = challenge(settings.issuers, settings.base_url)
        self.ready = False
        self._tenancy = Tenancy(settings, store)
        self._loading = asyncio.Lock()
        self._seen = store.change_counter()
        self.providers: Providers = self._tenancy.load()

    @property
    def at(self) -> datetime:
        """The time at which evidence, endorsements and policy signers are judged."""
        return self.settings.unsafe_verify_at or clock.now()

    def grounds(
        self, provider: Provider, configuration: Configuration | None = None, session: str | None = None
    ) -> Grounds:
        """What a request is judged on now under a policy's configuration, before its endorsements are known.

        `session` is the sealed context of a first round that the evidence brings back.
        """
        settings = self.settings
        return Grounds(
            at=self.at,
            anchors=self.anchors,
            rules=provider.rules,
            configuration=configuration or {},
            unsafe_no_revocation=settings.unsafe_no_revocation,
            marks=settings.marks,
            challenge=None if session is None else self.challenges.open(session, provider.name, clock.now()),
        )

    async def consume(self, result: AttestationResult) -> None:
        """The challenge that a result answers, once; raises `BindingMismatch` when it was answered before."""
        challenge = result.grounds.challenge
        if challenge is None:
            return
        at = clock.now()
        if not await asyncio.to_thread(consume_challenge, self.store, challenge.identity, challenge.expires, at=at):
            raise answered_before(result.verdict)

    async def beside(self, work: Callable[P, ResultT], *arguments: P.args, **more: P.kwargs) -> ResultT:
        """Runs a stranger's program beside the event loop, one at a time, so that it holds up no other request."""
        return await asyncio.get_running_loop().run_in_executor(self.drafts, partial(work, *arguments, **more))

    async def reload_providers(self) -> None:
        """Brings this process up to what the store holds; called after a change of its own, too."""
        async with self._loading:
            await self._load_providers()

    async def _load_providers(self) -> None:
        # Read first: what changes meanwhile is noticed by the next round.
        seen = await asyncio.to_thread(self.store.change_counter)
        self.providers = await asyncio.to_thread(self._tenancy.load)
        self._seen = seen

    async def changed(self) -> None:
        """After a change that this process made: returns when every process of the installation answers by it.

        Clients set a policy and attest in the next call, which another process may get (rest-api 8.4).
        """
        await self.reload_providers()
        if self.settings.workers > 1 or not self.settings.database_url.startswith("sqlite"):
            await asyncio.sleep(2 * POLL_SECONDS)

    async def keep_fresh(self) -> None:
        """Until cancelled: notice changes in the store, the collateral, the issuers' keys and the TLS files.

        Each step stands alone: what fails in one must not keep a revocation list or a certificate from being noticed.
        """
        steps = (
            self._refresh_providers,
            self._reload_directories,
            self._renew_collateral,
            self._renew_issuers,
            self._reload_tls,
        )
        while True:
            await asyncio.sleep(POLL_SECONDS)
            for step in steps:
                try:
                    await step()
                except Exception as error:  # noqa: BLE001  # nothing may end this task; the next round tries again
                    log.warning("refresh failed", step=step.__name__, error=f"{type(error).__name__}: {error}")

    async def _refresh_providers(self) -> None:
        async with self._loading:
            if await asyncio.to_thread(self.store.change_counter) != self._seen:
                await self._load_providers()

    async def _reload_directories(self) -> None:
        await self.collector.reload_directories()

    async def _renew_collateral(self) -> None:
        refreshed = await self.collector.refresh_due(clock.now())
        for need, reason in refreshed.failed:
            log.warning("collateral not renewed", document=str(need), reason=reason)

    async def _renew_issuers(self) -> None:
        await self.authenticator.refresh_due()

    async def _reload_tls(self) -> None:
        if self.tls is not None:
            self.tls.reload_if_changed()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The lifespan: background refresh while requests are served, everything closed at the end."""
        await self.audit.start(opening_details())
        await self.collector.warm(self.grounds(self.providers.default).at)
        tasks = [asyncio.create_task(self.keep_fresh())]
        if self.settings.audit_retention is not None:
            tasks.append(asyncio.create_task(purge_periodically(self.audit, self.settings.audit_retention)))
        self.ready = True
        try:
            yield
        finally:
            self.ready = False
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.audit.close({})
            await self.collector.close()
            await self.authenticator.close()
            self.drafts.shutdown(wait=False, cancel_futures=True)
            self.store.close()


def load_anchors(settings: Settings) -> TrustAnchors:
    """The vendors' anchors and those of the trust directories; raises `ConfigurationError`."""
    return read_anchors(settings.trust, allow_simulator=settings.dev)

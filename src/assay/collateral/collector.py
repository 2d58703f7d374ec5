"""The collector: from what a verification needs to the documents, wherever they are (design, section 3)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from assay import clock
from assay.collateral.budget import Budget
from assay.collateral.cache import Collected, DocumentStore, Failures, Memory, Obtained
from assay.collateral.flights import Flights
from assay.collateral.reading import read_document
from assay.collateral.settings import CollateralSettings
from assay.collateral.vendor_http import VendorRefusal
from assay.collateral.vetting import Held, vet
from assay.endorsements.documents import OF_INTEL_CHANNEL, REVOCATION_LISTS, Document, DocumentKind, Need
from assay.errors import EndorsementUnavailable
from assay.pki.validity import ALWAYS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from assay.collateral.directory import DirectorySource
    from assay.endorsements.anchors import TrustAnchors
    from assay.pki.certificate import Certificate

# Documents of which there are as many as a stranger can invent platforms.
_OF_ONE_PLATFORM: Final = (DocumentKind.INTEL_TCB_INFO, DocumentKind.AMD_VCEK)
_RENEWED: Final = (*REVOCATION_LISTS, *OF_INTEL_CHANNEL)


class VendorService(Protocol):
    """A vendor's service: fetches documents of its kinds, bounded; raises `EndorsementUnavailable`."""

    @property
    def kinds(self) -> frozenset[DocumentKind]: ...

    async def fetch(self, need: Need) -> Document: ...

    async def close(self) -> None: ...


def _is_shared(need: Need) -> bool:
    """Whether all platforms need the same document: a stranger can invent platforms, and in drafts numbers too."""
    return need.kind not in _OF_ONE_PLATFORM and need.number is None


def _is_newer(document: Document, held: Held) -> bool:
    """Whether a file is newer than what is remembered: a list that revokes counts as soon as it lies there (CO-12)."""
    return read_document(document).age > held.reading.age


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What one round of refreshing did; `failed` are the reasons, by need."""

    renewed: tuple[Need, ...]
    failed: tuple[tuple[Need, str], ...]


class Collector:
    """Finds documents in memory, in directories, in the store, and at the vendors' services, in this order.

    What comes from store and services is verified before it is remembered or stored; a bad answer never is (CO-23).
    """

    def __init__(
        self,
        anchors: TrustAnchors,
        *,
        directories: DirectorySource | None = None,
        services: Sequence[VendorService] = (),
        store: DocumentStore | None = None,
        settings: CollateralSettings | None = None,
        monotonic: Callable[[], float] = clock.monotonic,
    ) -> None:
        self._settings = settings or CollateralSettings()
        self._anchors, self._directories, self._store = anchors, directories, store
        self._services, self._monotonic = tuple(services), monotonic
        self._memory = Memory(monotonic, self._settings.failure_seconds)
        self._failures = Failures(monotonic)
        self._flights: Flights[tuple[Need, bool], Held] = Flights()
        self._turns = asyncio.Semaphore(self._settings.concurrency)
        self._admitted = 0
        self._strangers = Budget(self._settings.strangers_per_minute, monotonic)
        self._refreshed: dict[Need, float] = {}

    @property
    def held(self) -> tuple[Held, ...]:
        """The verified documents in memory."""
        return self._memory.held

    def recall(self, needs: Sequence[Need], at: datetime) -> Collected | None:
        """The collection for these needs when it is at hand: no I/O, the same object until a document changes."""
        return self._memory.recall(needs, at)

    async def collect(
        self, needs: tuple[Need, ...], at: datetime, certification_hint: Certificate | None = None
    ) -> Collected:
        """The documents for these needs at `at`; `reasons` of the result names what could not be had, and why.

        The vendor is asked about vouched needs only, and about documents of one platform on a budget per minute unless
        `certification_hint` is given, a certificate by which the caller knows the platform. A document that does not
        fit is handed over when there is no other, so that the verdict can say what is wrong with it.
        """
        collected = self._memory.recall(needs, at)
        if collected is not None:
            return collected
        known = certification_hint is not None
        found = await asyncio.gather(*(self._obtain(need, at, known=known) for need in needs))
        return self._memory.assemble(tuple(found), at)

    async def warm(self, at: datetime) -> int:
        """Takes what the store holds, and is valid, into memory; returns how many documents."""
        if self._store is None:
            return 0
        kept = 0
        for stored in await asyncio.to_thread(self._store.load_all):
            held = self._vetted(stored.need, stored.document, at) if self._is_stored(stored.need) else None
            if held is not None:
                self._memory.keep(held, at)
                kept += 1
        return kept

    async def reload_directories(self) -> bool:
        """Reads the directories again when their files changed; returns whether they did."""
        if self._directories is None or not await asyncio.to_thread(self._directories.reload):
            return False
        self._memory.forget_collections()
        return True

    async def refresh_due(self, at: datetime) -> Refreshed:
        """Fetches anew what is in the last part of its window; what cannot be renewed is kept until its end."""
        everything, now = self._memory.held, self._monotonic()
        due = [held for held in everything if self._is_due(held, at) and not self._asked_lately(held.need)]
        asked = {held.need: self._refreshed[held.need] for held in everything if held.need in self._refreshed}
        self._refreshed = asked | dict.fromkeys((held.need for held in due), now)
        reasons = await asyncio.gather(*(self._renew(held, at) for held in due))
        failed = tuple((held.need, why) for held, why in zip(due, reasons, strict=True) if why)
        return Refreshed(tuple(h.need for h, why in zip(due, reasons, strict=True) if not why), failed)

    async def close(self) -> None:
        """Ends the fetches under way and the services' connections."""
        await self._flights.close()
        for service in self._services:
            await service.close()

    async def _obtain(self, need: Need, at: datetime, *, known: bool) -> Obtained:
        held, local = self._memory.find(need, at), self._from_directories(need, at)
        if need.kind is DocumentKind.MICROSOFT_UVM and local is None:
            return Obtained(need, None, ALWAYS)  # comes with evidence or lies in a directory; none need be there
        if local is not None and local.document is not None and (held is None or _is_newer(local.document, held)):
            return local
        if held is not None:
            return Obtained(need, held.document, held.window)
        try:
            held = await self._fetch_once(need, at, known=known or _is_shared(need))
        except EndorsementUnavailable as error:
            document = None if self._directories is None else self._directories.find(need, at)
            if document is None and self._directories is not None:
                document = self._directories.find_only(need, at)
            return Obtained(need, document, None, error.reason, error.retry_after)
        return Obtained(need, held.document, held.window)

    def _from_directories(self, need: Need, at: datetime) -> Obtained | None:
        document = None if self._directories is None else self._directories.find(need, at)
        if document is None:
            return None
        held = self._vetted(need, document, at)
        if held is not None:
            return Obtained(need, document, held.window)
        # A list whose issuer is not in the directories is verified against the evidence's own chain.
        if document.kind in REVOCATION_LISTS and not document.issuer_chain:
            window = read_document(document).window
            return Obtained(need, document, window) if at in window else None
        return None

    def _vetted(self, need: Need, document: Document, at: datetime) -> Held | None:
        try:
            return vet(need, document, self._anchors, at)
        except EndorsementUnavailable:
            return None

    async def _fetch_once(self, need: Need, at: datetime, *, known: bool) -> Held:
        if not need.vouched:
            return await self._stored(need, at)
        self._failures.require_none(need)
        held = await self._flights.join((need, known), lambda: self._fetch(need, at, known=known))
        if at not in held.window:
            raise EndorsementUnavailable((str(need),), reason=f"valid from {held.window}")
        return held

    async def _stored(self, need: Need, at: datetime) -> Held:
        """For a platform under another root than the vendor's: its service knows nothing of it and is not asked."""
        stored = await self._load(need, at)
        if stored is None:
            reason = "not found, and the vendor is not asked about platforms that its root does not certify"
            raise EndorsementUnavailable((str(need),), reason=reason)
        return self._memory.keep(stored, at)

    async def _fetch(self, need: Need, at: datetime, *, known: bool) -> Held:
        stored = await self._load(need, at)
        if stored is not None:
            return self._memory.keep(stored, at)
        return await self._ask(need, at, known=known)

    async def _load(self, need: Need, at: datetime) -> Held | None:
        if self._store is None or not self._is_stored(need):
            return None
        stored = await asyncio.to_thread(self._store.load, need)
        return None if stored is None else self._vetted(need, stored.document, at)

    def _is_stored(self, need: Need) -> bool:
        """Whether the store speaks of this need: without a number it holds the standard channel's documents only.

        So that a change of the channel takes effect at once (attack case CO-25).
        """
        of_channel = need.number is None and need.kind in OF_INTEL_CHANNEL
        return not of_channel or self._settings.channel == "standard"

    async def _ask(self, need: Need, at: datetime, *, known: bool) -> Held:
        """The vendor's answer, verified, remembered, stored."""
        service = next((service for service in self._services if need.kind in service.kinds), None)
        if service is None:
            raise EndorsementUnavailable((str(need),), reason="not found, and no vendor service is configured")
        self._require_room(need, known=known)
        self._admitted += 1
        try:
            async with self._turns:
                held = vet(need, await service.fetch(need), self._anchors, at)
        except EndorsementUnavailable as error:
            absent = isinstance(error, VendorRefusal) and error.absent
            seconds = self._settings.absence_seconds if absent else self._settings.failure_seconds
            self._failures.remember(need, error, seconds)
            raise
        finally:
            self._admitted -= 1
        self._failures.forget(need)
        kept = self._memory.keep(held, at)
        if kept is held:
            await self._save(held, at)
        return kept

    def _require_room(self, need: Need, *, known: bool) -> None:
        if self._admitted >= self._settings.concurrency + self._settings.queue:
            raise EndorsementUnavailable((str(need),), reason="too many fetches are under way", retry_after=1)
        wait = None if known else self._strangers.take()
        if wait is not None:
            reason = "too many documents of new platforms were asked for"
            raise EndorsementUnavailable((str(need),), reason=reason, retry_after=wait)

    async def _save(self, held: Held, at: datetime) -> None:
        if self._store is None or not self._is_stored(held.need):
            return
        save, reading = self._store.save, held.reading
        await asyncio.to_thread(
            lambda: save(
                held.need,
                held.document,
                issue_date=reading.window.start,
                next_update=reading.window.end,
                evaluation_number=reading.number,
                fetched_at=at,
            )
        )

    def _is_due(self, held: Held, at: datetime) -> bool:
        window = held.reading.window
        return (
            held.need.vouched
            and held.need.kind in _RENEWED
            and at >= window.end - (window.end - window.start) * self._settings.refresh_part
        )

    def _asked_lately(self, need: Need) -> bool:
        asked = self._refreshed.get(need)
        return asked is not None and self._monotonic() - asked < self._settings.refresh_seconds

    async def _renew(self, held: Held, at: datetime) -> str:
        """Takes a newer document from the store, where another replica may have put it, or from the vendor."""
        stored = await self._load(held.need, at)
        if stored is not None and stored.reading.age > held.reading.age and not self._is_due(stored, at):
            self._memory.keep(stored, at)
            return ""
        try:
            await self._flights.join((held.need, True), lambda: self._ask(held.need, at, known=True))
        except EndorsementUnavailable as error:
            return error.reason
        return ""

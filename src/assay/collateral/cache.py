"""What is remembered: verified documents, and the endorsements made of them."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol

from assay import limits
from assay.errors import EndorsementUnavailable
from assay.evidence.base import Endorsements
from assay.pki.validity import Window, intersection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from assay.collateral.vetting import Held
    from assay.endorsements.documents import Document, Need


class KeptDocument(Protocol):
    """A document as a store gives it back."""

    @property
    def need(self) -> Need: ...

    @property
    def document(self) -> Document: ...


class DocumentStore(Protocol):
    """Verified documents over restarts, called from threads; an owner's are seen by that owner only (CO-24)."""

    def load(self, need: Need, owner: str = "") -> KeptDocument | None:
        """The document kept for exactly this need, or None."""

    def load_all(self, owner: str = "") -> Iterable[KeptDocument]:
        """Every document of an owner."""

    def save(
        self,
        need: Need,
        document: Document,
        *,
        issue_date: datetime,
        next_update: datetime,
        evaluation_number: int | None,
        fetched_at: datetime,
        owner: str = "",
    ) -> bool:
        """Keeps a document; False when an equally new or newer one is kept already (CO-12)."""


class Collected(Endorsements):
    """The endorsements that a collection found; `reasons` says of each need that no good document was found for why.

    `retry_after` are the seconds after which a vendor wants to be asked again, when one said so.
    """

    __slots__ = ("reasons", "retry_after")

    def __init__(
        self, documents: Mapping[Need, Document], reasons: Mapping[Need, str], retry_after: int | None
    ) -> None:
        super().__init__(documents)
        self.reasons, self.retry_after = reasons, retry_after

    def explain(self, error: EndorsementUnavailable) -> EndorsementUnavailable:
        """The verification's error about missing documents, with the reasons why they could not be had."""
        reasons = dict.fromkeys(why for need, why in self.reasons.items() if str(need) in error.documents)
        reason = error.reason or "; ".join(reasons)
        retry_after = error.retry_after if error.retry_after is not None else self.retry_after
        return EndorsementUnavailable(error.documents, verdict=error.verdict, reason=reason, retry_after=retry_after)


@dataclass(frozen=True, slots=True)
class Obtained:
    """What was found for one need; `window` is None for what is no verified and valid document."""

    need: Need
    document: Document | None
    window: Window | None = None
    reason: str = ""
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class _Entry:
    """`until` is the monotonic time up to which an incomplete collection is not tried again."""

    needs: tuple[Need, ...]
    found: tuple[Obtained, ...]
    collected: Collected
    start: datetime
    end: datetime
    until: float | None


_Key = tuple[object, ...]


def _key(needs: Sequence[Need]) -> _Key:
    """Equal for equal needs, vouched for alike; a member of an enumeration by its identity, since its hash is slow."""
    key: list[object] = []
    for need in needs:
        key += (id(need.kind), need.tee, need.platform, need.number, need.vouched)
    return tuple(key)


class Memory:
    """Bounded: at most `limits.DOCUMENTS` documents and `limits.PLATFORMS` collections."""

    __slots__ = ("_entries", "_held", "_monotonic", "_pause")

    def __init__(self, monotonic: Callable[[], float], pause: float) -> None:
        self._monotonic, self._pause = monotonic, pause
        self._held: OrderedDict[Need, Held] = OrderedDict()
        self._entries: OrderedDict[_Key, _Entry] = OrderedDict()

    @property
    def held(self) -> tuple[Held, ...]:
        return tuple(self._held.values())

    def find(self, need: Need, at: datetime) -> Held | None:
        """The verified document for a need that is valid at `at`."""
        held = self._held.get(need)
        return held if held is not None and at in held.window else None

    def keep(self, held: Held, at: datetime) -> Held:
        """Keeps a verified document and returns the one that is kept: an older never replaces a newer (CO-12).

        Only once the newer is no longer valid at `at` does a valid older one take its place, since the vendor serves
        several evaluation numbers at a time and an operator may go back from the early to the standard ones.
        """
        known = self._held.get(held.need)
        if known is not None:
            if known.reading.age >= held.reading.age and at in known.window:
                return known
            self.forget(held.need)
        self._held[held.need] = held
        if len(self._held) > limits.DOCUMENTS:
            self.forget(next(iter(self._held)))
        return held

    def forget(self, need: Need) -> None:
        """Drops a document and the collections that it is part of."""
        self._held.pop(need, None)
        for key in [key for key, entry in self._entries.items() if need in entry.needs]:
            del self._entries[key]

    def forget_collections(self) -> None:
        self._entries.clear()

    def recall(self, needs: Sequence[Need], at: datetime) -> Collected | None:
        """What was collected for these needs, while all of it is valid; an incomplete collection for a short while."""
        entry = self._entries.get(_key(needs))
        if entry is None or not entry.start <= at <= entry.end:
            return None
        if entry.until is not None and self._monotonic() >= entry.until:
            return None
        return entry.collected

    def assemble(self, found: tuple[Obtained, ...], at: datetime) -> Collected:
        """The endorsements made of what was found: the same object as before when nothing changed."""
        needs = tuple(obtained.need for obtained in found)
        key = _key(needs)
        known = self._entries.get(key)
        collected = known.collected if known is not None and known.found == found else _collect(found)
        window, until = self._lifetime(found, at)
        self._entries[key] = _Entry(needs, found, collected, window.start, window.end, until)
        self._entries.move_to_end(key)
        if len(self._entries) > limits.PLATFORMS:
            self._entries.popitem(last=False)
        return collected

    def _lifetime(self, found: Iterable[Obtained], at: datetime) -> tuple[Window, float | None]:
        windows = [obtained.window for obtained in found]
        complete = [window for window in windows if window is not None]
        if len(complete) == len(windows):
            return intersection(complete), None
        return Window(at, at + timedelta(seconds=self._pause)), self._monotonic() + self._pause


def _collect(found: Iterable[Obtained]) -> Collected:
    found = tuple(found)
    waits = [obtained.retry_after for obtained in found if obtained.retry_after is not None]
    return Collected(
        {obtained.need: obtained.document for obtained in found if obtained.document is not None},
        {obtained.need: obtained.reason for obtained in found if obtained.reason},
        max(waits, default=None),
    )


@dataclass(frozen=True, slots=True)
class _Failure:
    until: float
    reason: str
    retry_after: int | None


class Failures:
    """Why documents could not be had lately, so that the same question is not asked again at once; bounded."""

    __slots__ = ("_failures", "_monotonic")

    # A vendor's wish to be left alone is honoured, up to this.
    LONGEST: Final = 300

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._failures: OrderedDict[Need, _Failure] = OrderedDict()

    def remember(self, need: Need, error: EndorsementUnavailable, seconds: float) -> None:
        wait = max(seconds, min(error.retry_after or 0, self.LONGEST))
        self._failures[need] = _Failure(self._monotonic() + wait, error.reason, error.retry_after)
        self._failures.move_to_end(need)
        if len(self._failures) > limits.DOCUMENTS:
            self._failures.popitem(last=False)

    def forget(self, need: Need) -> None:
        self._failures.pop(need, None)

    def require_none(self, need: Need) -> None:
        """Raises `EndorsementUnavailable` anew while a failure is remembered."""
        failure = self._failures.get(need)
        if failure is None:
            return
        left = failure.until - self._monotonic()
        if left <= 0:
            del self._failures[need]
            return
        wait = None if failure.retry_after is None else 1 + int(left)
        raise EndorsementUnavailable((str(need),), reason=failure.reason, retry_after=wait)

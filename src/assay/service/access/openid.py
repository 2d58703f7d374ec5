"""The keys of an OpenID Connect issuer: found by discovery, kept for a while, fetched anew within bounds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from assay import limits
from assay.errors import IssuerUnavailable, LimitExceeded, MalformedToken
from assay.formats import strict_json
from assay.formats.key_set import IssuerKey, KeySet, parse_key_set
from assay.formats.strict_json import JsonError
from assay.service.access.issuer_http import IssuerAnswerError, IssuerHttp
from assay.service.access.terms import TokenTerms
from assay.service.access.trusted_issuer import TrustedIssuer, UnsafeAddress, is_loopback, require_safe

# A key that the issuer withdrew is refused after this time at the latest (TOK-17), while the issuer answers.
REFRESH_SECONDS: Final = 300.0
# Strangers choose the `kid`: it makes us ask the issuer once in this time at most. So often too while it fails.
REFETCH_SECONDS: Final = 10.0
# Keys outlive an issuer that does not answer by a day, and no longer.
KEPT_SECONDS: Final = 86_400.0
# Discovery and key set together; a caller may be waiting.
FETCH_SECONDS: Final = 5.0
log = structlog.get_logger("assay.service.access")


@dataclass(frozen=True, slots=True)
class _Kept:
    """The last key set that was had, where from, and when."""

    keys: KeySet
    url: str
    since: float


class OpenIdKeys:
    """The keys of one trusted issuer, fetched by one task at a time in the event loop that asks."""

    def __init__(self, issuer: TrustedIssuer, monotonic: Callable[[], float]) -> None:
        """Raises `ConfigurationError` for a `ca_file` without certificates."""
        self._issuer, self._monotonic = issuer, monotonic
        self._http = IssuerHttp(issuer.ca_file)
        self._kept: _Kept | None = None
        self._failure: str | None = "not asked yet"
        self._tried: float | None = None
        self._asked_by_caller: float | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def terms(self) -> TokenTerms:
        return self._issuer.terms

    @property
    def key_set_url(self) -> str | None:
        """Where the keys came from, or None while there are none."""
        return None if self._kept is None else self._kept.url

    async def find(self, key_id: str) -> IssuerKey:
        """The issuer's one key with this `kid`, for which the issuer is asked when it is not known, within bounds.

        Raises `TokenRejected` when there is none, and `IssuerUnavailable` when that cannot be said.
        """
        if not self._has(key_id):
            # What is under way may bring it; may also have begun before the issuer had it.
            await self._landed()
        if not self._has(key_id) and self._is_over(self._asked_by_caller, REFETCH_SECONDS):
            self._asked_by_caller = self._monotonic()
            self._begin()
        if not self._has(key_id):
            await self._landed()
        keys = self._current()
        if keys is None or (self._failure is not None and not self._has(key_id)):
            reason = self._failure or "no key set"
            raise IssuerUnavailable(self._issuer.url, reason=reason, retry_after=int(REFETCH_SECONDS))
        return keys.find(key_id)

    def refresh_due(self) -> None:
        """Begins a fetch when one is due, and does not wait for it."""
        pause = REFRESH_SECONDS if self._failure is None else REFETCH_SECONDS
        if self._is_over(self._tried, pause):
            self._begin()

    async def close(self) -> None:
        """Ends the fetch under way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))

    def _current(self) -> KeySet | None:
        kept = self._kept
        return None if kept is None or self._is_over(kept.since, KEPT_SECONDS) else kept.keys

    def _has(self, key_id: str) -> bool:
        keys = self._current()
        return keys is not None and key_id in keys.key_ids

    def _is_over(self, since: float | None, seconds: float) -> bool:
        return since is None or self._monotonic() - since >= seconds

    def _begin(self) -> None:
        if self._task is None or self._task.done():
            self._tried = self._monotonic()
            self._task = asyncio.create_task(self._fetch())

    async def _landed(self) -> None:
        """Waits for the fetch under way, if any; a caller who goes away does not end it."""
        if self._task is not None and not self._task.done():
            await asyncio.wait((self._task,))

    async def _fetch(self) -> None:
        begun = self._monotonic()
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                url = self._issuer.key_set_url or await self._discover()
                keys = parse_key_set(await self._get(url, limits.KEY_SET_BODY))
        except TimeoutError:
            self._fail(f"no answer within {FETCH_SECONDS:g} s")
        except (IssuerAnswerError, MalformedToken, LimitExceeded) as error:
            self._fail(str(error))
        else:
            self._kept, self._failure = _Kept(keys, url, begun), None

    def _fail(self, reason: str) -> None:
        self._failure = reason
        log.warning("issuer's keys not fetched", issuer=self._issuer.url, reason=reason)

    async def _discover(self) -> str:
        issuer = self._issuer
        body = await self._get(issuer.discovery_url, limits.DISCOVERY_DOCUMENT)
        return read_key_set_url(body, issuer.url)

    async def _get(self, url: str, limit: int) -> bytes:
        return await self._http.get(url, limit=limit, seconds=FETCH_SECONDS)


def read_key_set_url(body: bytes, issuer: str) -> str:
    """Where the key set is, as the issuer's discovery document says (OpenID Connect Discovery, 4.2 and 4.3).

    Raises `IssuerAnswerError` for a document of another issuer, and for an address that keys must not come from.
    """
    try:
        members = strict_json.decode_object(body)
    except JsonError as error:
        raise IssuerAnswerError(f"the discovery document: {error}") from error
    if members.get("issuer") != issuer:
        raise IssuerAnswerError(f"the discovery document is of {str(members.get('issuer'))[:200]!r}, not {issuer!r}")
    address = members.get("jwks_uri")
    if not isinstance(address, str):
        raise IssuerAnswerError("the discovery document has no jwks_uri")
    try:
        return require_safe(address, loopback=is_loopback(issuer))
    except UnsafeAddress as error:
        raise IssuerAnswerError(f"the discovery document's jwks_uri {address[:200]!r}: {error}") from error

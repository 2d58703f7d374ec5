"""One bounded GET of a vendor's service, and its repetition (attack case CO-22).

Never: redirects, compressed answers, proxies of the environment, an address out of evidence or certificates (IN-07).
"""

from __future__ import annotations

import asyncio
import re
import ssl
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import stamina

from assay.errors import ConfigurationError, EndorsementUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx2

    from assay.collateral.settings import CollateralSettings
    from assay.endorsements.documents import Need

_TRANSIENT: Final = frozenset({429, 500, 502, 503, 504})
_ABSENT: Final = frozenset({404, 410})
# What a vendor may ask for: longer waits are handed to the caller, but no longer than an hour.
_LONGEST_RETRY_AFTER: Final = 3600
_HEADERS: Final = {"Accept-Encoding": "identity", "User-Agent": "assay"}


class VendorRefusal(EndorsementUnavailable):
    """A service did not give a document; `again` when another attempt may, `absent` when it does not have it."""

    def __init__(
        self, need: Need, reason: str, *, again: bool = False, absent: bool = False, retry_after: int | None = None
    ) -> None:
        super().__init__((str(need),), reason=reason, retry_after=retry_after)
        self.again, self.absent = again, absent


@dataclass(frozen=True, slots=True)
class Query:
    """One thing to GET, for whom, and how long its answer may be."""

    need: Need
    url: str
    parameters: Mapping[str, str]
    limit: int

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete answer with status 200."""

    body: bytes
    headers: httpx2.Headers


class VendorHttp:
    """A client of one vendor's service; `transport` stands in for the network in tests."""

    def __init__(self, settings: CollateralSettings, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        self._settings, self._transport = settings, transport
        self._client: httpx2.AsyncClient | None = None

    async def get(self, query: Query) -> Reply:
        """The answer to a query, in bounded time and size; raises `VendorRefusal`."""
        settings, last = self._settings, ""
        attempts = stamina.retry_context(
            self._backoff,
            attempts=settings.attempts,
            timeout=settings.total_seconds,
            wait_initial=settings.backoff_seconds,
            wait_jitter=settings.backoff_seconds,
        )
        try:
            async with asyncio.timeout(settings.total_seconds):
                async for attempt in attempts:
                    with attempt:
                        try:
                            return await self._attempt(query)
                        except VendorRefusal as error:
                            last = f"; before that: {error.reason}"
                            raise
        except TimeoutError as error:
            reason = f"{query.host}: no answer within {settings.total_seconds:g} s{last}"
            raise VendorRefusal(query.need, reason) from error
        raise AssertionError("the last attempt returns or raises")  # pragma: no cover

    def _backoff(self, error: Exception) -> bool | float:
        if not isinstance(error, VendorRefusal) or not error.again:
            return False
        if error.retry_after is None:
            return True
        return float(error.retry_after) if error.retry_after < self._settings.total_seconds else False

    async def _attempt(self, query: Query) -> Reply:
        from httpx2 import HTTPError  # noqa: PLC0415  # a tenth of the service's start, and mostly nothing is fetched

        try:
            async with asyncio.timeout(self._settings.attempt_seconds):
                return await self._send(query)
        except TimeoutError as error:
            reason = f"{query.host}: no answer within {self._settings.attempt_seconds:g} s"
            raise VendorRefusal(query.need, reason, again=True) from error
        except HTTPError as error:
            reason = f"{query.host}: {type(error).__name__}: {error}"
            raise VendorRefusal(query.need, reason, again=not _is_distrust(error)) from error

    async def _send(self, query: Query) -> Reply:
        async with self._opened().stream("GET", query.url, params=query.parameters) as response:
            self._require_answer(query, response)
            body = bytearray()
            async for part in response.aiter_raw():
                body += part
                if len(body) > query.limit:
                    raise self._refused(query, f"an answer of more than {query.limit} octets")
            return Reply(bytes(body), response.headers)

    def _require_answer(self, query: Query, response: httpx2.Response) -> None:
        status = response.status_code
        if status in _TRANSIENT:
            wait = _retry_after(response.headers)
            raise VendorRefusal(query.need, f"{query.host}: HTTP {status}", again=True, retry_after=wait)
        if status in _ABSENT:
            raise VendorRefusal(query.need, f"{query.host}: HTTP {status}, no such document", absent=True)
        if 300 <= status < 400:
            raise self._refused(query, f"HTTP {status}: redirects are not followed")
        if status != 200:
            raise self._refused(query, f"HTTP {status}")
        encodings = response.headers.get_list("content-encoding")
        if any(encoding.strip().lower() not in ("", "identity") for encoding in encodings):
            raise self._refused(query, "an answer in a content encoding that was not asked for")
        declared = response.headers.get("content-length", "0")
        if not declared.isdecimal() or int(declared[:20]) > query.limit:
            raise self._refused(query, f"an answer of more than {query.limit} octets")

    def _refused(self, query: Query, problem: str) -> VendorRefusal:
        return VendorRefusal(query.need, f"{query.host}: {problem}")

    def _opened(self) -> httpx2.AsyncClient:
        if self._client is None:
            from httpx2 import AsyncClient, Limits  # noqa: PLC0415  # as above

            self._client = AsyncClient(
                headers=_HEADERS,
                follow_redirects=False,
                trust_env=False,
                timeout=self._settings.attempt_seconds,
                limits=Limits(max_connections=self._settings.concurrency),
                proxy=self._settings.proxy,
                transport=self._transport,
                verify=_tls(self._settings),
            )
        return self._client

    async def close(self) -> None:
        """Ends the connections; the next query opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()


def _tls(settings: CollateralSettings) -> ssl.SSLContext:
    if settings.ca_file is None:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cafile=settings.ca_file)
    except OSError as error:  # ssl.SSLError among them
        raise ConfigurationError(f"collateral ca_file {settings.ca_file.name}: {error}") from error


def _is_distrust(error: BaseException | None) -> bool:
    """The server's certificate is not believed: another attempt would not change that."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _retry_after(headers: httpx2.Headers) -> int | None:
    """The seconds of a Retry-After header, a date taken as distance from the answer's own Date (RFC 9110, 10.2.3)."""
    value = headers.get("retry-after", "")
    if re.fullmatch(r"[0-9]{1,9}", value):
        return min(int(value), _LONGEST_RETRY_AFTER)
    try:
        distance = parsedate_to_datetime(value) - parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError):
        return None
    return min(max(0, int(distance.total_seconds())), _LONGEST_RETRY_AFTER)

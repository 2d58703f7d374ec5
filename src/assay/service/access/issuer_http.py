"""One bounded GET of an issuer's documents.

Never: redirects, compressed answers, proxies of the environment, an address out of a token (IN-07, TOK-03).
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Final

from assay.errors import ConfigurationError

if TYPE_CHECKING:
    import httpx2

_HEADERS: Final = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "assay"}


class IssuerAnswerError(Exception):
    """The issuer did not give a document; the text says why, for the log."""


class IssuerHttp:
    """A client of one issuer, with its own trust in TLS; the caller bounds the time."""

    def __init__(self, ca_file: Path | None) -> None:
        """Raises `ConfigurationError` for a file without certificates."""
        self._tls = _tls(ca_file)

    async def get(self, url: str, *, limit: int, seconds: float) -> bytes:
        """The body of an answer with status 200, at most `limit` octets; raises `IssuerAnswerError`."""
        from httpx2 import AsyncClient, HTTPError, InvalidURL, StreamError  # noqa: PLC0415  # a tenth of the service's start, and mostly nothing is fetched

        # Opened for each fetch: they are minutes apart, and nothing is left to close.
        client = AsyncClient(
            headers=_HEADERS, follow_redirects=False, trust_env=False, timeout=seconds, verify=self._tls
        )
        try:
            async with client, client.stream("GET", url) as response:
                _require_answer(response)
                body = bytearray()
                async for part in response.aiter_raw():
                    body += part
                    if len(body) > limit:
                        raise IssuerAnswerError(f"{url}: an answer of more than {limit} octets")
                return bytes(body)
        except (HTTPError, InvalidURL, StreamError) as error:
            raise IssuerAnswerError(f"{url}: {type(error).__name__}: {error}") from error


def _require_answer(response: httpx2.Response) -> None:
    status, url = response.status_code, response.url
    if 300 <= status < 400:
        raise IssuerAnswerError(f"{url}: HTTP {status}: redirects are not followed")
    if status != 200:
        raise IssuerAnswerError(f"{url}: HTTP {status}")
    if response.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise IssuerAnswerError(f"{url}: a compressed answer, which was not asked for")


def _tls(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # ssl.SSLError among them
        raise ConfigurationError(f"ca_file {ca_file}: not a file of certificates ({error})") from error

"""The client over HTTP, blocking and asynchronous: two thin shells around `protocol` (extra `client`)."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Final, Self, TypeVar

import httpx2

from assay import clock
from assay.client import protocol
from assay.client.protocol import API_VERSION, Answer, Call, ConnectionFailed, Metadata, Reply
from assay.errors import ConfigurationError, LimitExceeded
from assay.evidence import find_evidence_type
from assay.evidence.base import Submission
from assay.evidence.held_data import held_data

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from assay.formats.key_set import KeySet

# Own: the service's own deadline for fetching endorsements is shorter.
TIMEOUT: Final = 30.0
# Compressed answers are not asked for and not read: what arrives is what counts against the limit (IN-05).
_HEADERS: Final = {"accept-encoding": "identity", "user-agent": "assay-client"}

ReadT = TypeVar("ReadT")


def submission(
    evidence: bytes,
    *,
    runtime_data: bytes | None = None,
    runtime_data_type: str = "Binary",
    init_time_data: bytes | None = None,
    init_time_data_type: str = "Binary",
    draft_policy: str | None = None,
    nonce: str | None = None,
    event_log: bytes | None = None,
) -> Submission:
    """What `attest` sends; raises `MalformedRequest` for held data that is not of its stated type."""
    runtime = None if runtime_data is None else held_data(runtime_data, runtime_data_type, "runtimeData")
    init_time = None if init_time_data is None else held_data(init_time_data, init_time_data_type, "initTimeData")
    return Submission(evidence, runtime, init_time, nonce, draft_policy, event_log)


def _attest_call(base: str, kind: str, sent: Submission, *, explain: bool, api_version: str) -> Call:
    found = find_evidence_type(kind)
    if found is None:
        raise ConfigurationError(f"no evidence type is called {kind!r}")
    return protocol.attest_call(base, found, sent, explain=explain, api_version=api_version)


def _tls(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"{ca_file}: not a file of certificates ({error})") from error


def _headers(call: Call, bearer: str | None) -> dict[str, str]:
    authorization = {} if bearer is None else {"authorization": f"Bearer {bearer}"}
    return {**_HEADERS, **authorization, **call.headers}


class _Body:
    """Collects the octets of an answer up to the limit of its call and until the deadline."""

    def __init__(self, call: Call, response: httpx2.Response, deadline: float) -> None:
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise ConnectionFailed(f"{call.url}: a compressed answer, which nobody asked for")
        self._call, self._response, self._deadline = call, response, deadline
        self._content = bytearray()

    def add(self, chunk: bytes) -> None:
        self._content += chunk
        if len(self._content) > self._call.answer_limit:
            raise LimitExceeded(f"answer of {self._call.url}, octets", limit=self._call.answer_limit)
        if clock.monotonic() > self._deadline:
            raise ConnectionFailed(f"{self._call.url}: the answer took too long")

    def reply(self) -> Reply:
        headers = {name.lower(): value for name, value in self._response.headers.items()}
        return Reply(self._response.status_code, headers, bytes(self._content))


def _failed(call: Call, error: httpx2.HTTPError | httpx2.InvalidURL | httpx2.StreamError) -> ConnectionFailed:
    return ConnectionFailed(f"{call.url}: {error or type(error).__name__}")


class Client:
    """A blocking client of the service at `url`, whose TLS certificate `ca_file` vouches for (else the system's CAs).

    Nothing is taken from the environment; redirects are not followed; an answer has `timeout` seconds in all. Use it
    in a `with` statement. Every method raises `ServiceRefused` for a refusal of the service, `ConnectionFailed`
    when there is no usable answer, `ConfigurationError` for arguments that cannot work.
    """

    def __init__(
        self,
        url: str,
        *,
        ca_file: Path | None = None,
        timeout: float = TIMEOUT,
        bearer: str | None = None,
        api_version: str = API_VERSION,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self.url = protocol.endpoint(url)
        self._bearer, self._api_version, self._timeout = bearer, api_version, timeout
        self._http = httpx2.Client(verify=_tls(ca_file), timeout=timeout, trust_env=False, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def attest(
        self,
        kind: str,
        evidence: bytes,
        *,
        runtime_data: bytes | None = None,
        runtime_data_type: str = "Binary",
        draft_policy: str | None = None,
        nonce: str | None = None,
    ) -> str:
        """The token for evidence of a type (a wire name); verify it with `verify_token` before believing it."""
        sent = submission(
            evidence,
            runtime_data=runtime_data,
            runtime_data_type=runtime_data_type,
            draft_policy=draft_policy,
            nonce=nonce,
        )
        return self.submit(kind, sent).token

    def submit(self, kind: str, sent: Submission, *, explain: bool = False) -> Answer:
        """The answer to a whole submission, with the service's verdict when `explain`."""
        call = _attest_call(self.url, kind, sent, explain=explain, api_version=self._api_version)
        return self.do(call, protocol.read_answer)

    def key_set(self) -> KeySet:
        """The issuer's keys, from `<url>/certs`."""
        return self.do(protocol.key_set_call(self.url), protocol.read_key_set)

    def metadata(self) -> Metadata:
        """The discovery document, which must be that of this very URL."""
        return self.do(protocol.metadata_call(self.url), lambda reply: protocol.read_metadata(reply, self.url))

    def discovered_key_set(self) -> KeySet:
        """The issuer's keys, from where its discovery document says, at the same origin."""
        return self.do(protocol.key_set_call_of(self.metadata()), protocol.read_key_set)

    def do(self, call: Call, read: Callable[[Reply], ReadT]) -> ReadT:
        """Any call, as `administration` makes them, and what `read` makes of its answer."""
        deadline = clock.monotonic() + self._timeout
        try:
            with self._http.stream(
                call.method, call.url, content=call.body or None, headers=_headers(call, self._bearer)
            ) as response:
                body = _Body(call, response, deadline)
                for chunk in response.iter_raw():
                    body.add(chunk)
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError) as error:
            raise _failed(call, error) from error
        return read(body.reply())


class AsyncClient:
    """The same client for asyncio; use it in an `async with` statement."""

    def __init__(
        self,
        url: str,
        *,
        ca_file: Path | None = None,
        timeout: float = TIMEOUT,
        bearer: str | None = None,
        api_version: str = API_VERSION,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self.url = protocol.endpoint(url)
        self._bearer, self._api_version, self._timeout = bearer, api_version, timeout
        self._http = httpx2.AsyncClient(verify=_tls(ca_file), timeout=timeout, trust_env=False, transport=transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.aclose()

    async def attest(
        self,
        kind: str,
        evidence: bytes,
        *,
        runtime_data: bytes | None = None,
        runtime_data_type: str = "Binary",
        draft_policy: str | None = None,
        nonce: str | None = None,
    ) -> str:
        """As `Client.attest`."""
        sent = submission(
            evidence,
            runtime_data=runtime_data,
            runtime_data_type=runtime_data_type,
            draft_policy=draft_policy,
            nonce=nonce,
        )
        return (await self.submit(kind, sent)).token

    async def submit(self, kind: str, sent: Submission, *, explain: bool = False) -> Answer:
        """As `Client.submit`."""
        call = _attest_call(self.url, kind, sent, explain=explain, api_version=self._api_version)
        return await self.do(call, protocol.read_answer)

    async def key_set(self) -> KeySet:
        """As `Client.key_set`."""
        return await self.do(protocol.key_set_call(self.url), protocol.read_key_set)

    async def metadata(self) -> Metadata:
        """As `Client.metadata`."""
        return await self.do(protocol.metadata_call(self.url), lambda reply: protocol.read_metadata(reply, self.url))

    async def discovered_key_set(self) -> KeySet:
        """As `Client.discovered_key_set`."""
        return await self.do(protocol.key_set_call_of(await self.metadata()), protocol.read_key_set)

    async def do(self, call: Call, read: Callable[[Reply], ReadT]) -> ReadT:
        """As `Client.do`."""
        deadline = clock.monotonic() + self._timeout
        try:
            async with (
                asyncio.timeout(self._timeout),
                self._http.stream(
                    call.method, call.url, content=call.body or None, headers=_headers(call, self._bearer)
                ) as response,
            ):
                body = _Body(call, response, deadline)
                async for chunk in response.aiter_raw():
                    body.add(chunk)
        except TimeoutError as error:
            raise ConnectionFailed(f"{call.url}: the answer took too long") from error
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError) as error:
            raise _failed(call, error) from error
        return read(body.reply())

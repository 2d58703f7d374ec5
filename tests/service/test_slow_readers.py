"""Callers that ask and do not read the answers are cut off (attack case IN-08); those that read late are not."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING

import pytest
import uvicorn
from starlette.requests import Request
from uvicorn.server import ServerState

from assay.service import protocol
from assay.service.context import REQUEST_ID
from assay.service.responses import json_response

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import Receive, Scope, Send

# More than the buffers of a connection on this machine hold.
BODY = b"x" * (32 << 20)
REQUEST = b"GET /certs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


async def large_answer(scope: Scope, receive: Receive, send: Send) -> None:
    scope[REQUEST_ID] = "request"
    await json_response(Request(scope, receive), BODY)(scope, receive, send)


class Watched(protocol.BoundedProtocol):
    """The protocol, which says when its caller does not keep up, and when the connection is gone."""

    def __init__(self, paused: asyncio.Event, lost: asyncio.Event, config: uvicorn.Config, state: ServerState) -> None:
        super().__init__(config, state, {})
        self._paused, self._lost = paused, lost

    def pause_writing(self) -> None:
        super().pause_writing()
        self._paused.set()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._lost.set()


@asynccontextmanager
async def asked() -> AsyncIterator[tuple[socket.socket, asyncio.Event]]:
    """A caller whose answer waits for it to read, and when the service gives up on it."""
    config = uvicorn.Config(large_answer, http=protocol.BoundedProtocol, lifespan="off", log_config=None)
    config.load()
    paused, lost, loop = asyncio.Event(), asyncio.Event(), asyncio.get_running_loop()
    server = await loop.create_server(lambda: Watched(paused, lost, config, ServerState()), "127.0.0.1", 0)
    async with server, asyncio.timeout(20):
        with closing(socket.socket()) as caller:
            caller.setblocking(False)
            await loop.sock_connect(caller, server.sockets[0].getsockname())
            await loop.sock_sendall(caller, REQUEST)
            await paused.wait()
            yield caller, lost


async def read_all(caller: socket.socket) -> bytes:
    received = bytearray()
    loop = asyncio.get_running_loop()
    try:
        while octets := await loop.sock_recv(caller, 1 << 20):
            received += octets
    except ConnectionError:
        pass
    return bytes(received)


def test_a_caller_that_does_not_read_its_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "WRITE_SECONDS", 0.05)

    async def call() -> bytes:
        async with asked() as (caller, lost):
            await lost.wait()
            return await read_all(caller)

    assert len(asyncio.run(call())) < len(BODY)


def test_a_caller_that_reads_late_gets_all_of_it() -> None:
    async def call() -> bytes:
        async with asked() as (caller, _lost):
            return await read_all(caller)

    head, _, body = asyncio.run(call()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert body == BODY

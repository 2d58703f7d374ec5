"""The HTTP/1.1 protocol with bounds on what comes before a request is understood (attack case IN-08)."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from assay.service.requests import BODY_ARRIVED

HEADER_SECONDS: Final = 10.0
HEADER_OCTETS: Final = 64 << 10
WRITE_SECONDS: Final = 20.0


class BoundedProtocol(HttpToolsProtocol):
    """Closes a connection whose headers come too slowly or grow too large, or whose caller does not read the answer."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._waiting: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None
        self._header_octets = 0
        self._in_headers = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        self._headers_came()
        self._flowing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._waiting is not None:
            self._header_octets += len(data)
        super().data_received(data)
        # Mostly headers come whole, and need no timer.
        if self._in_headers and self._waiting is None:
            self._await_headers()
        if self._waiting is not None and self._header_octets > HEADER_OCTETS:
            self._headers_came()
            self.transport.close()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_headers = True

    def on_headers_complete(self) -> None:
        self._in_headers = False
        self._headers_came()
        super().on_headers_complete()
        # The answer to HEAD has no body that the head could wait for.
        if self.scope["method"] != "HEAD":
            self.cycle.transport = _Answer(self.transport, self.cycle)  # type: ignore[assignment]

    def on_message_complete(self) -> None:
        self.scope[BODY_ARRIVED] = True  # type: ignore[typeddict-unknown-key]
        super().on_message_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled = self.loop.call_later(WRITE_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        self._flowing()
        super().resume_writing()

    def _flowing(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _await_headers(self) -> None:
        self._header_octets = 0
        self._waiting = self.loop.call_later(HEADER_SECONDS, self._give_up)

    def _headers_came(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _give_up(self) -> None:
        self._waiting = None
        if not self.transport.is_closing():
            self.transport.close()


class _Answer:
    """The transport of one answer: its head and its body leave in one write, one TLS record and one packet."""

    __slots__ = ("_cycle", "_head", "_transport")

    def __init__(self, transport: asyncio.Transport, cycle: RequestResponseCycle) -> None:
        self._transport, self._cycle = transport, cycle
        self._head = b""

    def write(self, octets: bytes) -> None:
        if self._head:
            self._transport.write(self._head + octets)
            self._head = b""
        elif self._cycle.response_started:
            self._head = octets
        else:
            self._transport.write(octets)  # 100 Continue is waited for

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def close(self) -> None:
        if self._head:
            self._transport.write(self._head)
        self._transport.close()

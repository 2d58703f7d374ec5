"""One TLS connection on which octets are sent as they are, and answers read."""

from __future__ import annotations

import http.client
import json
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from tests.service.running import Running, trusting

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Connection:
    """Closed by the `with` block; `answer` raises `http.client.BadStatusLine` where the service says nothing."""

    def __init__(self, service: Running, *, ca: Path | None = None, timeout: float = 20) -> None:
        self._context = trusting(ca or service.ca)
        self._address = ("127.0.0.1", service.port)
        self._timeout = timeout

    def __enter__(self) -> Self:
        plain = socket.create_connection(self._address, self._timeout)
        self.socket = self._context.wrap_socket(plain, server_hostname="localhost")
        return self

    def __exit__(self, *_error: object) -> None:
        self.socket.close()

    def send(self, octets: bytes) -> None:
        self.socket.sendall(octets)

    def answer(self, method: str = "POST") -> Answer:
        response = http.client.HTTPResponse(self.socket, method=method)
        try:
            response.begin()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            response.close()

    def ask(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        lines = {"Host": "localhost", "Content-Length": str(len(body)), **(headers or {})}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self.send(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body)
        return self.answer(method)

    def is_closed(self, seconds: float) -> bool:
        """Whether the other side ends the connection in this time without saying anything."""
        self.socket.settimeout(seconds)
        try:
            return self.socket.recv(1) == b""
        except TimeoutError:
            return False
        except OSError:
            return True

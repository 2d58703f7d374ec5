"""Answers: JSON with the headers that the real service sends (rest-api 2.3)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from random import Random
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from assay._version import __version__
from assay.formats import strict_json
from assay.formats.strict_json import JsonValue
from assay.service.errors import Refusal
from assay.service.requests import header

Headers = list[tuple[bytes, bytes]]
SendWhole = Callable[[int, Headers, bytes], Awaitable[None]]
# Set in the scope by a protocol that takes status, headers and body of an answer at once.
SEND_WHOLE: Final = "assay.send_whole"
_JSON: Final = (b"content-type", b"application/json; charset=utf-8")
_VERSION: Final = (b"x-ms-maa-service-version", f"assay-{__version__}".encode("ascii"))
_NO_SNIFF: Final = (b"x-content-type-options", b"nosniff")
# Verification calls are open to browsers; nothing in them depends on a cookie (rest-api 2.3).
_CORS: Final = (b"access-control-allow-origin", b"*")
_PREFLIGHT: Final = (
    _CORS,
    (b"access-control-allow-methods", b"GET, POST"),
    (b"access-control-allow-headers", b"content-type, x-ms-client-request-id, authorization"),
    (b"access-control-max-age", b"86400"),
)


class _Answer(Response):
    """A response of which everything is known; the framework's own constructor would derive headers from a body."""

    def __init__(self, status: int, headers: Headers, body: bytes = b"") -> None:
        self.status_code, self.raw_headers, self.body = status, headers, body
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Whole where the server can take it so, else as ASGI has it, in two messages."""
        send_whole: SendWhole | None = scope.get(SEND_WHOLE)
        if send_whole is None:
            await super().__call__(scope, receive, send)
        else:
            await send_whole(self.status_code, self.raw_headers, bytes(self.body))


def request_identifier() -> str:
    """A new identifier in the shape of a W3C traceparent: unique, and no secret."""
    return f"00-{_RANDOM.getrandbits(128):032x}-{_RANDOM.getrandbits(64):016x}-00"


# Seeded by the system, in each process anew: quicker than asking the system for every identifier.
_RANDOM: Final = Random()  # noqa: S311  # identifies, protects nothing


def json_response(
    request: Request, body: bytes, *, status: int = 200, headers: Iterable[tuple[str, str]] = (), cors: bool = True
) -> Response:
    """A JSON answer from its encoded body."""
    raw = [_JSON, (b"content-length", str(len(body)).encode("ascii")), *_common(request)]
    if cors:
        raw.append(_CORS)
    raw.extend((name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers)
    return _Answer(status, raw, body)


def empty_response(request: Request, status: int = 204, *, preflight: bool = False) -> Response:
    """An answer without a body."""
    return _Answer(status, [*_common(request), *(_PREFLIGHT if preflight else ())])


def refusal_response(request: Request, refusal: Refusal) -> Response:
    """An error in the wire's form; `x-ms-error-code` repeats its code."""
    headers = (("x-ms-error-code", refusal.code), *refusal.headers)
    return json_response(request, encode(refusal.body), status=refusal.status, headers=headers)


def encode(value: Mapping[str, JsonValue] | str) -> bytes:
    """The outer body: compact JSON, members in the order given (`{"token":"..."}`)."""
    return strict_json.encode_ordered(value)


def encode_token(token: str) -> bytes:
    """As `encode({"token": token})`: the alphabet of a token (RFC 7515, section 7.1) needs no escape in JSON."""
    return b'{"token":"%b"}' % token.encode("ascii")


def _common(request: Request) -> list[tuple[bytes, bytes]]:
    identifier = request.scope["assay.request_id"]
    headers = [(b"x-ms-request-id", identifier.encode("ascii")), _VERSION, _NO_SNIFF]
    echoed = header(request, b"x-ms-client-request-id")
    if echoed and len(echoed) <= 64 and echoed.isascii() and echoed.isprintable():
        headers.append((b"x-ms-client-request-id", echoed.encode("ascii")))
    return headers

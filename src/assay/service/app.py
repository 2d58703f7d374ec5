"""The routes and their wiring."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from assay.errors import AssayError
from assay.service.attest import attest
from assay.service.errors import HttpRefusal, encode_error, internal_error
from assay.service.responses import empty_response, json_response, refusal_response, request_identifier
from assay.service.state import ServiceState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import ASGIApp, Receive, Scope, Send

_SLASHES: Final = re.compile(r"/{2,}")
Handler = Callable[[Request], Awaitable[Response]]
log = structlog.get_logger("assay.service")


def create_app(state: ServiceState) -> ASGIApp:
    """The ASGI application over a process's state."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with state.running():
            yield

    app = Starlette(lifespan=lifespan)
    app.state.service = state
    return _Dispatcher(app)


def _operations() -> Mapping[str, Handler]:
    """The operations by path; those of attestation are followed by the type."""
    return {
        "/attest/": _guarded(attest, "POST"),
        # 2018-09-01-preview (rest-api 12).
        "/attest/tee/": _guarded(attest, "POST"),
        "/certs": _guarded(_certs, "GET"),
        "/.well-known/openid-configuration": _guarded(_discovery, "GET"),
        "/servicehealth": _guarded(_service_health, "GET"),
        "/livez": _guarded(_alive, "GET"),
        "/readyz": _guarded(_ready, "GET"),
    }


def _guarded(handler: Handler, method: str) -> Handler:
    """A handler that answers `method`, preflights, and every error through the one table."""

    async def answer(request: Request) -> Response:
        try:
            if method and request.method == "OPTIONS":
                return empty_response(request, preflight=True)
            if method and request.method != method and not (request.method == "HEAD" and method == "GET"):
                allow = (("Allow", f"{method}, OPTIONS"),)
                raise HttpRefusal(405, "MethodNotAllowed", f"{request.method} is not {method}", allow)
            return await handler(request)
        except AssayError as error:
            return _refuse(request, error)
        except Exception as error:  # noqa: BLE001  # the one place: anything unforeseen is a bug, answered with 500
            return _report_bug(request, error)

    return answer


def _refuse(request: Request, error: AssayError) -> Response:
    refusal = encode_error(error)
    if refusal is None:
        return _report_bug(request, error)
    log.info(
        "refused",
        status=refusal.status,
        code=error.code,
        check=getattr(error, "check", None),
        path=request.scope["path"][:100],
        request_id=request.scope["assay.request_id"],
    )
    return refusal_response(request, refusal)


def _report_bug(request: Request, error: Exception) -> Response:
    identifier = request.scope["assay.request_id"]
    # The traceback names code, never evidence: locals are not logged.
    log.error("bug", request_id=identifier, error=type(error).__name__, exc_info=error)
    return refusal_response(request, internal_error(identifier))


async def _certs(request: Request) -> Response:
    return json_response(request, _state(request).provider.key_set)


async def _discovery(request: Request) -> Response:
    return json_response(request, _state(request).provider.discovery)


async def _service_health(request: Request) -> Response:
    return empty_response(request)


async def _alive(request: Request) -> Response:
    return json_response(request, b'{"status":"alive"}')


async def _ready(request: Request) -> Response:
    if not _state(request).ready:
        raise HttpRefusal(503, "NotReady", "starting or stopping", (("Retry-After", "1"),))
    return json_response(request, b'{"status":"ready"}')


def _state(request: Request) -> ServiceState:
    state: ServiceState = request.app.state.service
    return state


async def _unknown(request: Request) -> Response:
    raise HttpRefusal(404, "NotFound", f"no operation at {request.scope['path'][:100]!r}")


async def _malformed(_request: Request) -> Response:
    raise HttpRefusal(400, "InvalidParameter", "exactly one Host header is required (RFC 9112, 3.2)")


class _Dispatcher:
    """Finds the operation of a path; paths compare without regard to case, repeated slashes collapse (rest-api 2.1).

    A dictionary rather than a list of patterns: an attest call spends no time here.
    """

    def __init__(self, app: Starlette) -> None:
        self._app = app
        self._operations = _operations()
        self._unknown = _guarded(_unknown, "")
        self._malformed = _guarded(_malformed, "")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["app"] = self._app
        scope["assay.request_id"] = request_identifier()
        request = Request(scope, receive)
        response = await self._find(scope)(request)
        await response(scope, receive, send)

    def _find(self, scope: Scope) -> Handler:
        path = scope["path"]
        # A slash or letter that a proxy's rules would read otherwise is no spelling of an operation.
        if not path.isascii() or b"%2f" in scope["raw_path"].lower():
            return self._unknown
        if scope["http_version"] == "1.1" and sum(name == b"host" for name, _ in scope["headers"]) != 1:
            return self._malformed
        path = path.lower()
        if "//" in path:
            path = _SLASHES.sub("/", path)
        path = path.rstrip("/")
        if path.startswith("/attest/"):
            parent, _, name = path.rpartition("/")
            scope["path_params"] = {"type": name}
            path = parent + "/"
        return self._operations.get(path, self._unknown)

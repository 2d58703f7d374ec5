"""The application: who is addressed, what is asked, who may; and every error through the one table."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import structlog
from starlette.applications import Starlette
from starlette.requests import Request

from assay.errors import AssayError
from assay.service.authorisation import authorise, require_network
from assay.service.context import PROVIDER, REQUEST_ID, STATE, state_of
from assay.service.errors import HttpRefusal, encode_error, internal_error
from assay.service.operations import CONTROL_PLANE, Operation, find_operations
from assay.service.responses import empty_response, refusal_response, request_identifier
from assay.service.state import ServiceState
from assay.service.trail import TRAIL, Trail, trail_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

_SLASHES: Final = re.compile(r"/{2,}")
log = structlog.get_logger("assay.service")


def create_app(state: ServiceState) -> ASGIApp:
    """The ASGI application over a process's state."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with state.running():
            yield

    return _Application(Starlette(lifespan=lifespan), state)


class _Application:
    """Paths compare without regard to case, repeated slashes collapse (rest-api 2.1).

    A dictionary rather than a list of patterns finds the operation: an attest call spends no time here.
    """

    def __init__(self, app: Starlette, state: ServiceState) -> None:
        self._app, self._state = app, state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope[STATE] = self._state
        scope[REQUEST_ID] = identifier = request_identifier()
        client = scope.get("client")
        scope[TRAIL] = Trail(self._state.audit, identifier, client[0] if client else "")
        request = Request(scope, receive)
        response = await self._answer(request)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        try:
            return await self._perform(request)
        except AssayError as error:
            refused: AssayError | None = error
            response = _refuse(request, error)
        except Exception as error:  # noqa: BLE001  # the one place: anything unforeseen is a bug, answered with 500
            refused = None
            response = _report_bug(request, error)
        try:
            await trail_of(request).record_refused(refused, response.status_code)
        except AssayError as error:
            return _refuse(request, error)
        return response

    async def _perform(self, request: Request) -> Response:
        scope = request.scope
        operations = self._find(scope)
        method = request.method
        if method == "OPTIONS":
            return empty_response(request, preflight=True)
        operation = operations.get("GET" if method == "HEAD" else method)
        trail = trail_of(request)
        if operation is None:
            known = ", ".join((*operations, "OPTIONS"))
            raise HttpRefusal(405, "MethodNotAllowed", f"{method} is not one of {known}", (("Allow", known),))
        trail.provider, trail.operation = scope[PROVIDER].name, operation.name
        require_network(request, scope[PROVIDER])
        if operation.action is not None:
            await authorise(request, operation.action)
        return await operation.answer(request)

    def _find(self, scope: Scope) -> Mapping[str, Operation]:
        """The operations at the path; notes the provider and the attestation type. Raises `HttpRefusal`."""
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if scope["http_version"] == "1.1" and len(hosts) != 1:
            raise HttpRefusal(400, "InvalidParameter", "exactly one Host header is required (RFC 9112, 3.2)")
        path = scope["path"]
        # A slash or letter that a proxy's rules would read otherwise is no spelling of an operation.
        if path.isascii() and b"%2f" not in scope["raw_path"].lower():
            path = path.lower()
            if "//" in path:
                path = _SLASHES.sub("/", path)
            host = hosts[0].decode("latin-1").lower() if hosts else ""
            provider, path = self._state.providers.find(host, path.rstrip("/"))
            operations, name = find_operations(path) if provider is not None else (None, "")
            if operations is CONTROL_PLANE and provider is not self._state.providers.default:
                operations = None  # the resource provider is the installation's, not a provider's
            if operations is not None:
                scope[PROVIDER] = provider
                scope["path_params"] = {"type": name}
                return operations
        raise HttpRefusal(404, "NotFound", f"no operation at {scope['path'][:100]!r}")


def _refuse(request: Request, error: AssayError) -> Response:
    refusal = encode_error(error, state_of(request).challenge)
    if refusal is None:
        return _report_bug(request, error)
    log.info(
        "refused",
        status=refusal.status,
        code=error.code,
        check=getattr(error, "check", None),
        path=request.scope["path"][:100],
        request_id=request.scope[REQUEST_ID],
    )
    return refusal_response(request, refusal)


def _report_bug(request: Request, error: Exception) -> Response:
    identifier = request.scope[REQUEST_ID]
    # The traceback names code, never evidence: locals are not logged.
    log.error("bug", request_id=identifier, error=type(error).__name__, exc_info=error)
    return refusal_response(request, internal_error(identifier))

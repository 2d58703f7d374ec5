"""Answers that anybody gets: keys, discovery document, health (rest-api 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.service.context import provider_of, state_of
from assay.service.errors import HttpRefusal
from assay.service.responses import empty_response, json_response

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response


async def certs(request: Request) -> Response:
    """GET /certs: the key set."""
    return json_response(request, provider_of(request).key_set)


async def discovery(request: Request) -> Response:
    """GET /.well-known/openid-configuration."""
    return json_response(request, provider_of(request).discovery)


async def service_health(request: Request) -> Response:
    """GET /servicehealth: 204 (rest-api 4.1)."""
    return empty_response(request)


async def alive(request: Request) -> Response:
    """GET /livez: the process answers."""
    return json_response(request, b'{"status":"alive"}')


async def ready(request: Request) -> Response:
    """GET /readyz: the process answers and is not stopping."""
    if not state_of(request).ready:
        raise HttpRefusal(503, "NotReady", "starting or stopping", (("Retry-After", "1"),))
    return json_response(request, b'{"status":"ready"}')

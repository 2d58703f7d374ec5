"""GET /tcbbaselines/{type}: the TCB evaluation data numbers that a policy may choose (rest-api 10)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from assay.service.errors import HttpRefusal


async def list_baselines(request: Request) -> Response:
    raise HttpRefusal(404, "NotFound", "not here yet")

"""Reading a request: api-version, body, members, each bounded (rest-api 2)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from starlette.requests import ClientDisconnect, Request

from assay import limits
from assay.errors import MalformedRequest
from assay.formats import strict_json
from assay.formats.strict_json import JsonError, JsonValue
from assay.service.errors import HttpRefusal

LEGACY_VERSION: Final = "2018-09-01-preview"
# rest-api 2.1.4: every known version on every path.
API_VERSIONS: Final = frozenset(
    {
        LEGACY_VERSION,
        "2020-10-01",
        "2022-08-01",
        "2022-09-01-preview",
        "2023-04-01-preview",
        "2025-06-01",
        "2026-03-11-preview",
    }
)
BODY_SECONDS: Final = 20.0
# Clients send application/json; the policy calls of some send text/plain (rest-api 8.2).
_TYPES: Final = ("application/json", "text/json", "text/plain")


def require_api_version(request: Request) -> str:
    """The request's api-version, compared literally; raises `HttpRefusal` 400 (rest-api 2.2)."""
    version = request.query_params.get("api-version")
    if not version:
        raise HttpRefusal(400, "ApiVersionUnspecified", "the query parameter api-version is required")
    if version not in API_VERSIONS:
        known = ", ".join(sorted(API_VERSIONS))
        raise HttpRefusal(400, "UnsupportedApiVersion", f"api-version {version[:40]!r} is none of {known}")
    return version


async def read_members(request: Request, limit: int = limits.REQUEST_BODY) -> Mapping[str, JsonValue]:
    """The members of a JSON object in the body, their names in lower case (rest-api 2.1.3).

    Raises `MalformedRequest`, and `HttpRefusal` for size (413), encoding or type (415) and slowness (408).
    """
    _require_type(request)
    body = await read_body(request, limit)
    try:
        members = strict_json.decode_object(body)
    except JsonError as error:
        raise MalformedRequest("body", str(error)) from error
    return {name.lower(): value for name, value in members.items()}


def _require_type(request: Request) -> None:
    headers = request.headers
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise HttpRefusal(415, "UnsupportedMediaType", "a content encoding other than identity")
    media_type = headers.get("content-type", _TYPES[0]).partition(";")[0].strip().lower()
    if media_type not in _TYPES and not media_type.endswith("+json"):
        raise HttpRefusal(415, "UnsupportedMediaType", f"content type {media_type[:60]!r} instead of application/json")


async def read_body(request: Request, limit: int) -> bytes:
    """The octets of the body; raises `HttpRefusal` for size and slowness, `MalformedRequest` when the caller leaves."""
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdecimal() and (len(declared) > 12 or int(declared) > limit):
        raise _too_large(limit)
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                size += len(chunk)
                if size > limit:
                    raise _too_large(limit)
                chunks.append(chunk)
    except TimeoutError as error:
        message = f"the body did not arrive in {BODY_SECONDS:.0f} seconds"
        raise HttpRefusal(408, "RequestTimeout", message, (("Connection", "close"),)) from error
    except ClientDisconnect as error:
        raise MalformedRequest("body", "the caller went away") from error
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _too_large(limit: int) -> HttpRefusal:
    return HttpRefusal(413, "RequestTooLarge", f"the body is larger than {limit} octets", (("Connection", "close"),))

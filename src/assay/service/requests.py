"""Reading a request: api-version, body, members, each bounded (rest-api 2)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

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
# Set in the scope by a protocol that has received the last octet of the body: nothing has to be waited for.
BODY_ARRIVED: Final = "assay.body_arrived"
# Nearly every request has one of a few query strings; longer ones are read anew.
_QUERY_OCTETS: Final = 256
# Clients send application/json; the policy calls of some send text/plain (rest-api 8.2).
_TYPES: Final = ("application/json", "text/json", "text/plain")


def header(request: Request, name: bytes, absent: str = "") -> str:
    """The first header of this name, in lower case; quicker than building the framework's mapping of all of them."""
    for found, value in request.scope["headers"]:
        if found == name:
            text: str = value.decode("latin-1")
            return text
    return absent


def query_parameters(request: Request) -> Mapping[str, str]:
    """The query's parameters, percent-decoded; of a repeated name the last."""
    query: bytes = request.scope["query_string"]
    return _read_known_query(query) if len(query) <= _QUERY_OCTETS else _read_query(query)


def _read_query(query: bytes) -> Mapping[str, str]:
    return dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True))


_read_known_query = lru_cache(maxsize=limits.IDENTIFIERS)(_read_query)


def require_api_version(request: Request) -> str:
    """The request's api-version, compared literally; raises `HttpRefusal` 400 (rest-api 2.2)."""
    version = query_parameters(request).get("api-version")
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
    media_type = header(request, b"content-type", _TYPES[0]).partition(";")[0].strip().lower()
    if media_type not in _TYPES and not media_type.endswith("+json"):
        raise HttpRefusal(415, "UnsupportedMediaType", f"content type {media_type[:60]!r} instead of application/json")


async def read_body(request: Request, limit: int) -> bytes:
    """The octets of the body as they were sent, never unpacked.

    Raises `HttpRefusal` for encoding (415), size (413) and slowness (408), `MalformedRequest` when the caller leaves.
    """
    if header(request, b"content-encoding", "identity").lower() != "identity":
        raise HttpRefusal(415, "UnsupportedMediaType", "a content encoding other than identity")
    declared = header(request, b"content-length")
    if declared.isascii() and declared.isdecimal() and (len(declared) > 12 or int(declared) > limit):
        raise _too_large(limit)
    if BODY_ARRIVED in request.scope:
        return await _receive_body(request, limit)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _receive_body(request, limit)
    except TimeoutError as error:
        message = f"the body did not arrive in {BODY_SECONDS:.0f} seconds"
        raise HttpRefusal(408, "RequestTimeout", message, (("Connection", "close"),)) from error


async def _receive_body(request: Request, limit: int) -> bytes:
    chunks: list[bytes] = []
    size, more = 0, True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise MalformedRequest("body", "the caller went away")
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        chunks.append(chunk)
        more = message.get("more_body", False)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _too_large(limit: int) -> HttpRefusal:
    return HttpRefusal(413, "RequestTooLarge", f"the body is larger than {limit} octets", (("Connection", "close"),))

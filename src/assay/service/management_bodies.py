"""Bodies that carry a JWS: raw, as a JSON string, or as a member of an object (rest-api 8.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assay import limits
from assay.errors import MalformedRequest
from assay.formats import strict_json
from assay.policy.signed import ManagementJws, parse_management_jws
from assay.service.requests import read_body

if TYPE_CHECKING:
    from starlette.requests import Request

# Text encoded twice (16/9), certificates, quotes.
_BODY: Final = 4 * limits.POLICY_TEXT
_MEMBERS: Final = ("policycertificatetoadd", "policycertificatetoremove", "newattestationpolicy", "policyjws")


async def read_jws(request: Request) -> ManagementJws:
    """The JWS of a body; raises `MalformedRequest`, `InvalidOperation` for a JWS that cannot be read."""
    return parse_management_jws(unwrap_jws(await read_body(request, _BODY)))


def unwrap_jws(body: bytes) -> str:
    """The JWS as it was submitted, without JSON around it; raises `MalformedRequest`."""
    try:
        text = body.decode("utf-8").strip()
    except UnicodeDecodeError as error:
        raise MalformedRequest("body", "not UTF-8") from error
    if not text.startswith(('"', "{")):
        return text
    try:
        value = strict_json.decode(text.encode("utf-8"))
    except strict_json.JsonError as error:
        raise MalformedRequest("body", str(error)) from error
    if isinstance(value, dict):
        members = {name.lower(): member for name, member in value.items()}
        value = next((members[name] for name in _MEMBERS if name in members), None)
    if not isinstance(value, str):
        raise MalformedRequest("body", "a JWS, raw, as a JSON string or under policyJws, is required")
    return value.strip()

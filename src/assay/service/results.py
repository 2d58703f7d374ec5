"""Result tokens of policy and certificate operations (rest-api 6.2, 8, 9)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from assay import clock
from assay.result.token import sign_token
from assay.service.context import provider_of
from assay.service.responses import encode, json_response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from assay.formats.strict_json import JsonValue

LIFETIME: Final = timedelta(hours=1)


def result_response(request: Request, members: Mapping[str, JsonValue]) -> Response:
    """200 `{"token": …}`: the members with `iss`, `iat`, `nbf` and `exp`, signed by the provider's key."""
    provider = provider_of(request)
    issued_at = int(clock.now().timestamp())
    payload = {
        "iss": provider.base_url,
        "iat": issued_at,
        "nbf": issued_at,
        "exp": issued_at + int(LIFETIME.total_seconds()),
        **members,
    }
    token = sign_token(payload, provider.signer, provider.base_url)
    return json_response(request, encode({"token": token}), cors=False)

"""What a request carries beside its own words: the service's state, the provider it addresses, who calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from starlette.requests import Request

    from assay.service.access import Caller
    from assay.service.provider import Provider
    from assay.service.state import ServiceState

STATE: Final = "assay.state"
PROVIDER: Final = "assay.provider"
CALLER: Final = "assay.caller"
REQUEST_ID: Final = "assay.request_id"


def state_of(request: Request) -> ServiceState:
    """The memory of this process."""
    state: ServiceState = request.scope[STATE]
    return state


def provider_of(request: Request) -> Provider:
    """The provider that the request addresses."""
    provider: Provider = request.scope[PROVIDER]
    return provider


def caller_of(request: Request) -> Caller:
    """Who proved to be allowed this; only in operations that are not anonymous."""
    caller: Caller = request.scope[CALLER]
    return caller

"""Whether a request may do what it asks for: network, bearer, role, provider (rest-api section 3)."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Final

from assay.errors import Unauthorized
from assay.service.access import Action, Caller, single_authorization
from assay.service.context import CALLER, provider_of, state_of
from assay.service.errors import HttpRefusal
from assay.service.trail import trail_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from assay.service.provider import Provider

# Where a provider without public network access answers: this machine and private networks (RFC 1918, 4193, 6890).
_PRIVATE: Final = tuple(
    map(ip_network, ("127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"))
)


async def authenticate(request: Request) -> Caller:
    """Who calls, proved by exactly one bearer token; raises `Unauthorized`."""
    presented = request.headers.getlist("authorization")
    caller = await state_of(request).authenticator.authenticate(single_authorization(presented))
    request.scope[CALLER] = caller
    trail_of(request).caller = caller.name
    return caller


async def authorise(request: Request, action: Action) -> None:
    """Raises `Unauthorized`, 401 too for a caller without the role, as the real service answers."""
    provider = provider_of(request)
    caller = await authenticate(request)
    if provider.is_shared:
        # rest-api 8.1: any authenticated caller reads a shared provider, and nobody changes its policies.
        if action is not Action.READ:
            raise Unauthorized("a shared provider has default policies only; create a provider of your own")
        return
    caller.require(action, provider.name)


def require_network(request: Request, provider: Provider) -> None:
    """Raises `HttpRefusal` 403 for a caller from outside where the provider answers private networks only."""
    if provider.settings.public_network_access:
        return
    client = request.client
    try:
        address = ip_address(client.host if client is not None else "")
    except ValueError:
        address = None
    # A socket for both families calls an IPv4 caller ::ffff:10.0.0.1 (RFC 4291, 2.5.5.2).
    address = getattr(address, "ipv4_mapped", None) or address
    if address is None or not any(address in network for network in _PRIVATE):
        raise HttpRefusal(403, "Forbidden", f"provider {provider.name!r} does not answer public networks")

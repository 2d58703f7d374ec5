"""Answers of the resource provider: create, show, list, change and delete providers (rest-api 14)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from assay import clock
from assay.errors import InvalidOperation
from assay.policy.signers import read_certificate
from assay.service.access import Action
from assay.service.authorisation import authenticate
from assay.service.context import caller_of, state_of
from assay.service.control_plane.addresses import Address, Subject, parse_address
from assay.service.control_plane.resources import (
    encode_operations,
    encode_provider,
    read_requested,
    require_name,
)
from assay.service.errors import HttpRefusal
from assay.service.requests import query_parameters, read_members
from assay.service.responses import empty_response, encode, json_response
from assay.service.tenancy import provider_url
from assay.service.trail import trail_of
from assay.store import (
    DEFAULT_PROVIDER,
    ProviderSettings,
    certificate_digest,
    change_provider,
    create_provider,
    delete_provider,
)

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from assay.formats.strict_json import JsonValue
    from assay.service.access import Caller
    from assay.service.control_plane.own_settings import OwnSettings
    from assay.service.provider import Provider

# How the audit calls what changes something.
_NAMES: Final = {"PUT": "CreateProvider", "PATCH": "UpdateProvider", "DELETE": "DeleteProvider", "GET": "GetProvider"}
_VERSIONS: Final = frozenset({"2018-09-01-preview", "2020-10-01", "2021-06-01-preview", "2021-06-01"})


async def answer(request: Request) -> Response:
    """One call to the control plane; whoever makes, changes or deletes providers needs the operator's role."""
    address = parse_address(request.scope["path"])
    if address is None:
        raise HttpRefusal(404, "NotFound", f"no resource at {request.scope['path'][:100]!r}")
    method = "GET" if request.method == "HEAD" else request.method
    perform = _ANSWERS.get((address.subject, method))
    if perform is None:
        raise HttpRefusal(405, "MethodNotAllowed", f"{method} is not for {address.subject.value}")
    _require_version(request)
    caller = await authenticate(request)
    if method != "GET":
        caller.require(Action.OPERATE, DEFAULT_PROVIDER)
    trail_of(request).operation = _NAMES.get(method, "")
    return await perform(request, address)


def _require_version(request: Request) -> None:
    version = query_parameters(request).get("api-version", "")
    if version not in _VERSIONS:
        known = ", ".join(sorted(_VERSIONS))
        raise HttpRefusal(400, "InvalidApiVersionParameter", f"api-version {version[:40]!r} is none of {known}")


async def _operations(request: Request, _address: Address) -> Response:
    return _json(request, encode_operations())


async def _show(request: Request, address: Address) -> Response:
    provider = _find(request, address)
    _require_read(caller_of(request), provider)
    return _json(request, encode_provider(provider))


async def _list(request: Request, address: Address) -> Response:
    providers = state_of(request).providers.by_name.values()
    mine = [each for each in providers if _is_within(each, address) and not each.is_shared]
    return _list_response(request, [each for each in mine if caller_of(request).may(Action.READ, each.name)])


async def _list_shared(request: Request, _address: Address) -> Response:
    return _list_response(request, [each for each in state_of(request).providers.by_name.values() if each.is_shared])


async def _show_shared(request: Request, address: Address) -> Response:
    wanted = address.location.replace(" ", "").lower()
    for each in state_of(request).providers.by_name.values():
        if each.is_shared and each.settings.location.replace(" ", "").lower() == wanted:
            return _json(request, encode_provider(each))
    raise HttpRefusal(404, "ResourceNotFound", f"no shared provider at location {address.location[:60]!r}")


async def _put(request: Request, address: Address) -> Response:
    """Makes the provider, 201; one that exists in the same group is changed as by PATCH, 200."""
    require_name(address.name)
    requested = read_requested(await read_members(request))
    state = state_of(request)
    known = state.providers.by_name.get(address.name)
    if known is not None:
        if not _is_within(known, address):
            raise HttpRefusal(409, "ResourceNameConflict", f"the name {address.name!r} is taken")
        _require_same_trust(known, requested.signers)
        _require_own_host(request, address.name, requested.own)
        return await _patch_with(request, address, requested.applied)
    if requested.location is None:
        raise HttpRefusal(400, "LocationRequired", "a provider needs a location; any name will do")
    _require_own_host(request, address.name, requested.own)
    create = partial(
        create_provider,
        signers=requested.signers or (),
        by=caller_of(request).name,
        at=clock.now(),
        record=trail_of(request).record_change,
    )
    await asyncio.to_thread(create, state.store, address.name, requested.created(address))
    await state.changed()
    return _json(request, encode_provider(_find(request, address)), status=201)


async def _patch(request: Request, address: Address) -> Response:
    _find(request, address)
    requested = read_requested(await read_members(request))
    _require_own_host(request, address.name, requested.own)
    return await _patch_with(request, address, requested.applied)


async def _patch_with(
    request: Request, address: Address, change: Callable[[ProviderSettings], ProviderSettings]
) -> Response:
    state = state_of(request)
    record = trail_of(request).record_change
    await asyncio.to_thread(partial(change_provider, record=record), state.store, address.name, change)
    await state.changed()
    return _json(request, encode_provider(_find(request, address)))


async def _delete(request: Request, address: Address) -> Response:
    state = state_of(request)
    known = state.providers.by_name.get(address.name)
    if known is None or not _is_within(known, address):
        return empty_response(request)
    record = trail_of(request).record_change
    await asyncio.to_thread(partial(delete_provider, record=record), state.store, address.name)
    await state.changed()
    return _json(request, {})


async def _no_links(request: Request, address: Address) -> Response:
    """A self-hosted service has no private endpoints of Azure: its network is the operator's (14)."""
    _require_read(caller_of(request), _find(request, address))
    return _json(request, {"value": []})


async def _no_connection(_request: Request, _address: Address) -> Response:
    raise HttpRefusal(404, "ResourceNotFound", "a self-hosted provider has no private endpoint connections")


async def _nothing_to_delete(request: Request, _address: Address) -> Response:
    return empty_response(request)


_ANSWERS: Final[Mapping[tuple[Subject, str], Callable[[Request, Address], Awaitable[Response]]]] = {
    (Subject.OPERATIONS, "GET"): _operations,
    (Subject.PROVIDERS, "GET"): _list,
    (Subject.PROVIDER, "GET"): _show,
    (Subject.PROVIDER, "PUT"): _put,
    (Subject.PROVIDER, "PATCH"): _patch,
    (Subject.PROVIDER, "DELETE"): _delete,
    (Subject.DEFAULT_PROVIDERS, "GET"): _list_shared,
    (Subject.DEFAULT_PROVIDER, "GET"): _show_shared,
    (Subject.CONNECTIONS, "GET"): _no_links,
    (Subject.LINK_RESOURCES, "GET"): _no_links,
    (Subject.CONNECTION, "GET"): _no_connection,
    (Subject.CONNECTION, "PUT"): _no_connection,
    (Subject.CONNECTION, "DELETE"): _nothing_to_delete,
}


def _find(request: Request, address: Address) -> Provider:
    provider = state_of(request).providers.by_name.get(address.name)
    if provider is None or not _is_within(provider, address):
        raise HttpRefusal(404, "ResourceNotFound", f"no provider {address.name[:60]!r} in this resource group")
    return provider


def _is_within(provider: Provider, address: Address) -> bool:
    """Whether the provider is in the subscription, and in the group if one is named; groups ignore case."""
    settings = provider.settings
    if settings.subscription.lower() != address.subscription.lower():
        return False
    return not address.group or settings.resource_group.lower() == address.group.lower()


def _require_read(caller: Caller, provider: Provider) -> None:
    if not provider.is_shared:
        caller.require(Action.READ, provider.name)


def _require_same_trust(provider: Provider, signers: tuple[tuple[str, ...], ...] | None) -> None:
    """Raises `InvalidOperation` when a PUT would change the trust model or its signers (rest-api 8.1)."""
    if signers is None:
        return
    asked = {certificate_digest(read_certificate(chain[0]).der) for chain in signers}
    if asked != {signer.digest for signer in provider.policy_signers}:
        raise InvalidOperation("policySigningCertificates are fixed when a provider is made; use /certificates after")


def _require_own_host(request: Request, name: str, own: OwnSettings) -> None:
    """Raises `InvalidOperation` for an address that another provider has: two would issue tokens by one name."""
    state = state_of(request)
    stays = name in state.providers.by_name and "base_url" not in own.named
    if stays or (own.base_url is None and not state.settings.provider_url):
        return
    base_url = provider_url(state.settings, name, ProviderSettings(base_url=own.base_url))
    parts = urlsplit(base_url)
    others = (each.base_url for each in state.providers.by_name.values() if each.name != name)
    taken = {urlsplit(url).hostname for url in (state.settings.base_url, *others)}
    if parts.path or parts.hostname in taken:
        raise InvalidOperation(f"base URL {base_url!r}: a host name of its own and no path is required")


def _list_response(request: Request, providers: list[Provider]) -> Response:
    ordered = sorted(providers, key=lambda provider: provider.name)
    return _json(request, {"value": [encode_provider(provider) for provider in ordered]})


def _json(request: Request, body: Mapping[str, JsonValue], *, status: int = 200) -> Response:
    return json_response(request, encode(body), status=status, cors=False)

"""Policy operations: get, set, reset as the real service has them, history and rollback as our own (rest-api 8)."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

from assay import clock
from assay.errors import InvalidOperation, MalformedRequest, StoreUnavailable, Unauthorized
from assay.evidence import POLICY_TYPES, find_policy_type
from assay.policy import compile_policy, encode_unsecured, policy_hash
from assay.policy.signed import (
    ManagementJws,
    policy_text,
    require_empty_payload,
    verify_management_jws,
)
from assay.policy.signers import require_valid
from assay.service.access import Action
from assay.service.context import caller_of, provider_of, state_of
from assay.service.errors import HttpRefusal
from assay.service.management_bodies import read_jws
from assay.service.requests import query_parameters, read_members, require_api_version
from assay.service.responses import encode, json_response
from assay.service.results import result_response
from assay.service.trail import trail_of
from assay.store import (
    DEFAULT_PROVIDER,
    Author,
    NewPolicy,
    PolicyAction,
    PolicyVersion,
    certificate_digest,
    policy_history,
)
from assay.store import reset_policy as store_reset
from assay.store import roll_back_policy as store_roll_back
from assay.store import set_policy as store_set

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from assay.formats.strict_json import JsonValue
    from assay.service.provider import Provider

# What GET answers for a type without a default where nothing was set (rest-api 8.3).
_NOTHING_SET: Final = "eyJhbGciOiJub25lIn0.."


async def get_policy(request: Request) -> Response:
    """GET /policies/{type}: the JWS that was set, byte for byte, else the default's."""
    require_api_version(request)
    policy_type = _policy_type(request)
    chosen = provider_of(request).policies[policy_type]
    if chosen.damaged:
        raise StoreUnavailable(f"the stored {policy_type} policy cannot be used: {chosen.damaged}")
    default = POLICY_TYPES[policy_type].default_policy
    if chosen.version is not None and not chosen.version.is_default:
        jws = chosen.version.jws
    else:
        jws = _NOTHING_SET if default is None else encode_unsecured(default)
    return result_response(request, {"x-ms-policy": jws})


async def set_policy(request: Request) -> Response:
    """PUT /policies/{type}: refused whole, or in force for the next attest call (rest-api 8.4)."""
    require_api_version(request)
    policy_type, provider, state = _policy_type(request), provider_of(request), state_of(request)
    jws = await read_jws(request)
    importing = _is_import(request)
    is_first = provider.policies[policy_type].version is None
    author = _author(request, provider, jws, importing=importing and is_first)
    text = policy_text(jws)
    await asyncio.to_thread(compile_policy, text)
    action = PolicyAction.IMPORT if importing else PolicyAction.SET
    new = NewPolicy(action, jws.text, policy_hash(text), jws.token_hash)
    allow_replay = _may_replay(request, provider, jws)
    change = partial(store_set, author=author, at=clock.now(), allow_replay=allow_replay)
    await asyncio.to_thread(change, state.store, provider.name, policy_type, new)
    await state.changed()
    members: dict[str, JsonValue] = {"x-ms-policy-result": "Updated", "x-ms-policy-token-hash": jws.token_hash}
    if jws.signer is not None:
        members["x-ms-policy-signer"] = {"alg": _algorithm(jws), "use": "sig", **jws.signer}
    return result_response(request, members)


async def reset_policy(request: Request) -> Response:
    """POST /policies/{type}:reset: back to the type's default; only the result in the answer (rest-api 8.5)."""
    require_api_version(request)
    policy_type, provider, state = _policy_type(request), provider_of(request), state_of(request)
    jws = await read_jws(request)
    require_empty_payload(jws)
    change = partial(store_reset, author=_author(request, provider, jws, importing=False), at=clock.now())
    await asyncio.to_thread(change, state.store, provider.name, policy_type)
    await state.changed()
    return result_response(request, {"x-ms-policy-result": "Removed"})


async def get_history(request: Request) -> Response:
    """GET /policies/{type}:history: every version with who, when and hash; our own addition."""
    require_api_version(request)
    policy_type, provider = _policy_type(request), provider_of(request)
    versions = await asyncio.to_thread(policy_history, state_of(request).store, provider.name, policy_type)
    return json_response(request, encode({"versions": [_encode_version(version) for version in versions]}), cors=False)


async def roll_back_policy(request: Request) -> Response:
    """POST /policies/{type}:rollback `{"number": N}`: an older version in force again, under a new number."""
    require_api_version(request)
    policy_type, provider, state = _policy_type(request), provider_of(request), state_of(request)
    number = (await read_members(request)).get("number")
    if not isinstance(number, int) or isinstance(number, bool):
        raise MalformedRequest(
            "number", "the number of a version is required, as GET /policies/{type}:history lists it"
        )
    if provider.is_isolated and not _is_operator(request) and not provider.settings.allow_policy_replay:
        raise Unauthorized("a rollback replays a signed policy: on an isolated provider it needs the operator's role")
    record = trail_of(request).record_change
    change = partial(store_roll_back, by=caller_of(request).name, at=clock.now(), record=record)
    version = await asyncio.to_thread(change, state.store, provider.name, policy_type, number)
    await state.changed()
    return json_response(request, encode(_encode_version(version)), cors=False)


def _policy_type(request: Request) -> str:
    name = request.path_params["type"]
    policy_type = find_policy_type(name)
    if policy_type is None:
        raise HttpRefusal(400, "InvalidParameter", f"no attestation type {name[:60]!r}")
    return policy_type


def _is_import(request: Request) -> bool:
    """Whether a policy comes from another service, where it was in force; raises `Unauthorized` unless by an operator.

    Its signer may have been removed since it was set there, or the certificate have expired; on an isolated provider
    that is only overlooked while no policy of the type was ever set.
    """
    if query_parameters(request).get("import", "").lower() != "true":
        return False
    if not _is_operator(request):
        raise Unauthorized("importing a policy needs the operator's role")
    return True


def _author(request: Request, provider: Provider, jws: ManagementJws, *, importing: bool) -> Author:
    """Who changes the policy, with what the trust model asks of the signature (rest-api 8.1).

    Raises `InvalidOperation`, and what a chain or a certificate outside its validity raises.
    """
    name, record = caller_of(request).name, trail_of(request).record_change
    if jws.is_unsecured:
        if provider.is_isolated:
            raise InvalidOperation("an isolated provider's policies must be signed by a policy management certificate")
        return Author(name, record=record)
    certificate = verify_management_jws(jws)
    if importing or not provider.is_isolated:
        return Author(name, record=record)
    digest = certificate_digest(certificate.der)
    if not any(signer.digest == digest for signer in provider.policy_signers):
        raise InvalidOperation("the policy is not signed by a policy management certificate of this provider")
    require_valid(certificate, state_of(request).at)
    return Author(name, digest, record)


def _may_replay(request: Request, provider: Provider, jws: ManagementJws) -> bool:
    """Whether an older JWS may come back: where the signature is no authority, and where somebody says so (POL-02)."""
    if jws.is_unsecured or not provider.is_isolated or provider.settings.allow_policy_replay:
        return True
    asked = query_parameters(request).get("allow-replay", "").lower() == "true"
    return asked and _is_operator(request)


def _is_operator(request: Request) -> bool:
    return caller_of(request).may(Action.OPERATE, DEFAULT_PROVIDER)


def _algorithm(jws: ManagementJws) -> str:
    """The JOSE name: the Python library's own spelling is answered as the real service does (rest-api 8.4)."""
    return {"RSA256": "RS256", "ECDH256": "ES256"}.get(jws.algorithm, jws.algorithm)


def _encode_version(version: PolicyVersion) -> dict[str, JsonValue]:
    return {
        "number": version.number,
        "action": version.action.value,
        "policyHash": version.policy_hash,
        "policyTokenHash": version.token_hash,
        "restores": version.restores,
        "setBy": version.set_by,
        "setAt": version.set_at.isoformat(),
        "policy": version.jws,
    }

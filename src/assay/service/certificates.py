"""Policy management certificates: list, add, remove (rest-api 9)."""

from __future__ import annotations

import asyncio
import hashlib
from functools import partial
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ec

from assay import clock
from assay.errors import InvalidOperation
from assay.policy.signed import ManagementJws, signer_chain, verify_management_jws
from assay.policy.signers import read_certificate, require_signer_chain, require_valid
from assay.service.context import caller_of, provider_of, state_of
from assay.service.management_bodies import read_jws
from assay.service.requests import require_api_version
from assay.service.results import result_response
from assay.service.trail import trail_of
from assay.store import PolicySigner, add_signer, certificate_digest, remove_signer

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from assay.formats.strict_json import JsonValue


async def list_certificates(request: Request) -> Response:
    """GET /certificates: the set of signers, empty unless the provider is isolated."""
    require_api_version(request)
    keys: list[JsonValue] = [_encode_signer(signer) for signer in provider_of(request).policy_signers]
    return result_response(request, {"x-ms-policy-certificates": {"keys": keys}})


async def add_certificate(request: Request) -> Response:
    """POST /certificates:add: one more signer, named by a present one; adding a member changes nothing."""
    require_api_version(request)
    jws = await read_jws(request)
    signed_by = _require_member(request, jws)
    chain = signer_chain(jws)
    require_signer_chain(chain)
    certificate = read_certificate(chain[0]).der
    state, provider = state_of(request), provider_of(request)
    change = partial(
        add_signer,
        signed_by=signed_by,
        by=caller_of(request).name,
        at=clock.now(),
        record=trail_of(request).record_change,
    )
    await asyncio.to_thread(change, state.store, provider.name, chain)
    return await _changed(request, certificate, "IsPresent")


async def remove_certificate(request: Request) -> Response:
    """POST /certificates:remove: one signer less, never the last; removing a stranger changes nothing."""
    require_api_version(request)
    jws = await read_jws(request)
    signed_by = _require_member(request, jws)
    certificate = read_certificate(signer_chain(jws)[0]).der
    state, provider = state_of(request), provider_of(request)
    change = partial(remove_signer, signed_by=signed_by, record=trail_of(request).record_change)
    await asyncio.to_thread(change, state.store, provider.name, certificate_digest(certificate))
    return await _changed(request, certificate, "IsAbsent")


def _require_member(request: Request, jws: ManagementJws) -> str:
    """The digest of the signer, whose membership is looked at again where the set is changed."""
    provider = provider_of(request)
    if not provider.is_isolated:
        raise InvalidOperation("The operation is disallowed: the provider has no policy management certificates")
    if jws.is_unsecured:
        raise InvalidOperation("the request must be signed by a policy management certificate of this provider")
    certificate = verify_management_jws(jws)
    digest = certificate_digest(certificate.der)
    if not any(signer.digest == digest for signer in provider.policy_signers):
        raise InvalidOperation("the request is not signed by a policy management certificate of this provider")
    require_valid(certificate, state_of(request).at)
    return digest


async def _changed(request: Request, certificate: bytes, result: str) -> Response:
    # rest-api 6.3: what administrators compare; nothing rests on it.
    thumbprint = hashlib.sha1(certificate, usedforsecurity=False).hexdigest().upper()
    await state_of(request).changed()
    return result_response(
        request, {"x-ms-certificate-thumbprint": thumbprint, "x-ms-policycertificates-result": result}
    )


def _encode_signer(signer: PolicySigner) -> dict[str, JsonValue]:
    key = read_certificate(signer.chain[0]).public_key
    algorithm, kind = ("ES256", "EC") if isinstance(key, ec.EllipticCurvePublicKey) else ("RS256", "RSA")
    return {"alg": algorithm, "kty": kind, "use": "sig", "x5c": list(signer.chain)}

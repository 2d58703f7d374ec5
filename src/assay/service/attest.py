"""POST /attest/{type}: the straight line from a request to a token."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import ParamSpec, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from assay import clock
from assay.appraise import appraise, needs_of, parse_evidence
from assay.errors import EndorsementUnavailable
from assay.evidence import find_evidence_type, recognise
from assay.evidence.base import AnyEvidenceType, EncodeChallenge, Submission, plainly
from assay.formats.strict_json import JsonValue
from assay.policy import read_token_properties
from assay.result.attestation import AttestationResult
from assay.result.payload import Envelope, encode_payload
from assay.result.token import sign_report, sign_token, unsecured_token
from assay.service.access import Action
from assay.service.audit_events import attest_operation
from assay.service.authorisation import authenticate, authorise
from assay.service.context import provider_of, state_of
from assay.service.errors import HttpRefusal, encode_details
from assay.service.provider import Provider
from assay.service.requests import LEGACY_VERSION, query_parameters, read_members, require_api_version
from assay.service.responses import encode, encode_token, json_response
from assay.service.state import ServiceState
from assay.service.trail import trail_of

ResultT = TypeVar("ResultT")
P = ParamSpec("P")


async def attest(request: Request) -> Response:
    """Answer one attest call: decode, parse, choose policy, needs, collect, verify, claims, policy, result, sign."""
    state, provider, trail = state_of(request), provider_of(request), trail_of(request)
    kind = _evidence_type(request)
    trail.operation = attest_operation(kind.name)
    version = require_api_version(request)
    await _require_caller(request, kind, version)

    submission = kind.decode(_members(await read_members(request, kind.body_limit), kind, version))
    if kind.begin is not None and (encode_challenge := kind.begin(submission)) is not None:
        return _begin(request, kind, submission, encode_challenge)
    trail.submission, kind = submission, recognise(kind, submission)
    trail.operation = attest_operation(kind.name)
    evidence = parse_evidence(kind, submission)
    chosen, draft = kind.policy_type(evidence), submission.draft_policy
    trail.policy = policy = await _run(state, draft, provider.choose_policy, chosen, draft, kind.carrier)
    session = None if kind.session is None else kind.session(evidence)
    grounds = state.grounds(provider, policy.configuration, session)
    trail.needs = needs = needs_of(kind, evidence, grounds)
    collected = state.collector.recall(needs, grounds.at) or await state.collector.collect(needs, grounds.at)
    trail.endorsements = collected
    try:
        complete = grounds.with_endorsements(collected)
        result = await _run(state, draft, appraise, kind, evidence, submission, complete, policy)
    except EndorsementUnavailable as error:
        raise collected.explain(error) from error
    await state.consume(result)
    token, token_id = issue(result, provider)
    await trail.record_issued(result, token_id)
    return _answer(request, kind, result, token, version)


async def _run(
    state: ServiceState, draft: str | None, work: Callable[P, ResultT], *arguments: P.args, **more: P.kwargs
) -> ResultT:
    """What a policy takes part in: at once, but beside the event loop for a draft, which is a stranger's program."""
    if draft is None:
        return work(*arguments, **more)
    return await state.beside(work, *arguments, **more)


def _evidence_type(request: Request) -> AnyEvidenceType:
    name = request.path_params["type"]
    kind = find_evidence_type(name)
    if kind is None or kind.path is None:
        raise HttpRefusal(404, "NotFound", f"no attestation type {name[:60]!r}")
    return kind


async def _require_caller(request: Request, kind: AnyEvidenceType, version: str) -> None:
    """Raises `Unauthorized` for a caller who must prove a role and did not."""
    if kind.is_authenticated:
        if provider_of(request).settings.tpm_authentication:
            await authorise(request, Action.READ)
    elif version == LEGACY_VERSION and not state_of(request).settings.dev:
        await authenticate(request)  # rest-api 12: this version needs a bearer for everything


def _begin(
    request: Request, kind: AnyEvidenceType, submission: Submission, encode_challenge: EncodeChallenge
) -> Response:
    """The answer to a first message: a challenge, and the context that brings it back; nothing is kept."""
    minted = state_of(request).challenges.mint(provider_of(request).name, clock.now())
    body = kind.enclose(submission, encode_challenge(minted.nonce, minted.context))
    return json_response(request, encode(body))


def _members(members: Mapping[str, JsonValue], kind: AnyEvidenceType, version: str) -> Mapping[str, JsonValue]:
    """The members by their names of 2020-10-01; those of 2018-09-01-preview are translated (rest-api 12)."""
    if version != LEGACY_VERSION:
        return members
    translated = dict(members)
    if "quote" in members:
        translated[kind.member.lower()] = members["quote"]
    if members.get("enclavehelddata") is not None:
        translated["runtimedata"] = {"data": members["enclavehelddata"], "dataType": "Binary"}
    return translated


def issue(result: AttestationResult, provider: Provider) -> tuple[str, str]:
    """The token of a result, signed, or unsecured under a draft policy (rest-api 6.1), and its identifier."""
    token_id = secrets.token_hex(32)
    profile = result.profile
    signer = provider.signer_of(profile)
    envelope = Envelope(provider.base_url, clock.now(), token_id, provider.lifetime_of(profile))
    payload = encode_payload(result, envelope)
    if result.policy.draft:
        return unsecured_token(payload, provider.base_url, signer.key_id), token_id
    if profile.is_report:
        properties = read_token_properties(result.outcome.properties)
        return sign_report(payload, signer, omit_chain=properties.omit_x5c), token_id
    return sign_token(payload, signer, provider.base_url), token_id


def _answer(request: Request, kind: AnyEvidenceType, result: AttestationResult, token: str, version: str) -> Response:
    if version == LEGACY_VERSION:
        # A string in place of an object (rest-api 12); what is sealed to the attester stays so.
        body = kind.answer(token, result.statement.recipient)
        return json_response(request, encode(str(body.get("token", token))))
    explained = query_parameters(request).get("explain", "").lower() in ("true", "1")
    if kind.answer is plainly and not explained:
        return json_response(request, encode_token(token))
    enclosed = dict(kind.enclose(result.submission, kind.answer(token, result.statement.recipient)))
    if explained:
        enclosed["verdict"] = list(encode_details(result.verdict, ""))
    return json_response(request, encode(enclosed))

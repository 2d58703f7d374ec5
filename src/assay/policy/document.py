"""Policies as they travel: the unsecured JWS around a text, its hash, and who signed it (rest-api 6.3, 8.2, 18)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assay import limits
from assay.errors import InvalidOperation
from assay.formats import base64url, strict_json
from assay.policy.evaluation import Policy, PolicyOutcome, compile_afresh, compile_policy

if TYPE_CHECKING:
    from assay.claims import ClaimSet, Configuration
    from assay.formats.strict_json import JsonObject, JsonValue

_MEMBER: Final = "AttestationPolicy"
# {"alg":"none"}
_UNSECURED_HEADER: Final = "eyJhbGciOiJub25lIn0"
# Text is encoded twice (16/9); the rest is room for a header with certificates and a signature.
_JWS: Final = 3 * limits.POLICY_TEXT


@dataclass(frozen=True, slots=True)
class PolicyIdentity:
    """What a token says about the policy behind it.

    `hash` is `x-ms-policy-hash`, `signer` is `x-ms-policy-signer` (a JWK, or None for an unsigned policy), `draft` says
    that the policy came with the request.
    """

    hash: str
    signer: JsonObject | None
    draft: bool


@dataclass(frozen=True, slots=True)
class AppraisalPolicy:
    """A policy with its identity: what an appraisal is done under."""

    policy: Policy
    identity: PolicyIdentity

    @property
    def configuration(self) -> Configuration:
        return self.policy.configuration

    def evaluate(self, incoming: ClaimSet) -> PolicyOutcome:
        """As `Policy.evaluate`."""
        return self.policy.evaluate(incoming)


def stored_policy(text: str, signer: JsonObject | None = None) -> AppraisalPolicy:
    """A policy of the provider, with `x-ms-policy-signer` if it is signed; raises `PolicyParsingError`."""
    return AppraisalPolicy(compile_policy(text), PolicyIdentity(policy_hash(text), signer, draft=False))


def draft_policy(text: str) -> AppraisalPolicy:
    """The policy of a request: plain text, or a policy JWS whose signature plays no part (policy-language 11.3).

    Raises `PolicyParsingError`, and `InvalidOperation` for a JWS that carries no policy text.
    """
    plain = _unwrap(text) if _is_jws(text) else text
    # Strangers choose drafts: they must not push the providers' policies out of the memory of compiled ones.
    return AppraisalPolicy(compile_afresh(plain), PolicyIdentity(policy_hash(plain), None, draft=True))


def policy_hash(text: str) -> str:
    """`x-ms-policy-hash` of a policy text that parses (rest-api 6.3): over its base64url form, not the text itself."""
    return base64url.encode(hashlib.sha256(_encode_text(text).encode("ascii")).digest())


def encode_unsecured(text: str) -> str:
    """The unsecured JWS around a policy text, without spaces (rest-api 18)."""
    payload = strict_json.encode_compact({_MEMBER: _encode_text(text)})
    return f"{_UNSECURED_HEADER}.{base64url.encode(payload)}."


def _encode_text(text: str) -> str:
    return base64url.encode(text.encode("utf-8"))


def _is_jws(text: str) -> bool:
    """Two dots, and a header that decodes to JSON with `alg`; no policy text looks like that."""
    if len(text) > _JWS or text.count(".") != 2:
        return False
    try:
        header = strict_json.decode_object(base64url.decode_strict(text.partition(".")[0].lstrip()))
    except (base64url.Base64Error, strict_json.JsonError):
        return False
    return "alg" in header


def _unwrap(jws: str) -> str:
    payload = jws.split(".")[1]
    try:
        member = strict_json.decode_object(base64url.decode_lenient(payload)).get(_MEMBER)
    except (base64url.Base64Error, strict_json.JsonError) as error:
        raise InvalidOperation(f"policy JWS: the payload is not a JSON object in base64url: {error}") from error
    if not isinstance(member, str):
        raise InvalidOperation(f"policy JWS: the payload has no text member {_MEMBER}")
    try:
        return base64url.decode_lenient(member).decode("utf-8")
    except (base64url.Base64Error, UnicodeDecodeError) as error:
        raise InvalidOperation(f"policy JWS: {_MEMBER} is not UTF-8 text in base64url: {error}") from error


def issued_members(issued: ClaimSet) -> dict[str, JsonValue]:
    """The issued claims as members of a JSON object (policy-language 10).

    One value is a scalar of its own type, several are an array in insertion order.
    """
    values: dict[str, dict[tuple[type, JsonValue], JsonValue]] = {}
    for claim in issued:
        values.setdefault(claim.type, {})[claim.value.__class__, claim.value] = claim.value
    return {name: [*found.values()] if len(found) > 1 else next(iter(found.values())) for name, found in values.items()}

"""The token's payload (rest-api section 6, claims sections 1 to 3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from assay.formats.strict_json import JsonValue
from assay.policy import issued_members, read_token_properties
from assay.result.attestation import AttestationResult

LIFETIME: Final = timedelta(hours=8)
# claims 1: reports are valid from five minutes before they are issued.
_REPORT_BACKDATED: Final = 300
UNSAFE: Final = "x-assay-unsafe"

# Names that a policy never replaces at the top level (policy-language 10, Q11); key release trusts `x-ms-*`.
_SERVICE_OWNED: Final = frozenset(
    {"iss", "iat", "exp", "nbf", "jti", "ver", "cnf", "nonce", "rp_data", "aas-ehd", "maa-ehd", UNSAFE}
)
_SERVICE_PREFIXES: Final = ("x-ms-", "x-assay-", "maa-attestationcollateral")


class Envelope(NamedTuple):
    """What the issuer adds to a result: who, when, for how long, and a unique identifier of 64 hex digits."""

    issuer: str
    issued_at: datetime
    token_id: str
    lifetime: timedelta = LIFETIME


def encode_payload(result: AttestationResult, envelope: Envelope) -> dict[str, JsonValue]:
    """The payload's members, not yet serialised; the service's own members stand above whatever a policy issued."""
    issued = issued_members(result.outcome.issued)
    payload: dict[str, JsonValue] = {name: value for name, value in issued.items() if not is_service_owned(name)}
    if issued and result.profile.doubled_claims:
        payload["x-ms-policy"] = dict(issued)
    payload.update(result.statement.members)
    payload.update(_common(result, envelope))
    return payload


def is_service_owned(name: str) -> bool:
    """Whether only the service may put this name at the top level of a token."""
    return name in _SERVICE_OWNED or name.startswith(_SERVICE_PREFIXES)


def _common(result: AttestationResult, envelope: Envelope) -> Mapping[str, JsonValue]:
    issued_at = int(envelope.issued_at.timestamp())
    report = result.profile.is_report
    members: dict[str, JsonValue] = {
        "iss": envelope.issuer,
        "iat": issued_at,
        "nbf": issued_at - _REPORT_BACKDATED if report else issued_at,
        "exp": issued_at + int(_lifetime(result, envelope).total_seconds()),
        "jti": envelope.token_id,
        "x-ms-ver": "1.0",
        "x-ms-policy-hash": result.policy.hash,
    }
    if result.policy.signer is not None:
        members["x-ms-policy-signer"] = dict(result.policy.signer)
    if report:
        members["ver"] = "1.0"
    elif result.submission.nonce is not None:
        members["nonce"] = result.submission.nonce
    if marks := result.marks:
        members[UNSAFE] = list(marks)
    return members


def _lifetime(result: AttestationResult, envelope: Envelope) -> timedelta:
    """The envelope's, or of a report what the policy says; raises `PolicyEvaluationError` (policy-language 9)."""
    if not result.profile.is_report:
        return envelope.lifetime
    minutes = read_token_properties(result.outcome.properties).report_validity_in_minutes
    return envelope.lifetime if minutes is None else timedelta(minutes=minutes)

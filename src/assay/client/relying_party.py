"""The relying party: an attestation token is believed only when its configured issuer signed it, for now and for here.

Pure: the key set and the time come in as arguments. Nothing is fetched, least of all what the token points to.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from assay.errors import ConfigurationError, LimitExceeded, MalformedToken, TokenRejected
from assay.formats.jws import Jws, decode_members, parse_jws, verify_jws
from assay.result.payload import UNSAFE

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from assay.formats.key_set import KeySet
    from assay.formats.strict_json import JsonObject, JsonValue

# Design, section 8: 30 seconds for tokens, and no more (TOK-09).
SKEW: Final = timedelta(seconds=30)
# A policy may issue many claims; a recorded token has 36 (TOK-16).
_CLAIMS: Final = 4096
_LAST_SECOND: Final = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp())
# Members that every attestation token has and no answer of policy management has (rest-api 6.2; TOK-11).
_ATTESTATION_MEMBERS: Final = ("x-ms-attestation-type", "x-ms-ver", "jti")
_REPORT: Final = "report"


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """A token that passed every check: what it says, and under which unsafe conditions it was made, if any."""

    claims: JsonObject
    header: JsonObject
    issuer: str
    key_id: str
    token_id: str
    attestation_type: str
    issued_at: datetime
    expires_at: datetime
    unsafe_marks: tuple[str, ...]


def verify_token(
    token: str,
    *,
    issuer: str,
    keys: KeySet,
    at: datetime,
    audience: str | None = None,
    allow_unsafe: AbstractSet[str] = frozenset(),
    leeway: timedelta = SKEW,
) -> VerifiedToken:
    """What an attestation token says, once all of this holds:

    1. it is three parts of exact base64url with JSON objects inside, no larger than the limits;
    2. it is signed, with an algorithm of the one key of the issuer's key set that its `kid` names;
    3. `iss` is the issuer, octet for octet;
    4. `at` is from `nbf` and `iat` to `exp`, both ends included, give or take `leeway`;
    5. `aud` is the audience where either is given;
    6. it is an attestation token, not another thing that the same key signed;
    7. every unsafe mark on it is allowed by name.

    Raises `TokenRejected`, whose `reason` is a stable word, and `ConfigurationError` when `leeway` is not from zero to
    30 seconds or `at` has no time zone.
    """
    if not timedelta(0) <= leeway <= SKEW:
        raise ConfigurationError(f"a leeway of {leeway.total_seconds():g} s: from 0 to {SKEW.total_seconds():g} s")
    if at.tzinfo is None:
        raise ConfigurationError("the time of verification has no time zone")
    jws = _parse(token)
    claims = _parse_claims(jws)
    _require_signature(jws, claims, keys)
    _require_issuer(claims, issuer)
    _require_own_keys(jws, issuer)
    issued_at, expires_at = _require_time(claims, at, leeway)
    _require_audience(claims, audience)
    token_id, attestation_type = _require_attestation(claims)
    marks = _require_marks(claims, allow_unsafe)
    return VerifiedToken(
        claims, jws.header, issuer, jws.key_id or "", token_id, attestation_type, issued_at, expires_at, marks
    )


def verify_result(token: str, *, issuer: str, keys: KeySet, at: datetime) -> JsonObject:
    """What the answer to an administrative operation says (rest-api 6.2, 8, 9): signed by the issuer, for now.

    Raises `TokenRejected`, for an attestation token too: the one never passes as the other (TOK-11).
    """
    jws = _parse(token)
    claims = _parse_claims(jws)
    _require_signature(jws, claims, keys)
    _require_issuer(claims, issuer)
    _require_own_keys(jws, issuer)
    _require_time(claims, at, SKEW)
    if any(name in claims for name in _ATTESTATION_MEMBERS):
        raise TokenRejected("NotAResult", "an attestation token, not the answer to an administrative operation")
    return claims


def _parse(token: str) -> Jws:
    try:
        return parse_jws(token)
    except LimitExceeded as error:
        raise TokenRejected("TooLarge", error.message) from error
    except MalformedToken as error:
        raise TokenRejected("Malformed", error.message) from error


def _parse_claims(jws: Jws) -> JsonObject:
    try:
        claims = decode_members(jws.payload, "payload")
    except MalformedToken as error:
        raise TokenRejected("Malformed", error.message) from error
    if len(claims) > _CLAIMS:
        raise TokenRejected("TooLarge", f"{len(claims)} claims, at most {_CLAIMS}")
    return claims


def _require_signature(jws: Jws, claims: JsonObject, keys: KeySet) -> None:
    if jws.is_unsecured and "x-ms-attestation-type" in claims:
        # TOK-10: what a service answers to a draft policy is a rehearsal, not a token.
        raise TokenRejected("DraftResult", "the answer to a draft policy: not signed (alg none), not a token")
    if jws.is_unsecured:
        raise TokenRejected("Unsecured", "the token is not signed (alg none)")
    kind = jws.header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.upper() != "JWT":
        raise TokenRejected("NotAnAttestationToken", f"typ is {str(kind)[:100]!r}, not JWT")
    if jws.key_id is None:
        raise TokenRejected("KeyUnknown", "the header names no key (kid)")
    key = keys.find(jws.key_id)
    verify_jws(jws, key.public_key, algorithm=key.algorithm)


def _require_issuer(claims: JsonObject, issuer: str) -> None:
    found = claims.get("iss")
    if not issuer or found != issuer:
        raise TokenRejected("IssuerMismatch", f"issued by {str(found)[:200]!r}, expected {issuer!r}")


def _require_own_keys(jws: Jws, issuer: str) -> None:
    # TOK-03: never fetched; but a token that points elsewhere was not made by the issuer.
    if jws.header.get("jku", f"{issuer}/certs") != f"{issuer}/certs" or "x5u" in jws.header:
        raise TokenRejected("KeyNotAllowed", "the header points to keys that are not the issuer's (jku, x5u)")


def _require_time(claims: JsonObject, at: datetime, leeway: timedelta) -> tuple[datetime, datetime]:
    issued_at, not_before, expires_at = (_time(claims, name) for name in ("iat", "nbf", "exp"))
    if expires_at <= issued_at:
        raise TokenRejected("Expired", f"expires at {_shown(expires_at)}, issued at {_shown(issued_at)}")
    if at > expires_at + leeway:
        raise TokenRejected("Expired", f"expired at {_shown(expires_at)}, verified at {_shown(at)}")
    if at < not_before - leeway:
        raise TokenRejected("NotYetValid", f"valid from {_shown(not_before)}, verified at {_shown(at)}")
    if at < issued_at - leeway:
        raise TokenRejected("IssuedInTheFuture", f"issued at {_shown(issued_at)}, verified at {_shown(at)}")
    return issued_at, expires_at


def _time(claims: JsonObject, name: str) -> datetime:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _LAST_SECOND:
        raise TokenRejected("Malformed", f"{name} is missing or not a time in whole seconds")
    return datetime.fromtimestamp(value, UTC)


def _shown(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _require_audience(claims: JsonObject, audience: str | None) -> None:
    found = claims.get("aud")
    # RFC 7519, 4.1.3: a token for somebody is refused by everybody else, and by whoever does not say who they are.
    if found is None and audience is None:
        return
    named = found if isinstance(found, list) else [found]
    if audience is None or audience not in named:
        raise TokenRejected("AudienceMismatch", f"for {str(found)[:200]!r}, expected {audience!r}")


def _is_report(claims: JsonObject) -> bool:
    """Whether this is the report of a TPM or VBS enclave, which says no type but names a key (claims 7)."""
    return (
        isinstance(claims.get("cnf"), dict)
        and isinstance(claims.get("ver"), str)
        and isinstance(claims.get("x-ms-policy-hash"), str)
    )


def _require_attestation(claims: JsonObject) -> tuple[str, str]:
    kind, version, token_id = (claims.get(name) for name in _ATTESTATION_MEMBERS)
    if kind is None and _is_report(claims):
        kind = _REPORT
    if not (isinstance(kind, str) and isinstance(version, str) and isinstance(token_id, str) and kind and token_id):
        missing = ", ".join(name for name in _ATTESTATION_MEMBERS if not isinstance(claims.get(name), str))
        raise TokenRejected(
            "NotAnAttestationToken", f"not an attestation token: {missing or 'its identity'} is missing"
        )
    if not isinstance(claims.get("x-ms-policy", {}), dict):
        raise TokenRejected("NotAnAttestationToken", "x-ms-policy is not an object: the answer to a policy request")
    return token_id, kind


def _require_marks(claims: JsonObject, allowed: AbstractSet[str]) -> tuple[str, ...]:
    found = _marks(claims.get(UNSAFE, []))
    refused = sorted(set(found) - allowed)
    if refused:
        raise TokenRejected("UnsafeToken", f"made under unsafe conditions: {', '.join(refused)}")
    return found


def _marks(value: JsonValue) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TokenRejected("Malformed", f"{UNSAFE} is not a list of words")
    marks = tuple(mark for mark in value if isinstance(mark, str))
    if len(marks) != len(value):
        raise TokenRejected("Malformed", f"{UNSAFE} is not a list of words")
    return marks

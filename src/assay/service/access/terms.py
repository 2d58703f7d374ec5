"""What a token of an issuer must say before its bearer is a caller (RFC 7519, RFC 9068); pure.

Whoever calls this verified the signature: nothing here looks at it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from assay import limits
from assay.errors import Unauthorized
from assay.formats.strict_json import JsonObject, JsonValue
from assay.service.access.roles import Caller, Grant

# rest-api section 3: what every client library asks a token for.
AZURE_AUDIENCE: Final = "https://attest.azure.net"
ALGORITHMS: Final = ("RS256", "PS256", "ES256")
# Design, section 8: 30 seconds for tokens.
SKEW: Final = timedelta(seconds=30)
# RFC 8693, 4.2: one text of words; Entra ID calls it `scp`.
_WORD_LISTS: Final = ("scope", "scp")
# OpenID Connect Core 3.1.3.6, 3.3.2.11 and 2: these are of ID tokens; `nonce` is also in some issuers' access tokens.
_ID_TOKEN_MEMBERS: Final = ("at_hash", "c_hash", "s_hash", "nonce")
# How issuers that do not use RFC 9068 say in the payload what a token is for: Keycloak's `typ`, Cognito's `token_use`.
_DECLARED_USE: Final = {"typ": "bearer", "token_use": "access"}
# The year 9999, which is what a datetime can hold.
_LAST_SECOND: Final = 253_402_300_799


@dataclass(frozen=True, slots=True)
class GrantRule:
    """Grants a role to every token whose top-level member `claim` is `value`, or a list that has it."""

    claim: str
    value: str
    grant: Grant

    def applies(self, claims: JsonObject) -> bool:
        match claims.get(self.claim):
            case str(text):
                return text == self.value or (self.claim in _WORD_LISTS and self.value in text.split(" "))
            case list(values):
                return any(isinstance(value, str) and value == self.value for value in values)
            case _:
                return False


@dataclass(frozen=True, slots=True)
class TokenTerms:
    """What is demanded of the tokens of one issuer, and what they grant."""

    issuer: str
    audiences: tuple[str, ...]
    algorithms: tuple[str, ...]
    rules: tuple[GrantRule, ...]
    skew: timedelta = SKEW
    subject_claim: str = "sub"


def read_caller(claims: JsonObject, terms: TokenTerms, at: datetime, *, declares_access: bool) -> Caller:
    """The caller that an access token speaks for, once all of this holds:

    1. it is of the issuer, octet for octet;
    2. it is a bearer's access token: no attestation token, no ID token, not bound to a key (TOK-11, TOK-15, POL-12);
    3. an audience of the terms is among its own;
    4. `at` is before `exp`, and not before `nbf` and `iat` where they are given, but for the skew;
    5. it names its subject.

    `declares_access` says that the header calls it an access token (RFC 9068, 2.1). Raises `Unauthorized`.
    """
    if claims.get("iss") != terms.issuer:
        raise Unauthorized("the bearer token is of another issuer")
    _require_access_token(claims, declares_access=declares_access)
    _require_audience(claims.get("aud"), terms)
    _require_time(claims, at, terms.skew)
    subject = _read_subject(claims, terms.subject_claim)
    grants = dict.fromkeys(rule.grant for rule in terms.rules if rule.applies(claims))
    return Caller(subject, terms.issuer, tuple(grants))


def _require_access_token(claims: JsonObject, *, declares_access: bool) -> None:
    # Whatever this service signs has such members (rest-api 6.2), and no issuer of access tokens uses the prefix.
    if any(name.lower().startswith("x-ms-") for name in claims):
        raise Unauthorized("an attestation token is no bearer token")
    if "cnf" in claims:
        # RFC 7800: only the holder of a key may use it, and a bearer shows none.
        raise Unauthorized("the bearer token is bound to a key, which is not supported")
    declared = [name for name in _DECLARED_USE if name in claims]
    if any(str(claims[name]).lower() != _DECLARED_USE[name] for name in declared):
        raise Unauthorized("the bearer token is not an access token")
    if not declared and not declares_access and any(name in claims for name in _ID_TOKEN_MEMBERS):
        raise Unauthorized("the bearer token is an ID token; an access token is needed")


def _require_audience(found: JsonValue, terms: TokenTerms) -> None:
    named = found if isinstance(found, list) else [found]
    if not any(isinstance(audience, str) and audience in terms.audiences for audience in named):
        raise Unauthorized(f"the bearer token is for another audience than {' or '.join(terms.audiences)}")


def _require_time(claims: JsonObject, at: datetime, skew: timedelta) -> None:
    expires, not_before, issued = (_read_time(claims, name) for name in ("exp", "nbf", "iat"))
    if expires is None:
        raise Unauthorized("the bearer token does not say when it expires (exp)")
    # RFC 7519, 4.1.4 and 4.1.5: `exp` is the first moment outside the window, `nbf` the first inside it.
    if at >= expires + skew:
        raise Unauthorized(f"the bearer token expired at {_shown(expires)}")
    for name, begins in (("nbf", not_before), ("iat", issued)):
        if begins is not None and at < begins - skew:
            raise Unauthorized(f"the bearer token is not valid before {_shown(begins)} ({name})")
        if begins is not None and expires <= begins:
            raise Unauthorized(f"the bearer token ends before it begins ({name})")


def _read_time(claims: JsonObject, name: str) -> datetime | None:
    """RFC 7519, 2, NumericDate: seconds, fractions of them too."""
    value = claims.get(name)
    if value is None and name not in claims:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _LAST_SECOND - 3600:
        raise Unauthorized(f"the bearer token's {name} is not a time")
    return datetime.fromtimestamp(value, UTC)


def _shown(time: datetime) -> str:
    whole = datetime.fromtimestamp(math.floor(time.timestamp()), UTC)
    return whole.strftime("%Y-%m-%dT%H:%M:%SZ")


def _read_subject(claims: JsonObject, name: str) -> str:
    subject = claims.get(name)
    # POL-13: it stands in logs and in the audit record.
    if not isinstance(subject, str) or not subject or len(subject) > limits.SUBJECT or not subject.isprintable():
        raise Unauthorized(f"the bearer token does not say whose it is ({name})")
    return subject

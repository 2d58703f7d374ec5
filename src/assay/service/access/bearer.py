"""Bearer tokens to callers: the authenticator of administrative requests (RFC 6750, rest-api section 3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, Protocol

from assay import clock, limits
from assay.errors import LimitExceeded, MalformedToken, TokenRejected, Unauthorized
from assay.formats.jws import Jws, decode_members, parse_jws, verify_jws
from assay.formats.key_set import IssuerKey
from assay.formats.strict_json import JsonObject
from assay.service.access.development import DevelopmentIssuer
from assay.service.access.openid import OpenIdKeys
from assay.service.access.roles import Caller
from assay.service.access.terms import TokenTerms, read_caller
from assay.service.access.trusted_issuer import TrustedIssuer

# RFC 9110, 11.4: the scheme in any case. RFC 6750, 2.1, narrowed to what a signature in compact form has.
_BEARER: Final = re.compile(r"(?i:bearer) +([A-Za-z0-9_.-]+)\Z")
# RFC 9068, 2.1 and 4: what access tokens call themselves; others of the same issuer, ID tokens too, are just `JWT`.
_ACCESS_TOKEN_TYPES: Final = ("at+jwt", "application/at+jwt")
_PLAIN_TYPES: Final = ("jwt", "application/jwt")
# RFC 7515, 4.1.3 and 4.1.5: keys out of a token are never read, and a token that brings some is not an access token.
_FOREIGN_KEYS: Final = ("jwk", "x5u")


class _Keys(Protocol):
    """Where the keys of an issuer come from."""

    @property
    def terms(self) -> TokenTerms: ...

    @property
    def key_set_url(self) -> str | None: ...

    async def find(self, key_id: str) -> IssuerKey: ...


class Authenticator:
    """Believes the tokens of the issuers given, and of the development issuer where there is one, and no others."""

    def __init__(
        self,
        issuers: tuple[TrustedIssuer, ...],
        development: DevelopmentIssuer | None,
        clock: Callable[[], datetime] = clock.now,
        monotonic: Callable[[], float] = clock.monotonic,
    ) -> None:
        """Fetches nothing yet; raises `ConfigurationError` for a `ca_file` that has no certificates."""
        self._clock = clock
        self._fetched = tuple(OpenIdKeys(issuer, monotonic) for issuer in issuers)
        local: tuple[_Keys, ...] = () if development is None else (development,)
        self._trusted: dict[str, _Keys] = {keys.terms.issuer: keys for keys in (*self._fetched, *local)}

    async def authenticate(self, authorization: str | None) -> Caller:
        """The caller of the header's value (None for no header), once all of this holds:

        1. it is one bearer token of bounded size, in the form of a signature;
        2. it is of a trusted issuer, with a type and an algorithm that are accepted of that issuer;
        3. the issuer's one key that its `kid` names made the signature;
        4. its claims satisfy the issuer's terms (`terms.read_caller`).

        Raises `Unauthorized`, and `IssuerUnavailable` when the keys that would decide cannot be had.
        """
        jws, claims = _parse(read_token(authorization))
        keys = self._keys_of(claims)
        declares_access = _require_type(jws)
        if jws.algorithm not in keys.terms.algorithms:
            raise Unauthorized("the bearer token's algorithm is not accepted from its issuer")
        await _require_signature(jws, keys)
        return read_caller(claims, keys.terms, self._clock(), declares_access=declares_access)

    def _keys_of(self, claims: JsonObject) -> _Keys:
        """The keys of the issuer that the token claims to be of: no more than a question to those keys."""
        if not self._trusted:
            raise Unauthorized("no issuer of bearer tokens is configured: nobody can be let in")
        issuer = claims.get("iss")
        keys = self._trusted.get(issuer) if isinstance(issuer, str) else None
        if keys is None:
            raise Unauthorized("the bearer token's issuer is not trusted here")
        return keys

    async def refresh_due(self) -> None:
        """Begins the fetches that are due, without waiting for them; meant to be called about once a second."""
        for keys in self._fetched:
            keys.refresh_due()

    async def close(self) -> None:
        """Ends the fetches under way."""
        for keys in self._fetched:
            await keys.close()


def single_authorization(values: Sequence[str]) -> str | None:
    """The value of the one `Authorization` header among those of a request, or None; raises `Unauthorized` for more."""
    if len(values) > 1:
        raise Unauthorized("more than one Authorization header")
    return values[0] if values else None


def read_token(authorization: str | None) -> str:
    """The token in the value of an `Authorization` header; raises `Unauthorized`."""
    if authorization is None:
        raise Unauthorized("a bearer token is needed: there is no Authorization header")
    if len(authorization) > limits.BEARER_TOKEN:
        raise Unauthorized(f"the Authorization header has more than {limits.BEARER_TOKEN} characters")
    found = _BEARER.match(authorization)
    if found is None:
        raise Unauthorized("a bearer token is needed: the Authorization header is not 'Bearer' and a token")
    return found[1]


def _parse(token: str) -> tuple[Jws, JsonObject]:
    try:
        jws = parse_jws(token)
        return jws, decode_members(jws.payload, "payload")
    except (MalformedToken, LimitExceeded) as error:
        raise Unauthorized(f"the bearer token cannot be read: {error.message}") from error


def _require_type(jws: Jws) -> bool:
    """Whether the header calls it an access token; raises `Unauthorized` when it calls it something else."""
    declared = jws.header.get("typ", "JWT")
    kind = declared.lower() if isinstance(declared, str) else ""
    if kind not in (*_ACCESS_TOKEN_TYPES, *_PLAIN_TYPES):
        raise Unauthorized("the bearer token is not an access token (typ)")
    return kind in _ACCESS_TOKEN_TYPES


async def _require_signature(jws: Jws, keys: _Keys) -> None:
    if jws.key_id is None:
        # TOK-05: no trying of one key after another.
        raise Unauthorized("the bearer token names no key (kid)")
    try:
        key = await keys.find(jws.key_id)
        verify_jws(jws, key.public_key, algorithm=key.algorithm)
    except TokenRejected as error:
        raise Unauthorized("the bearer token is not signed by a current key of its issuer") from error
    # TOK-03, TOK-04: never followed.
    if any(name in jws.header for name in _FOREIGN_KEYS) or jws.header.get("jku", keys.key_set_url) != keys.key_set_url:
        raise Unauthorized("the bearer token brings or names keys of its own")

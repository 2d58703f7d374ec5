"""An issuer of bearer tokens that the operator trusts: its terms, and where its keys are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from assay.service.access.terms import AZURE_AUDIENCE, TokenTerms

_PRINTABLE: Final = re.compile(r"[!-~]{1,2048}\Z")
# Both name a tenant of Entra ID; what clients know as its authority is the third (rest-api section 3).
_ENTRA_TENANT: Final = re.compile(r"https://(?:sts\.windows\.net|login\.microsoftonline\.com)/([^/]+)(?:/|/v2\.0)\Z")
_ENTRA_AUTHORITY: Final = "https://login.windows.net/"


class UnsafeAddress(ValueError):
    """An address that keys must not come from; the text says why."""


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """One issuer of the configuration; it can be pickled, so that worker processes share it.

    `key_set_url` is None where discovery finds it. `ca_file` holds the certificates (PEM) that the issuer's TLS is
    checked against in place of the system's; there is no way to leave that check out (attack case IN-12).
    """

    terms: TokenTerms
    key_set_url: str | None = None
    ca_file: Path | None = None

    @property
    def url(self) -> str:
        """`iss` of its tokens, octet for octet."""
        return self.terms.issuer

    @property
    def discovery_url(self) -> str:
        """OpenID Connect Discovery, 4.1: without the issuer's last slash."""
        return f"{self.url.removesuffix('/')}/.well-known/openid-configuration"


def require_safe(address: str, *, loopback: bool) -> str:
    """The address, when keys may be fetched from it: https, or http to this very machine where `loopback` says so.

    Raises `UnsafeAddress`.
    """
    if not _PRINTABLE.match(address):
        raise UnsafeAddress("not an address of printable ASCII characters")
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError as error:
        raise UnsafeAddress(str(error)) from error
    if parts.scheme != "https" and not (loopback and is_loopback(address)):
        raise UnsafeAddress("https only (http for an issuer on the loopback only)")
    if not parts.hostname or parts.username is not None or parts.password is not None or "#" in address:
        raise UnsafeAddress("a host and a path, without user name or fragment")
    return address


def is_loopback(address: str) -> bool:
    """Whether the address is http to this very machine."""
    parts = urlsplit(address)
    if parts.scheme != "http":
        return False
    if parts.hostname == "localhost":
        return True
    try:
        return ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False


def challenge(issuers: tuple[TrustedIssuer, ...], base_url: str) -> str:
    """The value of `WWW-Authenticate` on a 401: where the first issuer is, and for what to ask it (rest-api 3).

    Where none is configured it names the service itself, whose operator would know.
    """
    if not issuers:
        return f'Bearer authorization_uri="{base_url}", resource="{AZURE_AUDIENCE}"'
    first = issuers[0]
    audiences = first.terms.audiences
    resource = AZURE_AUDIENCE if AZURE_AUDIENCE in audiences else audiences[0]
    tenant = _ENTRA_TENANT.match(first.url)
    authority = f"{_ENTRA_AUTHORITY}{tenant[1]}" if tenant else first.url
    return f'Bearer authorization_uri="{authority}", resource="{resource}"'

"""Who may do what: callers out of bearer tokens of trusted issuers, and their roles (rest-api section 3)."""

from __future__ import annotations

from assay.service.access.bearer import Authenticator, single_authorization
from assay.service.access.configuration import read_issuers
from assay.service.access.development import (
    DevelopmentIssuer,
    ensure_development_tokens,
    load_development_issuer,
    token_file,
)
from assay.service.access.roles import EVERY_PROVIDER, Action, Caller, Grant, Role
from assay.service.access.trusted_issuer import TrustedIssuer, challenge

__all__ = [
    "EVERY_PROVIDER",
    "Action",
    "Authenticator",
    "Caller",
    "DevelopmentIssuer",
    "Grant",
    "Role",
    "TrustedIssuer",
    "challenge",
    "ensure_development_tokens",
    "load_development_issuer",
    "read_issuers",
    "single_authorization",
    "token_file",
]

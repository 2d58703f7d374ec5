"""The address of discovery, and what a 401 tells a caller to ask for."""

from __future__ import annotations

import pytest

from assay.service.access import TrustedIssuer, challenge
from assay.service.access.terms import AZURE_AUDIENCE, TokenTerms


def issuer(url: str, *audiences: str) -> TrustedIssuer:
    return TrustedIssuer(TokenTerms(url, audiences, ("RS256",), ()))


@pytest.mark.parametrize("url", ["https://issuer.example/tenant", "https://issuer.example/tenant/"])
def test_discovery_is_below_the_issuer(url: str) -> None:
    """OpenID Connect Discovery, 4.1."""
    assert issuer(url).discovery_url == "https://issuer.example/tenant/.well-known/openid-configuration"


@pytest.mark.parametrize(
    ("issuers", "said"),
    [
        ((), 'Bearer authorization_uri="https://here.example", resource="https://attest.azure.net"'),
        (
            (issuer("https://sts.windows.net/1111-22/", AZURE_AUDIENCE), issuer("https://other.example", "other")),
            'Bearer authorization_uri="https://login.windows.net/1111-22", resource="https://attest.azure.net"',
        ),
        (
            (issuer("https://login.microsoftonline.com/1111-22/v2.0", "api://assay", AZURE_AUDIENCE),),
            'Bearer authorization_uri="https://login.windows.net/1111-22", resource="https://attest.azure.net"',
        ),
        (
            (issuer("https://id.example/realms/a", "assay"),),
            'Bearer authorization_uri="https://id.example/realms/a", resource="assay"',
        ),
        (
            (issuer("https://sts.windows.net.example/1111-22/", AZURE_AUDIENCE),),
            'Bearer authorization_uri="https://sts.windows.net.example/1111-22/", resource="https://attest.azure.net"',
        ),
    ],
)
def test_the_challenge_names_the_first_issuer(issuers, said: str) -> None:
    assert challenge(issuers, "https://here.example") == said

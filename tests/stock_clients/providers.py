"""Providers of a running service for the stock clients, made over its control plane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azure.core.exceptions import HttpResponseError

    from tests.administrators import PolicySigningKey
    from tests.service.running import Running

SUBSCRIPTION = "00000000-0000-0000-0000-00000000000b"
_GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/stock/providers/Microsoft.Attestation/attestationProviders"


def bearer(service: Running, role: str) -> str:
    """The development token of a role, which `assay serve --dev` writes."""
    return (service.state_dir / "dev" / f"{role}.token").read_text()


def code_of(error: HttpResponseError) -> str | None:
    """The code of the error body, as the client reads it."""
    return None if error.error is None else error.error.code


def create_provider(service: Running, name: str, *signers: PolicySigningKey) -> str:
    """A new provider, isolated when it has signers; its base URL."""
    properties: dict[str, Any] = {}
    if signers:
        properties["policySigningCertificates"] = {"keys": [signer.jwk for signer in signers]}
    with service.client() as client:
        response = client.put(
            f"{_GROUP}/{name}?api-version=2021-06-01",
            json={"location": "here", "properties": properties},
            headers={"Authorization": f"Bearer {bearer(service, 'operator')}"},
        )
    assert response.status_code == 201, response.text
    return str(response.json()["properties"]["attestUri"])

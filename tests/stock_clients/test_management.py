"""`azure-mgmt-attestation` makes, shows, changes and deletes providers over TLS with a private authority (rest-api 14).

It asks for tokens of the scope `https://management.azure.com/.default`, refuses to send them over plain http, and takes
a private authority as `connection_verify`, to the constructor.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Self

import pytest

from tests.administrators import PERMIT_ALL, signer
from tests.service.material import SGX, claims_of, sgx_body
from tests.stock_clients.providers import SUBSCRIPTION, bearer, code_of

management = pytest.importorskip("azure.mgmt.attestation", reason="azure-mgmt-attestation is not installed")
from azure.core.credentials import AccessToken  # noqa: E402
from azure.core.exceptions import (  # noqa: E402
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
    ServiceRequestError,
)
from azure.mgmt.attestation.models import (  # noqa: E402
    AttestationServiceCreationParams,
    AttestationServiceCreationSpecificParams,
    AttestationServicePatchParams,
    AttestationServicePatchSpecificParams,
    JSONWebKey,
    JSONWebKeySet,
)

if TYPE_CHECKING:
    from tests.service.running import Running

pytestmark = pytest.mark.optional("azure")
ALICE, BOB = signer("alice"), signer("bob")
SCOPE = "https://management.azure.com/.default"


class Credential:
    """Hands out a development token for the one scope that the client asks for."""

    def __init__(self, text: str) -> None:
        self._text = text

    def get_token(self, *scopes: str, **_options: object) -> AccessToken:
        assert scopes == (SCOPE,)
        return AccessToken(self._text, 4102444800)


class AsyncCredential(Credential):
    async def get_token(self, *scopes: str, **_options: object) -> AccessToken:  # type: ignore[override]
        return super().get_token(*scopes)

    async def close(self) -> None:
        return None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_raised: object) -> None:
        return None


@contextlib.contextmanager
def connected(service: Running, role: str = "operator", base_url: str | None = None, **more: Any):
    options: dict[str, Any] = {"connection_verify": str(service.ca), "retry_total": 0, **more}
    credential = Credential(bearer(service, role))
    with management.AttestationManagementClient(credential, SUBSCRIPTION, base_url or service.url, **options) as client:
        yield client


def wanted(*signers, **properties: Any) -> AttestationServiceCreationParams:
    if signers:
        keys = [JSONWebKey(kty="RSA", x5_c=each.x5c) for each in signers]
        properties["policy_signing_certificates"] = JSONWebKeySet(keys_property=keys)
    return AttestationServiceCreationParams(
        location="East US",
        tags={"owner": "tests"},
        properties=AttestationServiceCreationSpecificParams(**properties),
    )


def names(listed: Any) -> set[str]:
    return {each.name for each in listed.value}


def test_an_aad_provider_lives(service: Running) -> None:
    with connected(service) as client:
        providers = client.attestation_providers
        made = providers.create("group-aad", "managed-aad", wanted())
        assert made.name == "managed-aad"
        assert made.type == "Microsoft.Attestation/attestationProviders"
        assert made.id == (
            f"/subscriptions/{SUBSCRIPTION}/resourceGroups/group-aad/"
            "providers/Microsoft.Attestation/attestationProviders/managed-aad"
        )
        assert (made.location, made.tags) == ("East US", {"owner": "tests"})
        assert (made.properties.trust_model, made.properties.status) == ("AAD", "Ready")
        assert (made.properties.public_network_access, made.properties.tpm_attestation_authentication) == (
            "Enabled",
            "Enabled",
        )
        assert providers.get("GROUP-AAD", "Managed-AAD").as_dict() == made.as_dict()
        # What it answers with is a provider: keys, policy, tokens under its own name.
        with service.client() as wire:
            address = made.properties.attest_uri
            assert wire.get(f"{address}/.well-known/openid-configuration").json()["issuer"] == address
            assert claims_of(wire.post(f"{address}{SGX}", json=sgx_body()))["iss"] == address
        change = AttestationServicePatchParams(
            tags={"owner": "others"},
            properties=AttestationServicePatchSpecificParams(
                public_network_access="Disabled", tpm_attestation_authentication="Disabled"
            ),
        )
        changed = providers.update("group-aad", "managed-aad", change)
        assert changed.tags == {"owner": "others"}
        assert (changed.properties.public_network_access, changed.properties.tpm_attestation_authentication) == (
            "Disabled",
            "Disabled",
        )
        assert providers.get("group-aad", "managed-aad").as_dict() == changed.as_dict()
        assert names(providers.list_by_resource_group("group-aad")) == {"managed-aad"}
        assert "managed-aad" in names(providers.list())
        providers.delete("group-aad", "managed-aad")
        with pytest.raises(ResourceNotFoundError):
            providers.get("group-aad", "managed-aad")
        assert names(providers.list_by_resource_group("group-aad")) == set()
        # Deleting what is not there succeeds.
        providers.delete("group-aad", "managed-aad")
        with service.client() as wire:
            assert wire.get(f"{address}/certs").status_code == 404


def test_an_isolated_provider_lives(service: Running) -> None:
    with connected(service) as client:
        providers = client.attestation_providers
        made = providers.create("group-iso", "managed-iso", wanted(ALICE, BOB))
        assert made.properties.trust_model == "Isolated"
        assert "policySigningCertificates" not in made.as_dict()["properties"]
        with service.client() as wire:
            headers = {"Authorization": f"Bearer {bearer(service, 'contributor')}"}
            address = f"{made.properties.attest_uri}/policies/SgxEnclave?api-version=2020-10-01"
            assert wire.put(address, content=BOB.policy(PERMIT_ALL), headers=headers).status_code == 200
            stranger = signer("carol").policy(PERMIT_ALL)
            assert wire.put(address, content=stranger, headers=headers).status_code == 400
        # The same again is an update; another set of signers is not (rest-api 8.1).
        again = providers.create("group-iso", "managed-iso", wanted(ALICE, BOB, public_network_access="Enabled"))
        assert again.as_dict() == made.as_dict()
        with pytest.raises(HttpResponseError) as caught:
            providers.create("group-iso", "managed-iso", wanted(ALICE))
        assert (caught.value.status_code, code_of(caught.value)) == (400, "InvalidOperation")
        providers.delete("group-iso", "managed-iso")


def test_shared_providers_are_the_default_providers(service: Running) -> None:
    with connected(service) as client:
        body = {"location": "North Sea", "properties": {"assay": {"shared": True}}}
        made = client.attestation_providers.create("group-shared", "sharednorthsea", body)
        assert made.id == "providers/Microsoft.Attestation/attestationProviders/sharednorthsea"
        listed = client.attestation_providers.list_default()
        assert [each.as_dict() for each in listed.value if each.name == made.name] == [made.as_dict()]
        for location in ("North Sea", "northsea"):
            found = client.attestation_providers.get_default_by_location(location)
            assert found.as_dict() == made.as_dict()
        with pytest.raises(ResourceNotFoundError):
            client.attestation_providers.get_default_by_location("South Sea")
        assert "sharednorthsea" not in names(client.attestation_providers.list())
        client.attestation_providers.delete("group-shared", "sharednorthsea")


def test_operations_and_private_links_are_listed(service: Running) -> None:
    with connected(service) as client:
        described = {each.name: each.display.provider for each in client.operations.list()}
        assert described["Microsoft.Attestation/attestationProviders/attestation/read"] == "Microsoft.Attestation"
        client.attestation_providers.create("group-links", "managed-links", wanted())
        assert list(client.private_endpoint_connections.list("group-links", "managed-links")) == []
        assert client.private_link_resources.list_by_provider("group-links", "managed-links").value == []
        with pytest.raises(ResourceNotFoundError):
            client.private_endpoint_connections.get("group-links", "managed-links", "any")
        client.private_endpoint_connections.delete("group-links", "managed-links", "any")
        client.attestation_providers.delete("group-links", "managed-links")


def test_refusals_arrive_as_the_client_reads_them(service: Running) -> None:
    with connected(service, role="contributor") as client:
        with pytest.raises(ClientAuthenticationError) as caught:
            client.attestation_providers.create("group", "managed-no", wanted())
        assert caught.value.status_code == 401
        assert "managed-no" not in names(client.attestation_providers.list())
    with connected(service) as client:
        with pytest.raises(HttpResponseError) as refused:
            client.attestation_providers.create("group", "no", wanted())
        assert refused.value.status_code == 400
        client.attestation_providers.create("group-one", "managed-taken", wanted())
        with pytest.raises(HttpResponseError) as refused:
            client.attestation_providers.create("group-two", "managed-taken", wanted())
        assert refused.value.status_code == 409
        client.attestation_providers.delete("group-one", "managed-taken")


def test_a_slash_after_the_address_does_no_harm(service: Running) -> None:
    with connected(service, base_url=f"{service.url}/") as client:
        client.attestation_providers.list()
        client.attestation_providers.list_default()


def test_without_the_authority_nothing_is_sent(service: Running) -> None:
    with connected(service, connection_verify=True) as client, pytest.raises(ServiceRequestError):
        client.attestation_providers.list()


def test_the_asynchronous_client(service: Running) -> None:
    pytest.importorskip("aiohttp", reason="aiohttp is not installed: the asynchronous stock client needs it")
    from azure.mgmt.attestation.aio import AttestationManagementClient

    async def scene() -> None:
        credential = AsyncCredential(bearer(service, "operator"))
        options: dict[str, Any] = {"connection_verify": str(service.ca)}
        async with AttestationManagementClient(credential, SUBSCRIPTION, service.url, **options) as client:
            providers = client.attestation_providers
            made: Any = await providers.create("group-aio", "managed-aio", wanted(ALICE))
            assert made.properties.trust_model == "Isolated"
            assert (await providers.get("group-aio", "managed-aio")).as_dict() == made.as_dict()
            assert names(await providers.list_by_resource_group("group-aio")) == {"managed-aio"}
            await providers.delete("group-aio", "managed-aio")
            with pytest.raises(ResourceNotFoundError):
                await providers.get("group-aio", "managed-aio")

    asyncio.run(scene())

"""`azure-security-attestation` 1.0.0 administers an AAD and an isolated provider (rest-api 8, 9, 15.1), checks on."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from assay.evidence import POLICY_TYPES
from tests.administrators import PERMIT_ALL, PolicySigningKey, signer
from tests.service.material import BROKEN, PERMIT
from tests.stock_clients.providers import bearer, code_of, create_provider

attestation = pytest.importorskip("azure.security.attestation", reason="azure-security-attestation is not installed")
from azure.core.credentials import AccessToken  # noqa: E402
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.service.running import Running

pytestmark = [
    pytest.mark.optional("azure"),
    # The client is of 2021 and warns about its own use of its libraries.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning"),
]
ALICE, BOB = signer("alice"), signer("bob")
TYPES = ("SgxEnclave", "OpenEnclave", "Tpm")


class Credential:
    """Hands out a development token, whatever scope is asked for."""

    def __init__(self, text: str) -> None:
        self._text = text

    def get_token(self, *scopes: str, **_options: object) -> AccessToken:
        assert scopes == ("https://attest.azure.net/.default",)
        return AccessToken(self._text, 4102444800)


class AsyncCredential(Credential):
    async def get_token(self, *scopes: str, **_options: object) -> AccessToken:  # type: ignore[override]
        return super().get_token(*scopes)

    async def close(self) -> None:
        return None


class Client:
    """The operations of either client as plain calls, with every check of theirs on."""

    def __init__(self, client: Any, url: str, wait: Callable[[Any], Any]) -> None:
        self._client, self._url, self._wait = client, url, wait

    def __getattr__(self, name: str) -> Callable[..., Any]:
        operation = getattr(self._client, name)
        strict = {"validate_token": True, "validate_signature": True, "validate_issuer": True, "issuer": self._url}
        return lambda *arguments, **options: self._wait(operation(*arguments, **{**strict, **options}))


@pytest.fixture(params=["sync", "aio"])
def connect(request: pytest.FixtureRequest, service: Running):
    """Opens the stock client, the synchronous or the asynchronous one, for a provider and a role."""
    options = {"connection_verify": str(service.ca)}

    @contextlib.contextmanager
    def open_sync(url: str, role: str = "contributor", **more: Any):
        credential = Credential(bearer(service, role))
        with attestation.AttestationAdministrationClient(url, credential, **options, **more) as client:
            yield Client(client, url, lambda result: result)

    @contextlib.contextmanager
    def open_async(url: str, role: str = "contributor", **more: Any):
        pytest.importorskip("aiohttp", reason="aiohttp is not installed: the asynchronous stock client needs it")
        from azure.security.attestation.aio import AttestationAdministrationClient

        with asyncio.Runner() as runner:

            async def make():
                credential = AsyncCredential(bearer(service, role))
                return await AttestationAdministrationClient(url, credential, **options, **more).__aenter__()

            client = runner.run(make())
            try:
                yield Client(client, url, lambda result: runner.run(awaited(result)))
            finally:
                runner.run(client.close())

    return {"sync": open_sync, "aio": open_async}[request.param]


async def awaited(result: Any) -> Any:
    return await result


def provider(service: Running, request: pytest.FixtureRequest, name: str, *signers: PolicySigningKey) -> str:
    return create_provider(service, f"python-{request.node.callspec.params['connect']}-{name}", *signers)


def keys_of(who: PolicySigningKey) -> dict[str, str]:
    return {"signing_key": who.key_pem, "signing_certificate": who.certificate_pem}


def der_of(pem: str) -> bytes:
    return base64.b64decode("".join(line for line in pem.splitlines() if not line.startswith("-----")))


def test_an_aad_provider_is_administered(connect, service: Running, request: pytest.FixtureRequest) -> None:
    url = provider(service, request, "aad")
    with connect(url) as client:
        for policy_type in TYPES:
            result, token = client.set_policy(policy_type, PERMIT_ALL)
            assert result.policy_resolution == "Updated"
            # rest-api 18: of the unsecured JWS as this library writes it.
            assert base64.urlsafe_b64encode(result.policy_token_hash).rstrip(b"=") == (
                b"pyhI2FKMjRkvpvwS07hLclAyvsi5O4TrnzL5OPsIxzM"
            )
            assert token.algorithm == "RS256"
            text, _ = client.get_policy(policy_type)
            assert text == PERMIT_ALL
            result, _ = client.set_policy(policy_type, PERMIT, **keys_of(BOB))
            assert result.policy_resolution == "Updated"
            assert der_of(result.policy_signer.certificates[0]) == BOB.certificates[0]
            text, _ = client.get_policy(policy_type)
            assert text == PERMIT
            result, _ = client.reset_policy(policy_type)
            assert result.policy_resolution == "Removed"
            result, _ = client.reset_policy(policy_type, **keys_of(BOB))
            assert result.policy_resolution == "Removed"
            text, _ = client.get_policy(policy_type)
            # Where nothing is set and the type has no default, the client reads an empty text.
            assert text == (POLICY_TYPES[policy_type].default_policy or "")
        found, _ = client.get_policy_management_certificates()
        assert found == []
        with pytest.raises(HttpResponseError) as caught:
            client.add_policy_management_certificate(BOB.certificate_pem, **keys_of(ALICE))
        assert (caught.value.status_code, code_of(caught.value)) == (400, "InvalidOperation")


def test_an_isolated_provider_is_administered(connect, service: Running, request: pytest.FixtureRequest) -> None:
    url = provider(service, request, "iso", ALICE)

    def listed(client: Client) -> list[bytes]:
        found, _ = client.get_policy_management_certificates()
        return [der_of(chain[0]) for chain in found]

    with connect(url) as client:
        assert listed(client) == [ALICE.certificates[0]]
        result, _ = client.set_policy("SgxEnclave", PERMIT, **keys_of(ALICE))
        assert result.policy_resolution == "Updated"
        assert der_of(result.policy_signer.certificates[0]) == ALICE.certificates[0]
        text, _ = client.get_policy("SgxEnclave")
        assert text == PERMIT
        for _ in range(2):
            result, _ = client.add_policy_management_certificate(BOB.certificate_pem, **keys_of(ALICE))
            assert (result.certificate_resolution, result.certificate_thumbprint) == ("IsPresent", BOB.thumbprint)
        assert listed(client) == [ALICE.certificates[0], BOB.certificates[0]]
        result, _ = client.set_policy("SgxEnclave", PERMIT_ALL, **keys_of(BOB))
        assert result.policy_resolution == "Updated"
        for _ in range(2):
            result, _ = client.remove_policy_management_certificate(BOB.certificate_pem, **keys_of(ALICE))
            assert (result.certificate_resolution, result.certificate_thumbprint) == ("IsAbsent", BOB.thumbprint)
        assert listed(client) == [ALICE.certificates[0]]
        result, _ = client.reset_policy("SgxEnclave", **keys_of(ALICE))
        assert result.policy_resolution == "Removed"


def test_keys_given_to_the_client_sign_everything(connect, service: Running, request: pytest.FixtureRequest) -> None:
    url = provider(service, request, "keys", ALICE)
    with connect(url, **keys_of(ALICE)) as client:
        result, _ = client.set_policy("SgxEnclave", PERMIT)
        assert result.policy_resolution == "Updated"
        result, _ = client.add_policy_management_certificate(BOB.certificate_pem)
        assert result.certificate_resolution == "IsPresent"


def test_refusals_arrive_as_the_client_reads_them(connect, service: Running, request: pytest.FixtureRequest) -> None:
    url = provider(service, request, "no", ALICE)
    with connect(url) as client:
        for options, policy, code in (
            ({}, PERMIT, "InvalidOperation"),
            (keys_of(BOB), PERMIT, "InvalidOperation"),
            (keys_of(ALICE), BROKEN, "PolicyParsingError"),
        ):
            with pytest.raises(HttpResponseError) as caught:
                client.set_policy("SgxEnclave", policy, **options)
            assert caught.value.status_code == 400
            assert code in str(caught.value)
        with pytest.raises(HttpResponseError) as caught:
            client.remove_policy_management_certificate(ALICE.certificate_pem, **keys_of(ALICE))
        assert code_of(caught.value) == "InvalidOperation"
        with pytest.raises(attestation.AttestationTokenValidationException):
            client.get_policy("SgxEnclave", issuer=f"{url}/")
    with connect(url, role="reader") as client:
        text, _ = client.get_policy("SgxEnclave")
        assert text == POLICY_TYPES["SgxEnclave"].default_policy
        with pytest.raises(ClientAuthenticationError):
            client.set_policy("SgxEnclave", PERMIT, **keys_of(ALICE))

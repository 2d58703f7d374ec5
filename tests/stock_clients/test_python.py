"""`azure-security-attestation` 1.0.0 over TLS with a private authority, its own checks on (rest-api 15.1)."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from assay.formats import base64url
from tests.service.material import BROKEN, DENY, HELD, PERMIT

attestation = pytest.importorskip("azure.security.attestation", reason="azure-security-attestation is not installed")
core = pytest.importorskip("azure.core", reason="azure-core is not installed")
from azure.core.credentials import AccessToken  # noqa: E402
from azure.core.exceptions import HttpResponseError  # noqa: E402

if TYPE_CHECKING:
    from tests.service.running import Running
    from tests.stock_clients.samples import Sample

pytestmark = [
    pytest.mark.optional("azure"),
    # The client is of 2021 and warns about its own use of its libraries.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning"),
]


class Credential:
    """The client demands one even for anonymous operations; what it sends is ignored there."""

    def get_token(self, *_scopes: str, **_options: object) -> AccessToken:
        return AccessToken("a bearer of somebody", 4102444800)


class AsyncCredential:
    async def get_token(self, *_scopes: str, **_options: object) -> AccessToken:
        return AccessToken("a bearer of somebody", 4102444800)

    async def close(self) -> None:
        return None


@pytest.fixture
def connect(service: Running):
    return lambda: attestation.AttestationClient(service.url, Credential(), connection_verify=str(service.ca))


def strict(service: Running) -> dict[str, Any]:
    return {"validate_token": True, "validate_signature": True, "validate_issuer": True, "issuer": service.url}


def attest(client, sample: Sample, **options: Any):
    operation = client.attest_sgx_enclave if sample.kind == "SgxEnclave" else client.attest_open_enclave
    return operation(sample.evidence, **options)


def check(result, sample: Sample, service: Running) -> None:
    assert result.mr_enclave == sample.mr_enclave
    assert result.mr_signer == sample.mr_signer
    assert result.product_id == sample.product_id
    assert result.svn == sample.svn
    assert result.is_debuggable is sample.is_debuggable
    assert result.issuer == service.url
    assert result.verifier_type == "sgx"
    assert result.version == "1.0"
    assert len(result.unique_id) == 64
    assert len(result.policy_hash) == 32
    assert len(result.sgx_collateral["quotehash"]) == 64


def check_all(service: Running, samples: list[Sample]) -> None:
    with attestation.AttestationClient(service.url, Credential(), connection_verify=str(service.ca)) as client:
        for sample in samples:
            result, _ = attest(client, sample, **strict(service))
            check(result, sample, service)
            assert result.runtime_claims is None
            assert result.enclave_held_data is None
            result, token = attest(client, sample, runtime_data=sample.runtime, **strict(service))
            check(result, sample, service)
            assert result.enclave_held_data == sample.runtime
            assert token.algorithm == "RS256"
            if sample.runtime_json:
                result, _ = attest(client, sample, runtime_json=sample.runtime, **strict(service))
                check(result, sample, service)
                assert result.runtime_claims == json.loads(sample.runtime)
                assert result.enclave_held_data is None


def test_synthetic_evidence_is_attested(service: Running, samples: list[Sample]) -> None:
    check_all(service, samples)


@pytest.mark.optional("shared")
def test_genuine_evidence_is_attested(genuine_service: Running, genuine: list[Sample]) -> None:
    check_all(genuine_service, genuine)


def test_the_clients_checks_are_on(service: Running, connect, samples: list[Sample]) -> None:
    """The control: with another issuer expected, the same token is refused."""
    with connect() as client, pytest.raises(attestation.AttestationTokenValidationException):
        attest(client, samples[0], validate_issuer=True, issuer=service.url + "/")


def test_a_callback_sees_the_signer(connect, samples: list[Sample]) -> None:
    seen = []
    with connect() as client:
        attest(client, samples[0], validation_callback=lambda token, signer: seen.append((token, signer)))
    ((token, signer),) = seen
    assert token.key_id == signer.key_id
    assert signer.certificates[0].startswith("-----BEGIN CERTIFICATE-----")


def test_draft_policies(service: Running, connect, samples: list[Sample]) -> None:
    with connect() as client:
        for sample in samples:
            result, token = attest(client, sample, draft_policy=PERMIT, **strict(service))
            check(result, sample, service)
            assert token.algorithm == "none"
            assert result.policy_claims == {"drafted": True}
            for policy, code in ((DENY, "PolicyEvaluationError"), (BROKEN, "PolicyParsingError")):
                with pytest.raises(HttpResponseError) as caught:
                    attest(client, sample, draft_policy=policy)
                assert caught.value.status_code == 400
                assert code in str(caught.value)


def test_refusals_arrive_as_the_client_reads_them(connect, samples: list[Sample]) -> None:
    with connect() as client:
        with pytest.raises(HttpResponseError) as caught:
            attest(client, samples[0], runtime_data=b"something else")
        assert caught.value.status_code == 400
        assert caught.value.error is not None
        assert caught.value.error.code == "InvalidParameter"
        assert "runtime_data.binding" in str(caught.value.error.message)
        with pytest.raises(HttpResponseError) as caught:
            attest(client, samples[0], inittime_json=b"{}", runtime_data=HELD[:-1])
        assert caught.value.status_code == 400


def test_certificates_and_metadata(service: Running, connect) -> None:
    with connect() as client:
        signer, _ = client.get_signing_certificates()
        assert base64.b64decode(signer.key_id, validate=True)
        metadata = client.get_open_id_metadata()
        assert metadata["issuer"] == service.url
        assert metadata["jwks_uri"] == f"{service.url}/certs"


def test_without_the_authority_nothing_is_sent(service: Running, samples: list[Sample]) -> None:
    client = attestation.AttestationClient(service.url, Credential(), retry_total=0)
    with client, pytest.raises(core.exceptions.ServiceRequestError):
        attest(client, samples[0])


def test_the_asynchronous_client(service: Running, samples: list[Sample]) -> None:
    pytest.importorskip("aiohttp", reason="aiohttp is not installed: the asynchronous stock client needs it")
    from azure.security.attestation.aio import AttestationClient

    async def scene() -> None:
        options = {"connection_verify": str(service.ca)}
        async with AttestationClient(service.url, AsyncCredential(), **options) as client:
            for sample in samples:
                result, _ = await attest(client, sample, runtime_data=sample.runtime, **strict(service))
                check(result, sample, service)
                result, _ = await attest(client, sample, runtime_json=sample.runtime, **strict(service))
                assert result.runtime_claims == json.loads(sample.runtime)
                _, token = await attest(client, sample, draft_policy=PERMIT)
                assert token.algorithm == "none"
                with pytest.raises(HttpResponseError):
                    await attest(client, sample, draft_policy=DENY)
            signer, _ = await client.get_signing_certificates()
            assert signer.key_id
            assert (await client.get_open_id_metadata())["issuer"] == service.url

    asyncio.run(scene())


def test_the_policy_hash_is_that_of_the_text(connect, samples: list[Sample]) -> None:
    import hashlib

    with connect() as client:
        result, _ = attest(client, samples[0], draft_policy=PERMIT)
    assert result.policy_hash == hashlib.sha256(base64url.encode(PERMIT.encode()).encode()).digest()

"""A warm attest asks neither the database nor a vendor (issue 2; design section 8)."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import event

from assay.collateral import VendorService
from assay.endorsements.documents import Document, DocumentKind, Need
from assay.errors import EndorsementUnavailable
from tests.service.in_process import application
from tests.service.material import (
    BROKEN,
    DENY,
    HELD,
    OPEN_ENCLAVE,
    PERMIT,
    SGX,
    claims_of,
    held_data,
    open_enclave_body,
    quote,
    refusal_of,
    sgx_body,
)


class Vendor(VendorService):
    """Stands for Intel's service: hands out the simulator's documents and counts (quote-verification 6.1)."""

    def __init__(self) -> None:
        self.fetched: list[Need] = []
        collateral = quote().collateral
        chain = collateral.tcb_signing_chain
        self._documents = {
            DocumentKind.INTEL_ROOT_CRL: (collateral.root_ca_crl, b""),
            DocumentKind.INTEL_PCK_CRL: (collateral.pck_crl, b""),
            DocumentKind.INTEL_TCB_INFO: (collateral.tcb_info, chain),
            DocumentKind.INTEL_QE_IDENTITY: (collateral.qe_identity, chain),
        }

    @property
    def kinds(self) -> frozenset[DocumentKind]:
        return frozenset(self._documents)

    async def fetch(self, need: Need) -> Document:
        self.fetched.append(need)
        if need.kind not in self._documents:
            raise EndorsementUnavailable((str(need),))
        body, chain = self._documents[need.kind]
        return Document(need.kind, body, chain, "vendor")

    async def close(self) -> None:
        return None


@pytest.fixture
def online(dev_settings):
    return replace(dev_settings, collateral=(), offline=False)


def test_a_warm_attest_issues_no_statement_and_no_fetch(online) -> None:
    async def scene() -> None:
        vendor = Vendor()
        async with application(online, services=[vendor]) as running:
            cold = await running.client.post(SGX, json=sgx_body())
            claims_of(cold)
            assert {need.kind for need in vendor.fetched} == vendor.kinds
            fetched = len(vendor.fetched)
            statements: list[str] = []
            event.listen(running.state.store.engine, "before_cursor_execute", lambda *all_: statements.append(all_[2]))
            for number in range(20):
                # Every time other evidence of the known platform, and every way to end.
                held = b'{"n":%d}' % number
                body = sgx_body(held, runtimeData=held_data(held, "JSON"), nonce=str(number))
                claims_of(await running.client.post(SGX, json=body))
                body = open_enclave_body(held, runtimeData=held_data(held, "Binary"))
                claims_of(await running.client.post(OPEN_ENCLAVE, json=body))
            claims_of(await running.client.post(SGX, json=sgx_body(draftPolicyForAttestation=PERMIT)))
            denied = await running.client.post(SGX, json=sgx_body(draftPolicyForAttestation=DENY))
            refusal_of(denied, 400, "PolicyEvaluationError")
            broken = await running.client.post(SGX, json=sgx_body(draftPolicyForAttestation=BROKEN))
            refusal_of(broken, 400, "PolicyParsingError")
            unbound = await running.client.post(SGX, json=sgx_body(None, runtimeData=held_data(HELD, "JSON")))
            refusal_of(unbound, 400, "InvalidParameter")
            for path in ("/certs", "/.well-known/openid-configuration", "/readyz"):
                assert (await running.client.get(path)).status_code == 200
            assert statements == []
            assert len(vendor.fetched) == fetched

    asyncio.run(scene())


def test_what_was_fetched_is_at_hand_after_a_restart(online) -> None:
    async def scene() -> None:
        async with application(online, services=[Vendor()]) as running:
            claims_of(await running.client.post(SGX, json=sgx_body()))
        vendor = Vendor()
        async with application(online, services=[vendor]) as running:
            claims_of(await running.client.post(SGX, json=sgx_body()))
            assert vendor.fetched == []

    asyncio.run(scene())


def test_a_stranger_cannot_make_the_service_fetch(online) -> None:
    """Evidence that does not reach a pinned root, or whose signature is wrong, asks nobody (design, section 3)."""
    evidence = bytearray(quote().evidence)
    evidence[100] ^= 1

    async def scene() -> None:
        from assay.formats import base64url

        vendor = Vendor()
        settings = replace(online, database_url=online.database_url.replace("assay.db", "stranger.db"))
        from assay.service.server import prepare

        prepare(settings)
        async with application(settings, services=[vendor]) as running:
            response = await running.client.post(SGX, json={"quote": base64url.encode(bytes(evidence))})
            refusal_of(response, 400, "InvalidParameter")
            production = replace(
                settings, dev=False, unsafe_verify_at=None, tls_cert=online.state_dir, tls_key=online.state_dir
            )
        async with application(production, services=[vendor]) as running:
            response = await running.client.post(SGX, json=sgx_body())
            error = refusal_of(response, 400, "InvalidParameter")
            assert error["deciding"]["target"] == "pck_chain.root"
        assert vendor.fetched == []

    asyncio.run(scene())

"""A warm attest asks neither the database nor a vendor (issue 2; design section 8)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event

from assay.collateral import VendorService
from assay.endorsements.documents import DocumentKind
from assay.errors import EndorsementUnavailable
from assay.formats import base64url
from assay.service.config import read_rules
from tests.appraisals import documents_in, read_json
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
from tests.shared_vectors import shared_path

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from assay.endorsements.documents import Document, Need


def answers_of(folder: Path) -> dict[DocumentKind, Document]:
    """What the vendor would answer from a folder, each document with its own issuers (quote-verification 6.1)."""
    issuers = (folder / "collateral" / "pck_crl_issuer_chain.pem").read_bytes()
    root = issuers[issuers.rindex(b"-----BEGIN") :]
    chains = {DocumentKind.INTEL_PCK_CRL: issuers, DocumentKind.INTEL_ROOT_CRL: root}
    found = documents_in(folder)
    return {
        kind: replace(document, issuer_chain=chains.get(kind, document.issuer_chain))
        for kind, document in found.items()
    }


class Vendor(VendorService):
    """Stands for Intel's service (quote-verification 6.1): hands out documents and counts."""

    def __init__(self, documents: Mapping[DocumentKind, Document]) -> None:
        self.fetched: list[Need] = []
        self._documents = documents

    @property
    def kinds(self) -> frozenset[DocumentKind]:
        return frozenset(self._documents)

    async def fetch(self, need: Need) -> Document:
        self.fetched.append(need)
        if need.kind not in self._documents:
            raise EndorsementUnavailable((str(need),))
        return self._documents[need.kind]

    async def close(self) -> None:
        return None


def watch(running) -> list[str]:
    """The statements from now on."""
    statements: list[str] = []

    def note(_connection, _cursor, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(running.state.store.engine, "before_cursor_execute", note)
    return statements


def test_a_warm_attest_issues_no_statement_and_no_fetch(dev_settings, collateral) -> None:
    async def scene() -> None:
        vendor = Vendor(answers_of(collateral.parent))
        async with application(replace(dev_settings, offline=False), services=[vendor]) as running:
            claims_of(await running.client.post(SGX, json=sgx_body()))
            statements = watch(running)
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
            assert vendor.fetched == []

    asyncio.run(scene())


@pytest.mark.optional("shared")
def test_a_genuine_platform_is_asked_about_once_and_remembered(dev_settings) -> None:
    """The vendor is asked only about platforms that its own root certified: this takes real evidence."""
    vector = shared_path("evidence/sgx-quote/sgx-rkl-confswhardening-dcapqvl")
    at = datetime.fromisoformat(str(read_json(vector / "meta.json")["verify_at"]["suggested"]))  # type: ignore[index]
    settings = replace(dev_settings, offline=False, collateral=(), unsafe_verify_at=at)
    settings = replace(settings, rules=read_rules("any", strict=False, deny_debug=False))
    body = {"quote": base64url.encode((vector / "quote.bin").read_bytes())}

    async def scene() -> None:
        vendor = Vendor(answers_of(vector))
        async with application(settings, services=[vendor]) as running:
            # Ten at once: coalesced into one fetch of each document.
            for response in await asyncio.gather(*(running.client.post(SGX, json=body) for _ in range(10))):
                claims_of(response)
            assert {need.kind for need in vendor.fetched} == vendor.kinds
            assert len(vendor.fetched) == len(vendor.kinds)
            statements = watch(running)
            for _ in range(10):
                claims_of(await running.client.post(SGX, json=body))
            assert statements == []
            assert len(vendor.fetched) == len(vendor.kinds)
        # A restart finds them in the store.
        vendor = Vendor({})
        async with application(settings, services=[vendor]) as running:
            claims_of(await running.client.post(SGX, json=body))
        assert vendor.fetched == []

    asyncio.run(scene())


def test_strangers_cannot_make_the_service_fetch(dev_settings, collateral) -> None:
    """Nothing is asked for evidence that is badly signed, or under a root that is not the vendor's (design 3)."""
    tampered = bytearray(quote().evidence)
    tampered[100] ^= 1
    vendor = Vendor(answers_of(collateral.parent))

    async def scene() -> None:
        async with application(replace(dev_settings, offline=False, collateral=()), services=[vendor]) as running:
            response = await running.client.post(SGX, json={"quote": base64url.encode(bytes(tampered))})
            refusal_of(response, 400, "InvalidParameter")
            response = await running.client.post(SGX, json=sgx_body())
            error = refusal_of(response, 503, "EndorsementUnavailable")
            assert error["deciding"]["outcome"] == "missing"
            assert "tcb_info.json" in error["message"]
            assert int(response.headers["retry-after"]) > 0

    asyncio.run(scene())
    assert vendor.fetched == []

"""Every genuine Intel document at hand is read, and its signature verifies under the pinned root."""

from __future__ import annotations

import json
from typing import Any

import pytest

from assay.endorsements.anchors import trust_anchors
from assay.endorsements.documents import Document, DocumentKind
from assay.endorsements.intel.enclave_identity import parse_enclave_identity
from assay.endorsements.intel.signing_chain import parse_signing_chain, verify_document, verify_signing_chain
from assay.endorsements.intel.tcb_info import parse_tcb_info
from assay.errors import MalformedEndorsement
from assay.formats import pem
from assay.pki.certificate import parse_certificate
from assay.pki.revocation import parse_revocation_list, verify_revocation_list
from assay.pki.signatures import SignatureError
from tests.shared_vectors import SHARED

FOLDER = SHARED / "evidence" / "collateral"
pytestmark = pytest.mark.optional("shared")


def listed(*types: str) -> list[dict[str, Any]]:
    path = FOLDER / "index.json"
    entries = json.loads(path.read_bytes()) if path.is_file() else []
    return [entry for entry in entries if entry["type"] in types]


def tcb_chain() -> bytes:
    return (FOLDER / "chains" / "tcb_signing_20180521_20250521.pem").read_bytes()


def test_the_signature_of_every_genuine_tcb_info_verifies() -> None:
    entries = listed("tcbInfo")
    assert len(entries) > 20
    for entry in entries:
        document = Document(DocumentKind.INTEL_TCB_INFO, (FOLDER / entry["file"]).read_bytes(), tcb_chain())
        info, chain = parse_tcb_info(document), parse_signing_chain(document)
        verify_signing_chain(chain)
        verify_document(info.signed, info.signature, chain.signer)
        assert (info.tee.upper(), info.version, info.fmspc.hex()) == (entry["tee"], entry["version"], entry["fmspc"])
        assert info.evaluation_number == entry["tcbEvaluationDataNumber"]
        assert f"{info.issue_date:%Y-%m-%dT%H:%M:%SZ}" == entry["issueDate"]
        assert f"{info.next_update:%Y-%m-%dT%H:%M:%SZ}" == entry["nextUpdate"]
        with pytest.raises(SignatureError):
            verify_document(info.signed + b" ", info.signature, chain.signer)


def test_the_signature_of_every_genuine_enclave_identity_verifies() -> None:
    files = sorted((FOLDER / "qeidentity").rglob("*.json"))
    assert files
    for path in files:
        document = Document(DocumentKind.INTEL_QE_IDENTITY, path.read_bytes(), tcb_chain())
        identity = parse_enclave_identity(document)
        verify_document(identity.signed, identity.signature, parse_signing_chain(document).signer)


@pytest.mark.parametrize("issuer", ["processor", "platform", "root_ca"])
def test_the_signature_of_every_genuine_revocation_list_verifies(issuer: str) -> None:
    name = "processor" if issuer == "root_ca" else issuer
    chain = (FOLDER / "chains" / f"{name}_ca_20330521.pem").read_bytes()
    authority, root = map(parse_certificate, pem.decode_certificates(chain, "chain", MalformedEndorsement))
    assert trust_anchors().find(root) is not None
    files = sorted((FOLDER / "crl" / issuer).glob("*.der"))
    assert files
    for path in files:
        revocation = parse_revocation_list(path.read_bytes(), "list")
        verify_revocation_list(revocation, root if issuer == "root_ca" else authority)
        assert f"{revocation.this_update:%Y%m%dT%H%M%SZ}" in path.name

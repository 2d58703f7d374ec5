"""`assay inspect` of COSE messages: endorsements of utility machines, and statements that carry a report."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from assay.cli.decoding import decode_anything
from assay.formats.cbor import CborKey, CborValue, Tagged, encode_cbor
from assay.simulator.microsoft.uvm import ISSUER, UvmForm, mint_uvm_endorsement
from tests.shared_vectors import shared_path

KEY = ec.generate_private_key(ec.SECP384R1())


def statement(report_data: bytes, *, crv: int = 2) -> bytes:
    """A message with a key and the report that attests it, signed by that key."""
    numbers = KEY.public_key().public_numbers()
    key: dict[CborKey, CborValue] = {
        1: 2,
        -1: crv,
        -2: numbers.x.to_bytes(48, "big"),
        -3: numbers.y.to_bytes(48, "big"),
    }
    digest = hashlib.sha256(encode_cbor(key)).digest()
    report = bytes(0x50) + (report_data or digest + bytes(32)) + bytes(1184 - 0x90)
    protected = encode_cbor({1: -35, 2: ("svc",), "svc": {"cose_key": key, "attestation": report, "ver": 0}})
    signed = encode_cbor(("Signature1", protected, b"", b"Hello"))
    r, s = decode_dss_signature(KEY.sign(signed, ec.ECDSA(hashes.SHA384())))
    signature = r.to_bytes(48, "big") + s.to_bytes(48, "big")
    return encode_cbor(Tagged(18, (protected, {}, b"Hello", signature)))


def shown(content: bytes) -> Any:
    decoded = decode_anything(content)
    assert decoded.kind == "signed message (COSE_Sign1)"
    return decoded.fields


def test_an_endorsement_is_shown_with_its_chain_and_payload() -> None:
    fields = shown(mint_uvm_endorsement(UvmForm(bytes(48))))
    assert fields["protected"]["iss"] == ISSUER
    assert len(fields["protected"]["x5chain"]) == 3
    assert fields["payload"]["x-ms-sevsnpvm-guestsvn"] == "104"
    assert fields["signature"] == "ES256, verifies with the key inside"


def test_a_damaged_endorsement_is_shown_as_such() -> None:
    fields = shown(mint_uvm_endorsement(replace(UvmForm(bytes(48)), payload=b"{}")))
    assert fields["signature"].startswith("DOES NOT VERIFY with the key inside")


def test_a_statement_says_whether_its_report_attests_its_key() -> None:
    fields = shown(statement(b""))
    assert fields["signature"] == "ES384, verifies with the key inside"
    assert fields["protected"]["svc"]["key binding"] == "the report data is the SHA-256 of the key"
    assert shown(statement(bytes(64)))["protected"]["svc"]["key binding"].startswith("NOT BOUND")


def test_a_key_that_cannot_be_read_is_no_key() -> None:
    assert "no key is inside" in shown(statement(b"", crv=9))["signature"]


@pytest.mark.parametrize("name", ["aci-milan-scitt-attested-20250617", "aci-genoa-scitt-attested-20260302"])
def test_genuine_statements_verify_with_the_key_that_their_report_attests(name: str) -> None:
    """quote-verification 11.5."""
    fields = shown(shared_path(f"evidence/aci/{name}/statement.cose").read_bytes())
    (attested,) = (
        member for member in fields["protected"].values() if isinstance(member, dict) and "cose_key" in member
    )
    assert attested["key binding"] == "the report data is the SHA-256 of the key"
    assert fields["signature"] == "ES384, verifies with the key inside"

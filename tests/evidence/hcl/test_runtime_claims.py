"""Runtime claims: an open object with one attestation key (attack case AZ-06)."""

from __future__ import annotations

import json

import pytest

from assay.errors import LimitExceeded, MalformedEvidence
from assay.evidence._hcl.runtime_claims import parse_runtime_claims
from tests.evidence.hcl.reports import CLAIMS

MEMBERS = json.loads(CLAIMS)
KEY = MEMBERS["keys"][0]


def encode(keys: object) -> bytes:
    return json.dumps({**MEMBERS, "keys": keys}).encode()


def test_the_attestation_key_is_found_among_others():
    claims = parse_runtime_claims(CLAIMS)
    assert claims.attestation_key == (0xC7B710, 65537)
    assert claims.vm_unique_id == "3E1C7A52-0B5D-4A3E-9F65-8D3F3E0A1B2C"


@pytest.mark.parametrize("configuration", [None, [], {}, {"vmUniqueId": 5}])
def test_claims_without_an_identifier_of_the_vm_have_none(configuration):
    content = json.dumps({"keys": [KEY], "vm-configuration": configuration}).encode()
    assert parse_runtime_claims(content).vm_unique_id is None


REFUSED = {
    "two attestation keys": encode([KEY, KEY]),
    "no attestation key": encode([{**KEY, "kid": "HCLEkPub"}]),
    "a name in other case": encode([{**KEY, "kid": "hclakpub"}]),
    "no keys": encode(None),
    "keys as an object": encode({"HCLAkPub": KEY}),
    "an elliptic key": encode([{**KEY, "kty": "EC"}]),
    "no modulus": encode([{**KEY, "n": ""}]),
    "a modulus that is a number": encode([{**KEY, "n": 17}]),
    "a modulus in standard base64": encode([{**KEY, "n": "x7c+"}]),
    "a duplicate member": CLAIMS.replace(b'"user-data"', b'"keys": [], "user-data"'),
    "a duplicate by case": CLAIMS.replace(b'"user-data"', b'"Keys": [], "user-data"'),
    "a duplicate within a key": CLAIMS.replace(b'"kid": "HCLAkPub"', b'"kid": "HCLAkPub", "kid": "other"'),
    "an array": b"[]",
    "nothing": b"",
    "a NUL at the end": CLAIMS + b"\x00",
}


@pytest.mark.parametrize("name", REFUSED)
def test_az_06_ambiguous_claims_are_refused(name):
    with pytest.raises(MalformedEvidence):
        parse_runtime_claims(REFUSED[name])


def test_claims_of_absurd_size_are_refused_unread():
    with pytest.raises(LimitExceeded):
        parse_runtime_claims(CLAIMS + b" " * (1 << 20))

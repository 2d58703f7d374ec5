"""Key sets: what is believed of them, and what is refused."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from assay.errors import LimitExceeded, MalformedToken, TokenRejected
from assay.formats.key_set import parse_key_set
from tests.client.issuer import KEYS, ec_jwk, ec_key, rsa_jwk, rsa_key
from tests.shared_vectors import shared_path


def certificate(key) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "attest")])
    builder = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    )
    builder = builder.not_valid_before(datetime(2020, 1, 1, tzinfo=UTC)).not_valid_after(
        datetime(2049, 1, 1, tzinfo=UTC)
    )
    return base64.b64encode(builder.sign(key, SHA256()).public_bytes(Encoding.DER)).decode()


def find(key, kid="k"):
    return parse_key_set(json.dumps({"keys": [key]}).encode()).find(kid)


def refusal(key) -> str:
    with pytest.raises(TokenRejected) as caught:
        find(key)
    return caught.value.reason


def test_a_key_is_read_from_its_parameters_its_certificate_or_both():
    numbers = rsa_key().public_key().public_numbers()
    chain = [certificate(rsa_key())]
    for key in (rsa_jwk("k"), {"kid": "k", "kty": "RSA", "x5c": chain}, rsa_jwk("k", x5c=chain)):
        found = find(key).public_key
        assert found.public_numbers() == numbers
    assert find({"kid": "k", "kty": "EC", "x5c": [certificate(ec_key())]}).public_key == ec_key().public_key()


def test_a_key_that_may_verify_is_found_whatever_else_it_may_do():
    for operations in (["verify"], ["sign", "verify"]):
        assert find(rsa_jwk("k", key_ops=operations)).public_key == rsa_key().public_key()
        assert find(ec_jwk("k", key_ops=operations)).public_key == ec_key().public_key()


@pytest.mark.parametrize(
    "key",
    [
        rsa_jwk("k", x5c=[certificate(ec_key())]),
        rsa_jwk("k", x5c=[]),
        rsa_jwk("k", x5c=["not base64"]),
        rsa_jwk("k", x5c="AA=="),
        rsa_jwk("k", use="enc"),
        rsa_jwk("k", key_ops=["sign"]),
        rsa_jwk("k", key_ops=["encrypt", "wrapKey"]),
        rsa_jwk("k", key_ops=[]),
        rsa_jwk("k", key_ops="verify"),
        ec_jwk("k", key_ops=["deriveKey"]),
        rsa_jwk("k", alg=1),
        rsa_jwk("k", kty="EC"),
        rsa_jwk("k", e="AQ"),
        rsa_jwk("k", n="AQ"),
        rsa_jwk("k", n="A" * 5000),
        rsa_jwk("k", n="===="),
        {"kid": "k", "kty": "RSA"},
        {"kid": "k", "kty": "oct", "k": "AAAA"},
        {"kid": "k", "kty": "RSA", "x5c": [certificate(ec_key())]},
        ec_jwk("k", crv="P-384"),
        ec_jwk("k", x="AAAA"),
        ec_jwk("k", y=base64.urlsafe_b64encode(bytes(32)).rstrip(b"=").decode()),
        ec_jwk("k", kty="RSA"),
    ],
)
def test_a_key_that_is_not_what_it_says_is_not_allowed(key):
    assert refusal(key) == "KeyNotAllowed"


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"keys":[]}', b'{"keys":{}}', b'{"keys":[1]}', b'{"keys":[],"keys":[]}', b"<html>", b"\xff"],
)
def test_a_body_that_is_no_key_set_is_malformed(body):
    with pytest.raises(MalformedToken):
        parse_key_set(body)


def test_key_sets_are_bounded():
    with pytest.raises(LimitExceeded):
        parse_key_set(json.dumps({"keys": [{"kid": str(number)} for number in range(200)]}).encode())
    with pytest.raises(LimitExceeded):
        parse_key_set(b" " * (3 << 20))


def test_the_recorded_key_sets_are_read():
    for path in sorted(shared_path("vectors/azure-sdk/jwks").glob("*.json")):
        keys = parse_key_set(path.read_bytes())
        assert len(keys.key_ids) == len(keys) >= 3
        for kid in keys.key_ids:
            keys.find(kid)


def test_key_ids_are_listed():
    assert parse_key_set(json.dumps(KEYS).encode()).key_ids == ("rsa", "ec", "small")

"""COSE_Sign1: the algorithms of the allow list, and the traps of attack case AZ-12."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from assay.errors import LimitExceeded, MalformedEvidence
from assay.formats.cbor import Tagged, encode_cbor
from assay.formats.cose import CoseError, parse_cose_sign1, verify_cose_sign1

P256, P384, P521 = (ec.generate_private_key(curve) for curve in (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()))
RSA = rsa.generate_private_key(65537, 2048)
WEAK = rsa.generate_private_key(65537, 1024)
EC_HASHES: dict[int, Any] = {-7: hashes.SHA256(), -35: hashes.SHA384(), -36: hashes.SHA512()}
RSA_HASHES: dict[int, Any] = {-37: hashes.SHA256(), -38: hashes.SHA384(), -39: hashes.SHA512()}


def message(
    key: Any = P256,
    algorithm: Any = -7,
    *,
    protected: dict[Any, Any] | None = None,
    unprotected: dict[Any, Any] | None = None,
    payload: bytes | None = b"payload",
    tag: int | None = 18,
    signed: bytes | None = None,
) -> bytes:
    headers = encode_cbor({1: algorithm} if protected is None else protected)
    to_sign = encode_cbor(("Signature1", headers, b"", payload or b"")) if signed is None else signed
    value = (headers, unprotected or {}, payload, sign(key, algorithm, to_sign))
    return encode_cbor(value if tag is None else Tagged(tag, value))


def sign(key: Any, algorithm: int, content: bytes) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey):
        hashed = RSA_HASHES.get(algorithm, hashes.SHA256())
        return key.sign(content, padding.PSS(padding.MGF1(hashed), hashed.digest_size), hashed)
    r, s = decode_dss_signature(key.sign(content, ec.ECDSA(EC_HASHES.get(algorithm, hashes.SHA256()))))
    size = (key.curve.key_size + 7) // 8
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def verify(content: bytes, key: Any = P256) -> str:
    return verify_cose_sign1(parse_cose_sign1(content, "test", 1 << 16), key.public_key())


@pytest.mark.parametrize(
    ("key", "algorithm", "name"),
    [
        (P256, -7, "ES256"),
        (P384, -35, "ES384"),
        (P521, -36, "ES512"),
        (RSA, -37, "PS256"),
        (RSA, -38, "PS384"),
        (RSA, -39, "PS512"),
    ],
)
def test_each_admitted_algorithm_verifies_and_a_changed_payload_does_not(key: Any, algorithm: int, name: str) -> None:
    assert verify(message(key, algorithm), key) == name
    assert verify(message(key, algorithm, tag=None), key) == name
    with pytest.raises(CoseError, match="does not verify"):
        verify(message(key, algorithm, signed=b"something else"), key)


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (P384, -7),
        (P256, -35),
        (RSA, -7),
        (P256, -38),
        (WEAK, -37),
        (P256, -257),
        (RSA, -257),
        (P256, True),
        (P256, "ES256"),
    ],
)
def test_an_algorithm_of_another_key_or_outside_the_list_is_refused(key: Any, algorithm: Any) -> None:
    with pytest.raises(CoseError):
        verify(message(key, algorithm), key)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"protected": {}, "unprotected": {1: -7}}, "must be protected"),
        ({"unprotected": {1: -7}}, "protected and unprotected"),
        ({"protected": {1: -7, 2: (99,)}}, "critical headers that are not understood: 99"),
        ({"protected": {1: -7, 2: 1}}, "critical headers"),
        ({"unprotected": {33: b"certificate"}}, "must be protected"),
        ({"payload": None}, "an attached payload"),
        ({"payload": b""}, "an attached payload"),
        ({"tag": 98}, "CBOR tag 98"),
    ],
)
def test_the_traps_of_headers_and_payload_are_refused(changes: dict[str, Any], problem: str) -> None:
    """Attack case AZ-12."""
    with pytest.raises(MalformedEvidence, match=problem):
        parse_cose_sign1(message(**changes), "test", 1 << 16)


def test_a_critical_header_that_is_understood_is_accepted() -> None:
    assert verify(message(protected={1: -7, 2: (1, 33)})) == "ES256"


def test_a_message_without_algorithm_is_refused() -> None:
    with pytest.raises(CoseError, match="algorithm None"):
        verify(message(protected={}))


def test_protected_headers_that_are_no_map_are_refused() -> None:
    with pytest.raises(MalformedEvidence, match="no map"):
        parse_cose_sign1(encode_cbor(Tagged(18, (encode_cbor(1), {}, b"p", b"s"))), "test", 100)


def test_the_size_is_bounded() -> None:
    with pytest.raises(LimitExceeded, match="at most 10"):
        parse_cose_sign1(message(), "test", 10)

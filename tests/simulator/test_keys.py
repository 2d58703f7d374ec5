from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.asymmetric import ec

from assay.simulator.keys import ORDER, derive_key, filler, key_sha256, public_point, sign_raw


def test_the_root_key_is_the_one_that_the_anchor_table_pins() -> None:
    assert key_sha256("intel root") == "937043e7ffac6101d96557624c2c2fae57b28adbf514eb610d5803cbe67edf13"


def test_a_key_is_derived_from_its_public_name() -> None:
    digest = int.from_bytes(hashlib.sha256(b"assay simulator: a name").digest(), "big")
    key = derive_key("a name")
    assert key.private_numbers().private_value == digest % (ORDER - 1) + 1
    numbers = key.public_key().public_numbers()
    assert public_point("a name") == numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
    assert isinstance(key.curve, ec.SECP256R1)


def test_signatures_are_deterministic() -> None:
    assert sign_raw("a name", b"message") == sign_raw("a name", b"message")
    assert sign_raw("a name", b"message") != sign_raw("a name", b"other")


def test_filler_is_the_head_of_a_digest() -> None:
    assert filler("x", 20) == hashlib.sha512(b"assay simulator: x").digest()[:20]

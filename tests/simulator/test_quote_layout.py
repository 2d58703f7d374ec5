"""Offsets and sizes of the quote, as literals from quote-verification sections 1.1, 1.3 and 1.4."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from assay.simulator import Enclave, Machine, QuoteForm, mint_quote, simulate_sgx

AT = datetime(2026, 3, 1, tzinfo=UTC)
ENCLAVE = Enclave(
    mr_enclave=b"\x01" * 32,
    mr_signer=b"\x02" * 32,
    isv_prod_id=0x0304,
    isv_svn=0x0506,
    flags=0x0708,
    xfrm=0x090A,
    misc_select=0x0B0C,
    report_data=b"\x0d" * 64,
    config_id=b"\x0e" * 64,
    config_svn=0x0F10,
    isv_ext_prod_id=b"\x11" * 16,
    isv_family_id=b"\x12" * 16,
    cpu_svn=b"\x13" * 16,
)


def verify(key: ec.EllipticCurvePublicKey, raw: bytes, message: bytes) -> None:
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    key.verify(encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))


def test_the_report_body_has_each_field_at_its_offset() -> None:
    body = ENCLAVE.encode()
    assert len(body) == 384
    assert body[0:16] == b"\x13" * 16
    assert body[16:20] == bytes.fromhex("0c0b0000")
    assert body[20:32] == bytes(12)
    assert body[32:48] == b"\x11" * 16
    assert body[48:56] == bytes.fromhex("0807000000000000")
    assert body[56:64] == bytes.fromhex("0a09000000000000")
    assert body[64:96] == b"\x01" * 32
    assert body[96:128] == bytes(32)
    assert body[128:160] == b"\x02" * 32
    assert body[160:192] == bytes(32)
    assert body[192:256] == b"\x0e" * 64
    assert body[256:262] == bytes.fromhex("04030605100f")
    assert body[262:304] == bytes(42)
    assert body[304:320] == b"\x12" * 16
    assert body[320:384] == b"\x0d" * 64


def test_a_field_of_the_wrong_length_is_not_padded() -> None:
    with pytest.raises(ValueError, match="field lengths"):
        replace(ENCLAVE, mr_enclave=b"short").encode()


def test_the_quote_has_each_part_at_its_offset_and_every_signature_verifies() -> None:
    quote = mint_quote(ENCLAVE)
    assert quote[0:12] == bytes.fromhex("0300020000000000") + bytes.fromhex("0a000f00")
    assert quote[12:28] == bytes.fromhex("939a7233f79c4ca9940a0db3957f0607")
    assert quote[44:48] == bytes(4)
    assert quote[48:432] == ENCLAVE.encode()
    assert int.from_bytes(quote[432:436], "little") == len(quote) - 436
    tail = quote[436:]
    attestation = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + tail[64:128])
    verify(attestation, tail[0:64], quote[:432])
    qe_report = tail[128:512]
    assert int.from_bytes(tail[576:578], "little") == 32
    authentication = tail[578:610]
    assert qe_report[320:384] == hashlib.sha256(tail[64:128] + authentication).digest() + bytes(32)
    assert tail[610:612] == bytes.fromhex("0500")
    assert int.from_bytes(tail[612:616], "little") == len(tail) - 616
    pck = x509.load_pem_x509_certificates(tail[616:])[0].public_key()
    assert isinstance(pck, ec.EllipticCurvePublicKey)
    verify(pck, tail[512:576], qe_report)


def test_the_same_recipe_gives_the_same_bytes() -> None:
    first = simulate_sgx(AT, runtime_data=b"held")
    assert simulate_sgx(AT, runtime_data=b"held") == first
    assert hashlib.sha256(mint_quote(ENCLAVE)).digest() == hashlib.sha256(mint_quote(ENCLAVE)).digest()


def test_report_data_binds_the_runtime_data() -> None:
    quote = simulate_sgx(AT, runtime_data=b"held").quote
    assert quote[368:432] == hashlib.sha256(b"held").digest() + bytes(32)


def test_measurements_do_not_move_with_the_report_data() -> None:
    one, two = simulate_sgx(AT, runtime_data=b"1").quote, simulate_sgx(AT, runtime_data=b"2").quote
    assert one[:368] == two[:368]
    assert one[368:432] != two[368:432]
    assert one[500:] == two[500:]


def test_patches_and_cuts_are_applied_last() -> None:
    quote = mint_quote(ENCLAVE)
    damaged = mint_quote(ENCLAVE, Machine(), QuoteForm(patches=((0, b"\xff"), (100, b"ab")), keep=200))
    assert damaged == b"\xff" + quote[1:100] + b"ab" + quote[102:200]

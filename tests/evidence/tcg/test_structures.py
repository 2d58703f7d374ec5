"""Structures of a TPM: read field by field, refused when they are not what they claim to be."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from assay.errors import LimitExceeded, MalformedEvidence, UnsupportedEvidence
from assay.evidence._tcg.algorithms import HashAlgorithm
from assay.evidence._tcg.attest import parse_certification, parse_quote
from assay.evidence._tcg.pcrs import PcrSelection, composite_digest, pcr_bank, pcr_policy_digest
from assay.evidence._tcg.public import ATTESTATION_KEY, Attributes, parse_public, parse_sized_public
from assay.evidence._tcg.signature import parse_signature, verify_signature
from assay.pki.signatures import SignatureError
from assay.simulator.keys import derive_key
from assay.simulator.rsa_keys import derive_rsa_key
from assay.simulator.tpm import structures as tpm

BANKS = {tpm.SHA256: {index: bytes([index]) * 32 for index in range(24)}}
SELECTION = ((tpm.SHA256, (0, 1, 7, 8, 23)),)
QUOTE = tpm.encode_quote(SELECTION, tpm.composite(SELECTION, BANKS), tpm.AttestForm(b"challenge", b"signer"))
KEYS: dict[str, tpm.PrivateKey] = {"RSA": derive_rsa_key("tpm ak"), "ECC": derive_key("tpm ak")}


def test_a_quote_is_read_field_by_field() -> None:
    quote = parse_quote(QUOTE)
    assert quote.selections == (PcrSelection(HashAlgorithm.SHA256, (0, 1, 7, 8, 23)),)
    assert quote.pcr_digest == tpm.composite(SELECTION, BANKS)
    assert quote.header.octets == QUOTE
    assert (quote.header.extra_data, quote.header.qualified_signer) == (b"challenge", b"signer")
    assert (quote.header.clock, quote.header.reset_count, quote.header.restart_count) == (123_456_789, 7, 0)
    assert quote.header.safe is True


def test_the_composite_is_in_the_order_of_the_selection() -> None:
    banks = {
        HashAlgorithm.SHA256: pcr_bank(HashAlgorithm.SHA256, [(1, b"b" * 32), (0, b"a" * 32)]),
        HashAlgorithm.SHA384: pcr_bank(HashAlgorithm.SHA384, [(0, b"c" * 48)]),
    }
    selections = (PcrSelection(HashAlgorithm.SHA384, (0,)), PcrSelection(HashAlgorithm.SHA256, (0, 1)))
    expected = HashAlgorithm.SHA256.digest(b"c" * 48 + b"a" * 32 + b"b" * 32)
    assert composite_digest(selections, banks, HashAlgorithm.SHA256) == expected


def test_the_policy_of_pcr_values_is_the_one_that_a_tpm_computes() -> None:
    bank = pcr_bank(HashAlgorithm.SHA256, list(BANKS[tpm.SHA256].items()))
    selections = (PcrSelection(HashAlgorithm.SHA256, (0, 1, 7, 8, 23)),)
    computed = pcr_policy_digest(selections, {bank.algorithm: bank}, HashAlgorithm.SHA256)
    assert computed == tpm.pcr_policy(SELECTION, BANKS)


def test_tpm_01_a_structure_without_the_magic_of_a_tpm_is_refused() -> None:
    octets = tpm.encode_quote(SELECTION, bytes(32), tpm.AttestForm(magic=0xFF544348))
    with pytest.raises(UnsupportedEvidence) as caught:
        parse_quote(octets)
    assert caught.value.code == "NotTpmGenerated"


def test_tpm_02_a_certification_is_no_quote_and_a_quote_no_certification() -> None:
    for parse, octets in ((parse_quote, tpm.encode_certification(b"name")), (parse_certification, QUOTE)):
        with pytest.raises(UnsupportedEvidence) as caught:
            parse(octets)
        assert caught.value.code == "AttestTypeMismatch"


@pytest.mark.parametrize("size", range(len(QUOTE)))
def test_a_cut_quote_is_refused(size: int) -> None:
    with pytest.raises(MalformedEvidence):
        parse_quote(QUOTE[:size])


def test_octets_after_a_quote_are_refused() -> None:
    with pytest.raises(MalformedEvidence, match="1 bytes too many"):
        parse_quote(QUOTE + b"\0")


def test_tpm_05_a_bank_selected_twice_is_refused() -> None:
    with pytest.raises(MalformedEvidence, match="occurs twice"):
        parse_quote(tpm.encode_quote(((tpm.SHA256, (0,)), (tpm.SHA256, (1,))), bytes(32)))


def test_a_selection_of_many_banks_is_bounded() -> None:
    with pytest.raises(LimitExceeded):
        parse_quote(tpm.encode_quote(((tpm.SHA256, ()),) * 17, bytes(32)))


def test_a_pcr_that_no_tpm_has_is_refused() -> None:
    wide = QUOTE.replace(tpm.encode_selection(SELECTION), tpm.u32(1) + tpm.u16(tpm.SHA256) + b"\x04\0\0\0\x01")
    with pytest.raises(MalformedEvidence, match="above 23"):
        parse_quote(wide)


@pytest.mark.parametrize("values", [[(0, bytes(32)), (0, bytes(32))], [(24, bytes(32))], [(-1, bytes(32))], [(0, b"")]])
def test_tpm_05_a_bank_has_each_pcr_once_in_its_own_size(values: list[tuple[int, bytes]]) -> None:
    with pytest.raises(MalformedEvidence):
        pcr_bank(HashAlgorithm.SHA256, values)


@pytest.mark.parametrize("kind", KEYS)
def test_a_public_area_is_read_field_by_field(kind: str) -> None:
    octets = tpm.encode_public(KEYS[kind])
    public = parse_public(octets)
    assert public.key.public_numbers() == KEYS[kind].public_key().public_numbers()
    assert public.attributes & ATTESTATION_KEY == ATTESTATION_KEY
    assert not public.attributes & Attributes.DECRYPT
    assert public.name == tpm.name_of(octets)
    assert public.scheme.hash is HashAlgorithm.SHA256


def test_storage_and_encryption_keys_are_read() -> None:
    storage = parse_public(tpm.encode_public(KEYS["RSA"], tpm.STORAGE_FORM))
    assert (storage.symmetric.algorithm, storage.symmetric.key_bits, storage.auth_policy) == (6, 128, tpm.EK_POLICY)
    encryption = parse_public(tpm.encode_public(KEYS["RSA"], tpm.ENCRYPTION_FORM))
    assert (encryption.scheme.algorithm, encryption.scheme.hash) == (tpm.RSAES, None)


@pytest.mark.parametrize("kind", KEYS)
def test_a_cut_public_area_is_refused(kind: str) -> None:
    octets = tpm.encode_public(KEYS[kind])
    for size in range(len(octets)):
        with pytest.raises(MalformedEvidence):
            parse_public(octets[:size])


def test_a_point_off_its_curve_is_refused() -> None:
    octets = tpm.encode_public(KEYS["ECC"])
    with pytest.raises(MalformedEvidence, match="not a point"):
        parse_public(octets[:-1] + bytes([octets[-1] ^ 1]))


def test_keys_of_other_kinds_are_refused() -> None:
    with pytest.raises(UnsupportedEvidence):
        parse_public(tpm.u16(8) + tpm.u16(tpm.SHA256) + tpm.u32(0) + tpm.sized(b"") + tpm.u16(0x10) + tpm.sized(b""))


def test_octets_after_a_sized_public_area_are_handed_over() -> None:
    octets = tpm.encode_public(KEYS["RSA"])
    public, rest = parse_sized_public(tpm.sized(octets) + b"name")
    assert (public.octets, rest) == (octets, b"name")


@pytest.mark.parametrize(
    ("kind", "scheme", "algorithm"),
    [
        ("RSA", tpm.RSASSA, tpm.SHA256),
        ("RSA", tpm.RSASSA, tpm.SHA384),
        ("RSA", tpm.RSAPSS, tpm.SHA256),
        ("ECC", tpm.ECDSA, tpm.SHA256),
        ("ECC", tpm.ECDSA, tpm.SHA512),
    ],
)
def test_signatures_of_each_scheme_verify(kind: str, scheme: int, algorithm: int) -> None:
    signature = parse_signature(tpm.encode_signature(KEYS[kind], QUOTE, scheme, algorithm))
    verify_signature(KEYS[kind].public_key(), signature, QUOTE)
    with pytest.raises(SignatureError):
        verify_signature(KEYS[kind].public_key(), signature, QUOTE + b"\0")


def test_tpm_22_a_signature_with_sha_1_is_refused() -> None:
    signature = parse_signature(tpm.encode_signature(KEYS["RSA"], QUOTE, tpm.RSASSA, tpm.SHA1))
    with pytest.raises(SignatureError, match="SHA1"):
        verify_signature(KEYS["RSA"].public_key(), signature, QUOTE)


def test_a_signature_by_a_key_of_another_kind_is_refused() -> None:
    signature = parse_signature(tpm.encode_signature(KEYS["RSA"], QUOTE))
    with pytest.raises(SignatureError, match="another kind"):
        verify_signature(derive_key("tpm ak").public_key(), signature, QUOTE)


def test_a_short_rsa_key_is_refused() -> None:
    key = derive_rsa_key("tpm short", 1024)
    signature = parse_signature(tpm.encode_signature(key, QUOTE))
    with pytest.raises(SignatureError, match="1024 bits"):
        verify_signature(key.public_key(), signature, QUOTE)


@pytest.mark.parametrize("octets", [b"", b"\0\x14", b"\0\x10\0\x0b\0\0", b"\0\x14\0\x05\0\0", b"\0\x14\0\x0b\0\0\0"])
def test_signatures_of_other_forms_are_refused(octets: bytes) -> None:
    with pytest.raises(MalformedEvidence):
        parse_signature(octets)


def test_simulated_rsa_keys_are_keys() -> None:
    key = derive_rsa_key("tpm ak")
    assert isinstance(key, rsa.RSAPrivateKey)
    assert key.key_size == 2048
    assert isinstance(derive_key("tpm ak"), ec.EllipticCurvePrivateKey)

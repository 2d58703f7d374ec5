"""The JWS verifier, with PyJWT as its oracle on good and bad signatures."""

from __future__ import annotations

import hashlib
import hmac
import json

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from assay import limits
from assay.errors import LimitExceeded, MalformedToken, TokenRejected
from assay.formats.jws import parse_jws, verify_jws
from tests.client.issuer import (
    SIGN,
    assemble,
    ec_key,
    encode,
    rsa_key,
    sign_es256,
    sign_ps256,
    sign_rs256,
    token,
)

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def public(alg):
    return (ec_key() if alg == "ES256" else rsa_key()).public_key()


def ours(text, key) -> bool:
    try:
        verify_jws(parse_jws(text), key)
    except (TokenRejected, MalformedToken):
        return False
    return True


def oracle(text, key) -> bool:
    kinds = ["ES256"] if isinstance(key, ec.EllipticCurvePublicKey) else ["RS256", "PS256"]
    try:
        jwt.api_jws.PyJWS().decode(text, key, algorithms=kinds)
    except jwt.PyJWTError:
        return False
    return True


def flipped(text: str, index: int) -> str:
    head, signature = text.rsplit(".", 1)
    octets = bytearray(jwt.utils.base64url_decode(signature))
    octets[index] ^= 1
    return f"{head}.{encode(bytes(octets))}"


@pytest.mark.parametrize("alg", SIGN)
def test_a_good_signature_verifies_as_for_the_oracle(alg):
    assert ours(token(alg), public(alg))
    assert oracle(token(alg), public(alg))


@pytest.mark.parametrize("alg", SIGN)
@pytest.mark.parametrize("index", [0, 31, 32, 63, -1])
def test_a_flipped_bit_of_the_signature_is_refused_as_by_the_oracle(alg, index):
    bad = flipped(token(alg), index)
    assert not ours(bad, public(alg))
    assert not oracle(bad, public(alg))


@pytest.mark.parametrize("signing", SIGN)
@pytest.mark.parametrize("named", ["RS256", "PS256", "ES256", "RS512", "ES384", "HS256", "EdDSA", "rs256", ""])
@pytest.mark.parametrize("verifying", SIGN)
def test_algorithm_and_key_agree_exactly_when_the_oracle_says_so(signing, named, verifying):
    text = token(signing, header={"alg": named})
    assert ours(text, public(verifying)) == oracle(text, public(verifying))


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE"])
@pytest.mark.parametrize("signature", [b"", b"anything"])
def test_alg_none_is_refused_in_any_case(alg, signature):
    with pytest.raises(TokenRejected) as caught:
        verify_jws(parse_jws(token(header={"alg": alg}, sign=lambda _: signature)), public("RS256"))
    assert caught.value.reason == "Unsecured"


@pytest.mark.parametrize("alg", ["RS256", "ES256"])
@pytest.mark.parametrize(
    "form", [(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)]
)
def test_a_public_key_as_the_secret_of_hs256_is_refused(alg, form):
    secret = public(alg).public_bytes(*form)
    text = token(header={"alg": "HS256"}, sign=lambda message: hmac.digest(secret, message, hashlib.sha256))
    with pytest.raises(TokenRejected) as caught:
        verify_jws(parse_jws(text), public(alg))
    assert caught.value.reason == "AlgorithmNotAllowed"


@pytest.mark.parametrize("member", [{"crit": ["exp"]}, {"crit": ["b64"], "b64": False}, {"b64": True}, {"zip": "DEF"}])
def test_header_members_that_change_the_meaning_are_refused(member):
    with pytest.raises(TokenRejected) as caught:
        verify_jws(parse_jws(token(header=member)), public("RS256"))
    assert caught.value.reason == "UnknownExtension"


def test_keys_that_the_header_brings_or_points_to_are_not_used():
    brought = {
        "jku": "https://evil.example/certs",
        "x5u": "https://evil.example/x",
        "jwk": {"kty": "RSA"},
        "x5c": ["AA=="],
    }
    verify_jws(parse_jws(token(header=brought)), public("RS256"))
    with pytest.raises(TokenRejected):
        verify_jws(parse_jws(token(header=brought)), rsa_key(3072).public_key())


@pytest.mark.parametrize(
    "raw",
    [
        (0, 1), (1, 0), (0, 0), (ORDER, 1), (1, ORDER), (ORDER + 1, ORDER + 1), ((1 << 256) - 1, 1),
    ],
)  # fmt: skip
def test_ecdsa_values_out_of_range_are_refused(raw):
    signature = b"".join(number.to_bytes(32, "big") for number in raw)
    assert not ours(token("ES256", sign=lambda _: signature), public("ES256"))


def test_an_ecdsa_signature_in_der_or_longer_is_refused():
    der = token("ES256", sign=lambda message: ec_key().sign(message, ec.ECDSA(SHA256())))
    longer = token("ES256", sign=lambda message: sign_es256(message) + b"\x00")
    padded = token(
        "ES256", sign=lambda message: b"\x00" + sign_es256(message)[:32] + b"\x00" + sign_es256(message)[32:]
    )
    assert not any(ours(text, public("ES256")) for text in (der, longer, padded))


@pytest.mark.parametrize("change", [lambda s: s + b"\x00", lambda s: b"\x00" + s, lambda s: s[:-1], lambda _s: b""])
def test_an_rsa_signature_of_another_length_is_refused(change):
    for sign in (sign_rs256, sign_ps256):
        assert not ours(token(sign=lambda message, sign=sign: change(sign(message))), public("RS256"))


def test_an_rsa_signature_with_lenient_padding_is_refused():
    numbers = rsa_key().private_numbers()
    digest = bytes.fromhex("3031300d060960864801650304020105000420")

    def forge(message: bytes) -> bytes:
        short = b"\x00\x01" + b"\xff" * 8 + b"\x00" + digest + hashlib.sha256(message).digest()
        block = int.from_bytes(short.ljust(256, b"\x00"), "big")
        return pow(block, numbers.d, numbers.public_numbers.n).to_bytes(256, "big")

    assert not ours(token(sign=forge), public("RS256"))


def test_pss_with_another_salt_length_is_refused():
    from cryptography.hazmat.primitives.asymmetric import padding

    salted = padding.PSS(padding.MGF1(SHA256()), 20)
    text = token("PS256", sign=lambda message: rsa_key().sign(message, salted, SHA256()))
    assert not ours(text, public("PS256"))


def test_small_rsa_keys_and_other_curves_are_refused():
    small = token(sign=lambda message: sign_rs256(message, 1024))
    with pytest.raises(TokenRejected) as caught:
        verify_jws(parse_jws(small), rsa_key(1024).public_key())
    assert caught.value.reason == "KeyNotAllowed"
    with pytest.raises(TokenRejected) as caught:
        verify_jws(parse_jws(token("ES256")), ec_key("secp384r1").public_key())
    assert caught.value.reason == "KeyNotAllowed"


def test_the_algorithm_that_the_issuer_declared_must_be_used():
    verify_jws(parse_jws(token("PS256")), public("PS256"), algorithm="PS256")
    with pytest.raises(TokenRejected) as caught:
        verify_jws(parse_jws(token("PS256")), public("PS256"), algorithm="RS256")
    assert caught.value.reason == "AlgorithmNotAllowed"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda t: t + "=",
        lambda t: t + "\n",
        lambda t: " " + t,
        lambda t: t.replace(".", "..", 1),
        lambda t: t.rpartition(".")[0],
        lambda t: t + ".AAAA",
        lambda t: t.replace("-", "+").replace("_", "/") + "+",
        lambda t: t[:10] + "\u00e9" + t[11:],
        lambda _t: "",
        lambda _t: "..",
    ],
)
def test_text_that_is_not_exact_base64url_in_three_parts_is_malformed(spoil):
    with pytest.raises(MalformedToken):
        parse_jws(spoil(token()))


def test_non_canonical_last_bits_are_malformed():
    # A P-256 signature has 64 octets: four bits of its last character mean nothing and must be zero.
    text = token("ES256")
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".index(text[-1])
    other = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[last | 1]
    with pytest.raises(MalformedToken):
        parse_jws(text[:-1] + other)


@pytest.mark.parametrize(
    "header",
    [
        b'{"alg":"RS256","alg":"none","kid":"rsa"}',
        b'{"alg":"RS256","ALG":"none","kid":"rsa"}',
        b'{"alg":1}',
        b"{}",
        b"[]",
        b'{"alg":"RS256","kid":1}',
        b'\xef\xbb\xbf{"alg":"RS256"}',
        b'{"alg":"RS256","a":' + b"[" * 100 + b"]" * 100 + b"}",
        b"",
    ],
)
def test_a_header_that_is_not_one_clear_json_object_is_malformed(header):
    with pytest.raises(MalformedToken):
        parse_jws(assemble(header, json.dumps({}).encode()))


def test_an_over_long_token_is_refused_before_it_is_decoded():
    with pytest.raises(LimitExceeded):
        parse_jws("A" * (limits.TOKEN + 1))

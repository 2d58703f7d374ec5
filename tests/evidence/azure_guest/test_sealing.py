"""The sealed answer: as the official guest clients read it, and opened only with the guest's key."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from assay.client.sealed_answer import is_sealed, open_answer
from assay.errors import TokenRejected
from assay.evidence.azure_guest.sealing import seal_token
from assay.simulator.keys import derive_key
from assay.simulator.rsa_keys import derive_rsa_key

KEY = derive_rsa_key("tpm ephemeral")
RECIPIENT = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
TOKEN = "aGVhZA.Ym9keQ.c2ln"


def decrypt(key):
    return lambda inner: key.decrypt(inner, padding.PKCS1v15())


def seal():
    return seal_token(TOKEN, RECIPIENT)["token"]


def envelope(sealed):
    return json.loads(base64.urlsafe_b64decode(sealed + "=="))


def resealed(**members):
    changed = {**envelope(seal()), **members}
    return base64.urlsafe_b64encode(json.dumps(changed).encode()).decode().rstrip("=")


def test_the_envelope_is_that_of_the_wire():
    """Every member that the C++ client demands, standard base64 inside, unpadded base64url outside (3.6)."""
    sealed = seal()
    assert "=" not in sealed
    assert is_sealed(sealed)
    assert not is_sealed(TOKEN)
    found = envelope(sealed)
    assert sorted(found) == ["AuthenticationData", "EncryptedInnerKey", "EncryptionParams", "Jwt"]
    parameters = found["EncryptionParams"]
    assert {name: value for name, value in parameters.items() if name != "Iv"} == {
        "BlockMode": "ChainingModeGCM",
        "BlockPadding": "PKCS7",
        "Cipher": "AES",
        "KeySizeInBits": 256,
    }
    sizes = {"AuthenticationData": 16, "EncryptedInnerKey": 256, "Jwt": len(TOKEN)}
    assert {name: len(base64.b64decode(found[name], validate=True)) for name in sizes} == sizes
    assert len(base64.b64decode(parameters["Iv"], validate=True)) == 12


def test_an_independent_reading_of_the_specification_opens_it():
    found = envelope(seal())
    inner = KEY.decrypt(base64.b64decode(found["EncryptedInnerKey"]), padding.PKCS1v15())
    assert len(inner) == 32
    content = base64.b64decode(found["Jwt"]) + base64.b64decode(found["AuthenticationData"])
    iv = base64.b64decode(found["EncryptionParams"]["Iv"])
    assert AESGCM(inner).decrypt(iv, content, b"Transport Key").decode() == TOKEN


def test_our_client_opens_it():
    assert open_answer(seal(), decrypt(KEY)) == TOKEN


def test_nothing_repeats_between_two_answers():
    first, second = envelope(seal()), envelope(seal())
    assert all(first[name] != second[name] for name in ("AuthenticationData", "EncryptedInnerKey", "Jwt"))
    assert first["EncryptionParams"]["Iv"] != second["EncryptionParams"]["Iv"]


def test_another_key_does_not_open_it():
    with pytest.raises(TokenRejected):
        open_answer(seal(), decrypt(derive_rsa_key("tpm other ek")))


@pytest.mark.parametrize("name", ["Jwt", "AuthenticationData", "EncryptedInnerKey"])
def test_a_changed_answer_does_not_open(name):
    content = bytearray(base64.b64decode(envelope(seal())[name]))
    content[0] ^= 1
    with pytest.raises(TokenRejected):
        open_answer(resealed(**{name: base64.b64encode(bytes(content)).decode()}), decrypt(KEY))


@pytest.mark.parametrize(
    "members",
    [
        {"Jwt": None},
        {"AuthenticationData": ""},
        {"AuthenticationData": "AAAA"},
        {"EncryptionParams": None},
        {"EncryptionParams": {}},
        {"EncryptionParams": {"Cipher": "DES", "BlockMode": "ChainingModeGCM", "BlockPadding": "PKCS7"}},
        {
            "EncryptionParams": {
                "Cipher": "AES",
                "BlockMode": "ChainingModeGCM",
                "BlockPadding": "PKCS7",
                "KeySizeInBits": 128,
                "Iv": "AAAAAAAAAAAAAAAA",
            }
        },
        {
            "EncryptionParams": {
                "Cipher": "AES",
                "BlockMode": "ChainingModeGCM",
                "BlockPadding": "PKCS7",
                "KeySizeInBits": 256,
                "Iv": "",
            }
        },
    ],
)
def test_an_answer_of_another_form_does_not_open(members):
    with pytest.raises(TokenRejected):
        open_answer(resealed(**members), decrypt(KEY))


@pytest.mark.parametrize("sealed", ["", "!", "bm90IEpTT04", "W10"])
def test_what_is_no_sealed_answer_does_not_open(sealed):
    with pytest.raises(TokenRejected):
        open_answer(sealed, decrypt(KEY))


def test_nothing_is_sealed_to_nobody_or_to_a_key_that_cannot_decrypt():
    elliptic = derive_key("tpm ca").public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for recipient in (None, elliptic):
        with pytest.raises((ValueError, TypeError)):
            seal_token(TOKEN, recipient)

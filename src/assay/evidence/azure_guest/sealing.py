"""The answer sealed to the guest's encryption key, as the official guest clients open it (tpm-and-guest 3.6)."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Final

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from assay.formats import base64url, strict_json
from assay.formats.strict_json import JsonValue

ASSOCIATED_DATA: Final = b"Transport Key"
KEY_BITS: Final = 256
TAG: Final = 16
IV: Final = 12


def seal_token(token: str, recipient: bytes | None) -> Mapping[str, JsonValue]:
    """The outer body: the token encrypted under a new AES key, that key under the recipient's (PEM).

    Only the vTPM that holds the recipient's private key, in the PCR state that was attested, can open it.
    """
    if recipient is None:
        raise ValueError("a guest's token is sealed to its encryption key")
    key = load_pem_public_key(recipient)
    if not isinstance(key, rsa.RSAPublicKey):
        raise TypeError("a guest's encryption key is RSA")
    # The library's generator: this layer has none of its own (ADR 0043). Each key encrypts one message.
    inner = AESGCM.generate_key(KEY_BITS)
    iv = AESGCM.generate_key(128)[:IV]
    sealed = AESGCM(inner).encrypt(iv, token.encode("ascii"), ASSOCIATED_DATA)
    envelope: dict[str, JsonValue] = {
        "AuthenticationData": _text(sealed[-TAG:]),
        "EncryptedInnerKey": _text(key.encrypt(inner, padding.PKCS1v15())),
        "EncryptionParams": {
            "BlockMode": "ChainingModeGCM",
            "BlockPadding": "PKCS7",
            "Cipher": "AES",
            "Iv": _text(iv),
            "KeySizeInBits": KEY_BITS,
        },
        "Jwt": _text(sealed[:-TAG]),
    }
    return {"token": base64url.encode(strict_json.encode_compact(envelope))}


def _text(content: bytes) -> str:
    """Standard base64 with padding, as the C++ client reads it (tpm-and-guest 0.2)."""
    return base64.b64encode(content).decode("ascii")

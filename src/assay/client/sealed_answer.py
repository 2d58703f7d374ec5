"""The sealed answer to a guest's request, opened with the guest's encryption key (tpm-and-guest 3.6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from assay.errors import TokenRejected
from assay.formats import base64url, strict_json
from assay.formats.base64url import Base64Error
from assay.formats.strict_json import JsonError, JsonValue

# RSAES-PKCS1-v1_5 under the encryption key: TPM2_RSA_Decrypt on a real machine.
DecryptKey = Callable[[bytes], bytes]
_ASSOCIATED_DATA: Final = b"Transport Key"
_PARAMETERS: Final = {"Cipher": "AES", "BlockMode": "ChainingModeGCM", "BlockPadding": "PKCS7"}
_KEY_BITS: Final = (128, 192, 256)
_TAG: Final = 16


def is_sealed(token: str) -> bool:
    """Whether the member `token` of an answer is sealed rather than a token: it has no dots."""
    return "." not in token


def open_answer(sealed: str, decrypt_key: DecryptKey) -> str:
    """The token inside; raises `TokenRejected` with the reason `sealed` when it cannot be opened."""
    try:
        members = strict_json.decode_object(base64url.decode_lenient(sealed))
        parameters = members.get("EncryptionParams")
        if not isinstance(parameters, dict):
            raise _rejected("EncryptionParams is no object")
        _require_parameters(parameters)
        inner = decrypt_key(_octets(members, "EncryptedInnerKey"))
        if 8 * len(inner) != parameters["KeySizeInBits"]:
            raise _rejected(f"an inner key of {8 * len(inner)} bits")
        sealed_text = _octets(members, "Jwt") + _octets(members, "AuthenticationData")
        token = AESGCM(inner).decrypt(_octets(parameters, "Iv"), sealed_text, _ASSOCIATED_DATA)
        return token.decode("ascii")
    except (Base64Error, JsonError, UnicodeDecodeError) as error:
        raise _rejected(str(error)) from error
    except InvalidTag as error:
        raise _rejected("the token was changed, or sealed to another key") from error
    except ValueError as error:  # of the key's owner: the inner key is none of theirs
        raise _rejected(f"the inner key cannot be decrypted ({error})") from error


def _require_parameters(parameters: dict[str, JsonValue]) -> None:
    for name, expected in _PARAMETERS.items():
        if parameters.get(name) != expected:
            raise _rejected(f"{name} is {parameters.get(name)!r}, expected {expected!r}")
    if parameters.get("KeySizeInBits") not in _KEY_BITS:
        raise _rejected(f"KeySizeInBits is {parameters.get('KeySizeInBits')!r}")


def _octets(members: dict[str, JsonValue], name: str) -> bytes:
    value = members.get(name)
    if not isinstance(value, str):
        raise _rejected(f"{name} is missing")
    content = base64url.decode_lenient(value)
    if name == "AuthenticationData" and len(content) != _TAG:
        raise _rejected(f"AuthenticationData of {len(content)} octets")
    return content


def _rejected(problem: str) -> TokenRejected:
    return TokenRejected("sealed", f"the sealed answer cannot be opened: {problem}")

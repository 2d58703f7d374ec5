"""Private keys at rest: encrypted under a key from the configuration."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from assay.errors import ConfigurationError
from assay.formats import base64url

_KEY_SIZE: Final = 32
# SP 800-38D, 8.2.2: random nonces of 96 bits, good for 2^32 messages under one key.
_NONCE_SIZE: Final = 12
_TAG_SIZE: Final = 16
# The first octet of what is sealed: AES-256-GCM, then the nonce, then the ciphertext with its tag.
_FORMAT: Final = b"\x01"

_HEX: Final = re.compile(r"[0-9a-fA-F]{64}\Z")


@dataclass(frozen=True, slots=True)
class SealingKey:
    """256 bits that encrypt the private keys of a store; never shown."""

    _octets: bytes = field(repr=False)

    @classmethod
    def from_text(cls, text: str) -> Self:
        """A key of 32 octets in base64, base64url or hexadecimal.

        Raises `ConfigurationError` for anything else, and for octets that are all alike: zeros protect nothing.
        """
        octets = _decode(text.strip())
        if len(octets) != _KEY_SIZE:
            raise ConfigurationError(
                f"the sealing key is not {_KEY_SIZE} octets in base64, base64url or hexadecimal: "
                "make one with `openssl rand -base64 32` and keep it, since the signing keys cannot be read without it"
            )
        if len(set(octets)) == 1:
            raise ConfigurationError(
                "the sealing key is one octet repeated, as in a placeholder: make one with `openssl rand -base64 32`"
            )
        return cls(octets)

    @staticmethod
    def generate_text() -> str:
        """A new key in the form that `from_text` reads."""
        return base64url.encode(os.urandom(_KEY_SIZE))

    def derive(self, purpose: str) -> bytes:
        """256 bits for another purpose; whoever holds them learns nothing of this key or of another purpose's."""
        return HKDF(SHA256(), _KEY_SIZE, salt=None, info=purpose.encode()).derive(self._octets)

    def seal(self, secret: bytes, *, provider: str, kid: str) -> bytes:
        """Encrypts a secret, bound to the provider and the key identifier that it belongs to."""
        nonce = os.urandom(_NONCE_SIZE)
        return _FORMAT + nonce + AESGCM(self._octets).encrypt(nonce, secret, _associated(provider, kid))

    def open(self, sealed: bytes, *, provider: str, kid: str) -> bytes:
        """The secret that `seal` was given; raises `ConfigurationError` under another key, provider or identifier."""
        if sealed[:1] != _FORMAT or len(sealed) < len(_FORMAT) + _NONCE_SIZE + _TAG_SIZE:
            raise ConfigurationError(f"signing key {kid} is sealed in a format that this version does not know")
        nonce, ciphertext = sealed[1 : 1 + _NONCE_SIZE], sealed[1 + _NONCE_SIZE :]
        try:
            return AESGCM(self._octets).decrypt(nonce, ciphertext, _associated(provider, kid))
        except InvalidTag as error:
            raise ConfigurationError(
                f"signing key {kid} of provider {provider!r} does not open under the configured sealing key: "
                "configure the key that it was sealed with"
            ) from error


def _decode(text: str) -> bytes:
    if _HEX.match(text):
        return bytes.fromhex(text)
    try:
        return base64url.decode_lenient(text)
    except base64url.Base64Error:
        return b""


def _associated(provider: str, kid: str) -> bytes:
    # NUL stands in neither part: databases refuse it in text, and a kid is base64.
    return b"\x00".join((_FORMAT, provider.encode(), kid.encode()))

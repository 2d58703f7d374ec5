"""Challenges: minted for a first round, opened by any replica in the second, consumed once.

The service keeps no state between the rounds: the challenge travels sealed in the context that the caller brings back
(tpm-and-guest 1.1). It is bound to its provider and ends by itself.
"""

from __future__ import annotations

import hashlib
import secrets
import struct
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from assay.errors import BindingMismatch
from assay.evidence.base import Challenge
from assay.formats import base64url, strict_json
from assay.verdict import NOT_APPLICABLE, Check, Entry, Outcome, Seen, Verdict, close

LIFETIME: Final = timedelta(minutes=5)
# rest-api 7.6: 16 octets, in a context whose ciphertext has 128.
CHALLENGE_SIZE: Final = 16
_PURPOSE: Final = "assay challenges of two-round protocols, 1"
_NONCE: Final = 12
# Version, time of minting and of ending in seconds, the challenge; zeros up to the recorded size.
_LAYOUT: Final = struct.Struct(">Bqq16s67x")
_VERSION: Final = 1
# A recorded context has about 350 characters; no reader needs to unpack more.
_CONTEXT: Final = 4096
_UNREADABLE: Final = "not a context of this service"


CONSUMED_CHECK: Final[Check[object]] = Check(
    "challenge.first_answer",
    "ChallengeConsumed",
    "rest-api 7.6: opaque, authenticated, expiring, bound to the provider",
    "begin a new session: each challenge is answered once",
    BindingMismatch,
    lambda _: NOT_APPLICABLE,  # the store decides it, with one unique insert
)


def answered_before(verdict: Verdict) -> BindingMismatch:
    """The refusal of a second answer to one challenge, with the verdict that the evidence passed so far."""
    seen = Seen("answered before", "the first answer to its challenge")
    closed = close(verdict.entries, Entry(CONSUMED_CHECK, Outcome.FAILED, seen), ())
    message = f"{CONSUMED_CHECK.name}: the challenge was answered before"
    return BindingMismatch(message, code=CONSUMED_CHECK.code, check=CONSUMED_CHECK.name, verdict=closed)


class Minted(NamedTuple):
    """A new challenge and the sealed context by which it is known again."""

    nonce: bytes
    context: str


class Challenges:
    """Mints and opens challenges under a key that all replicas share."""

    def __init__(self, key: bytes, lifetime: timedelta = LIFETIME) -> None:
        self._cipher, self._lifetime = AESGCM(key), lifetime
        self._key_name = hashlib.sha256(hashlib.sha256(key).digest()).hexdigest().upper()

    @staticmethod
    def purpose() -> str:
        """What the key is derived for."""
        return _PURPOSE

    def mint(self, provider: str, at: datetime) -> Minted:
        """A challenge of a provider, alive from `at` on."""
        challenge = secrets.token_bytes(CHALLENGE_SIZE)
        ends = at + self._lifetime
        content = _LAYOUT.pack(_VERSION, int(at.timestamp()), int(ends.timestamp()), challenge)
        nonce = secrets.token_bytes(_NONCE)
        sealed = nonce + self._cipher.encrypt(nonce, content, _associated(provider))
        members = {"ProtectionKeyName": self._key_name, "ProtectedContext": base64url.encode(sealed)}
        return Minted(challenge, base64url.encode(strict_json.encode_ordered(members)))

    def open(self, context: str, provider: str, at: datetime) -> Challenge:
        """The challenge in a context; one that does not count says why in `problem`."""
        sealed = self._unpack(context)
        if sealed is None:
            return Challenge(problem=_UNREADABLE)
        nonce, ciphertext = sealed[:_NONCE], sealed[_NONCE:]
        try:
            content = self._cipher.decrypt(nonce, ciphertext, _associated(provider))
        except InvalidTag:
            return Challenge(problem="altered, or sealed for another provider or under another key")
        if len(content) != _LAYOUT.size or content[0] != _VERSION:
            return Challenge(problem=_UNREADABLE)
        _, minted, ends, challenge = _LAYOUT.unpack(content)
        expires = datetime.fromtimestamp(ends, UTC)
        if not datetime.fromtimestamp(minted, UTC) - _SKEW <= at <= expires:
            return Challenge(problem=f"its time ended at {expires:%Y-%m-%dT%H:%M:%SZ}", expires=expires)
        return Challenge(challenge, "", hashlib.sha256(sealed).hexdigest(), expires)

    def _unpack(self, context: str) -> bytes | None:
        if len(context) > _CONTEXT:
            return None
        try:
            members = strict_json.decode_object(base64url.decode_strict(context))
            protected = members.get("ProtectedContext")
            sealed = base64url.decode_strict(protected) if isinstance(protected, str) else b""
        except (base64url.Base64Error, strict_json.JsonError):
            return None
        is_ours = members.get("ProtectionKeyName") == self._key_name and len(sealed) > _NONCE
        return sealed if is_ours else None


# Replicas' clocks differ: a challenge may be opened by one that is behind the one that minted it.
_SKEW: Final = timedelta(seconds=30)


def _associated(provider: str) -> bytes:
    return b"assay-challenge-1\x00" + provider.encode()

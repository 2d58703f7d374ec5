"""Algorithm identifiers of the TPM 2.0 library (TPM_ALG_ID), those that occur in evidence."""

from __future__ import annotations

import hashlib
from enum import IntEnum
from typing import Final

from assay.errors import MalformedEvidence, UnsupportedEvidence


class HashAlgorithm(IntEnum):
    """A hash by its TPM_ALG_ID: of PCR banks, names, signatures and the digests of event logs."""

    SHA1 = 0x0004
    SHA256 = 0x000B
    SHA384 = 0x000C
    SHA512 = 0x000D
    SM3_256 = 0x0012

    @property
    def label(self) -> str:
        """How claims and messages spell it: `SHA256`."""
        return self.name

    @property
    def digest_size(self) -> int:
        return _SIZES[self]

    @property
    def is_strong(self) -> bool:
        """Whether evidence may rest on it: SHA-1 has collisions, SM3 is not computed here (tpm-and-guest 6)."""
        return self in STRONG_HASHES

    def digest(self, content: bytes) -> bytes:
        """The hash of octets; raises `UnsupportedEvidence` for SM3."""
        if self is HashAlgorithm.SM3_256:
            raise UnsupportedEvidence("TPM hash", "SM3 is not computed here", code="UnsupportedHashAlgorithm")
        return hashlib.new(_HASHLIB[self], content, usedforsecurity=self.is_strong).digest()


_SIZES: Final = {
    HashAlgorithm.SHA1: 20,
    HashAlgorithm.SHA256: 32,
    HashAlgorithm.SHA384: 48,
    HashAlgorithm.SHA512: 64,
    HashAlgorithm.SM3_256: 32,
}
_HASHLIB: Final = {
    HashAlgorithm.SHA1: "sha1",
    HashAlgorithm.SHA256: "sha256",
    HashAlgorithm.SHA384: "sha384",
    HashAlgorithm.SHA512: "sha512",
}
STRONG_HASHES: Final = frozenset({HashAlgorithm.SHA256, HashAlgorithm.SHA384, HashAlgorithm.SHA512})


class SignatureScheme(IntEnum):
    """A signature scheme by its TPM_ALG_ID."""

    RSASSA = 0x0014
    RSAPSS = 0x0016
    ECDSA = 0x0018


# TPM_ALG_NULL: no scheme, no symmetric algorithm, no key derivation.
ALG_NULL: Final = 0x0010
ALG_RSA: Final = 0x0001
ALG_ECC: Final = 0x0023
ALG_RSAES: Final = 0x0015
ALG_ECDAA: Final = 0x001A
ALG_AES: Final = 0x0006
ALG_CFB: Final = 0x0043


def hash_algorithm(identifier: int, what: str) -> HashAlgorithm:
    """The hash of a TPM_ALG_ID; raises `MalformedEvidence` for any other identifier."""
    try:
        return HashAlgorithm(identifier)
    except ValueError as error:
        raise MalformedEvidence(what, f"algorithm {identifier:#06x} is no known hash") from error

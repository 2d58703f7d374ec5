"""What a vendor's authorities sign with: every other algorithm and key is refused, whoever signed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec

from assay import limits
from assay.pki.algorithms import (
    ECDSA_SHA256,
    ECDSA_SHA384,
    PKCS1_SHA256,
    PKCS1_SHA384,
    PKCS1_SHA512,
    PSS_SHA384,
    PublicKey,
    SignatureAlgorithm,
    read_algorithm,
    verify_signature,
)
from assay.pki.signatures import SignatureError


class KeyRule(NamedTuple):
    """Keys of one kind: a curve by the library's name, or RSA with a modulus between two lengths."""

    text: str
    curve: str = ""
    least_bits: int = 0
    most_bits: int = 0

    def admits(self, key: PublicKey) -> bool:
        if isinstance(key, ec.EllipticCurvePublicKey):
            return key.curve.name == self.curve
        return self.least_bits <= key.key_size <= self.most_bits


P256: Final = KeyRule("P-256", curve="secp256r1")
P384: Final = KeyRule("P-384", curve="secp384r1")
RSA_4096: Final = KeyRule("RSA of 4096 bits", least_bits=4096, most_bits=4096)
# NIST SP 800-131A: below 2048 bits is not acceptable.
RSA: Final = KeyRule("RSA of 2048 bits or more", least_bits=2048, most_bits=limits.RSA_BITS)


@dataclass(frozen=True, slots=True, eq=False)
class SigningProfile:
    """The pairs of algorithm and issuer's key that a caller accepts; compared by identity, so that it can key a cache.

    `zero_serials`: the vendor's certificates may have the serial number zero, against RFC 5280, 4.1.2.2.
    """

    name: str
    accepts: tuple[tuple[SignatureAlgorithm, KeyRule], ...]
    zero_serials: bool = False

    def verify(self, key: PublicKey, identifier: bytes, signature: bytes, message: bytes) -> None:
        """The signature, under an AlgorithmIdentifier as received; raises `SignatureError`."""
        algorithm = read_algorithm(identifier)
        if not any(one == algorithm and rule.admits(key) for one, rule in self.accepts):
            accepted = " or ".join(f"{one} by {rule.text}" for one, rule in self.accepts)
            raise SignatureError(f"{algorithm} by a key of {_describe(key)} instead of {accepted}")
        verify_signature(key, algorithm, signature, message)


def _describe(key: PublicKey) -> str:
    return key.curve.name if isinstance(key, ec.EllipticCurvePublicKey) else f"RSA, {key.key_size} bits"


_ELLIPTIC: Final = (
    (ECDSA_SHA256, P256),
    (ECDSA_SHA384, P256),
    (ECDSA_SHA256, P384),
    (ECDSA_SHA384, P384),
)
_PKCS1: Final = ((PKCS1_SHA256, RSA), (PKCS1_SHA384, RSA), (PKCS1_SHA512, RSA))

# quote-verification 2 and 4.
INTEL: Final = SigningProfile("Intel", ((ECDSA_SHA256, P256),))
# quote-verification 8.3: on the authorities and on the leaves.
AMD: Final = SigningProfile("AMD", ((PSS_SHA384, RSA_4096),), zero_serials=True)
# tpm-and-guest: endorsement and attestation keys of TPM vendors and of Azure's virtual TPM.
TPM_VENDORS: Final = SigningProfile("TPM vendors", (*_PKCS1, *_ELLIPTIC))
# quote-verification 11.3: the chains of utility VM endorsements.
MICROSOFT: Final = SigningProfile("Microsoft", (*_PKCS1, (PSS_SHA384, RSA), *_ELLIPTIC))

"""The secure kernel's key that signs reports, as Windows' loader measured it (tpm-and-guest 2.3)."""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from assay import limits
from assay.errors import MalformedEvidence
from assay.evidence._tcg.boot_claims import idks_values
from assay.evidence._tcg.measured import MeasuredLog
from assay.evidence._tcg.public import rsa_public_key
from assay.evidence._tcg.signature import RSA_BITS_LEAST
from assay.formats.reader import Reader
from assay.pki.signatures import SignatureError

_WHAT: Final = "secure kernel's identity key"
_HEADER: Final = ("algorithm", "key bits", "size of the exponent", "size of the modulus")
_RSA: Final = 1
# After a static launch, and after a dynamic one.
_STATIC_PCR: Final = 12
_DYNAMIC_PCR: Final = 19
# The length of the salt is not documented: any, here only.
_ANY_SALT: Final = padding.PSS(padding.MGF1(SHA256()), padding.PSS.AUTO)


def measured_keys(measured: MeasuredLog) -> tuple[bytes, ...]:
    """The keys that the log proves, each once: those of a dynamic launch and of a static one together."""
    return tuple(dict.fromkeys((*idks_values(measured, _DYNAMIC_PCR), *idks_values(measured, _STATIC_PCR))))


def parse_idks(value: bytes) -> RSAPublicKey:
    """The RSA key of a measured value, and nothing after it; raises `MalformedEvidence`."""
    reader = Reader(value, _WHAT, MalformedEvidence)
    algorithm, bits, exponent_size, modulus_size = (reader.u32(field) for field in _HEADER)
    exponent = int.from_bytes(reader.take(exponent_size, "exponent"), "big")
    modulus = int.from_bytes(reader.take(modulus_size, "modulus"), "big")
    reader.finish()
    if algorithm != _RSA:
        raise MalformedEvidence(_WHAT, f"algorithm {algorithm}, not {_RSA} (RSA)")
    if modulus.bit_length() != bits or not RSA_BITS_LEAST <= bits <= limits.ATTESTATION_KEY_BITS:
        raise MalformedEvidence(_WHAT, f"a modulus of {modulus.bit_length()} bits, announced as {bits}")
    if exponent < 3 or not exponent & 1 or exponent.bit_length() > 64:
        raise MalformedEvidence(_WHAT, "a bad exponent")
    return rsa_public_key(modulus, exponent)


def verify_report_signature(key: RSAPublicKey, signature: bytes, signed: bytes) -> None:
    """The signature of a report: RSASSA-PSS with SHA-256; raises `SignatureError`."""
    try:
        key.verify(signature, signed, _ANY_SALT, SHA256())
    except InvalidSignature as error:
        raise SignatureError("the signature does not verify") from error

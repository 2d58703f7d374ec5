"""TPMT_PUBLIC: the public area of a key in a TPM, its name and its attributes (TPM 2.0 library, part 2, 12.2)."""

from __future__ import annotations

from enum import IntFlag
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from assay import limits
from assay.errors import LimitExceeded, MalformedEvidence, UnsupportedEvidence
from assay.evidence._tcg.algorithms import (
    ALG_ECC,
    ALG_ECDAA,
    ALG_NULL,
    ALG_RSA,
    ALG_RSAES,
    HashAlgorithm,
    hash_algorithm,
)
from assay.formats.reader import BigEndianReader

_WHAT: Final = "TPM public area"
_RSA_EXPONENT: Final = 65537
_CURVES: Final[dict[int, ec.EllipticCurve]] = {3: ec.SECP256R1(), 4: ec.SECP384R1(), 5: ec.SECP521R1()}

TpmKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


class Attributes(IntFlag):
    """TPMA_OBJECT: what a TPM lets a key do."""

    FIXED_TPM = 0x2
    ST_CLEAR = 0x4
    FIXED_PARENT = 0x10
    SENSITIVE_DATA_ORIGIN = 0x20
    USER_WITH_AUTH = 0x40
    ADMIN_WITH_POLICY = 0x80
    NO_DA = 0x400
    ENCRYPTED_DUPLICATION = 0x800
    RESTRICTED = 0x10000
    DECRYPT = 0x20000
    SIGN = 0x40000


# An attestation key: made in this TPM, never leaves it, signs only what the TPM itself says (tpm-and-guest 0.1).
ATTESTATION_KEY: Final = (
    Attributes.FIXED_TPM
    | Attributes.FIXED_PARENT
    | Attributes.SENSITIVE_DATA_ORIGIN
    | Attributes.RESTRICTED
    | Attributes.SIGN
)


class Scheme(NamedTuple):
    """A TPMT_ASYM_SCHEME: its algorithm and its hash; NULL (0x0010) lets the caller of each command choose."""

    algorithm: int
    hash: HashAlgorithm | None


class Symmetric(NamedTuple):
    """The symmetric algorithm with which a storage key protects; `key_bits` is zero when there is none."""

    algorithm: int
    key_bits: int
    mode: int


class TpmPublic(NamedTuple):
    """The public area of an RSA or ECC key; `octets` are its own, as its name covers them."""

    octets: bytes
    name_algorithm: HashAlgorithm
    attributes: Attributes
    auth_policy: bytes
    symmetric: Symmetric
    scheme: Scheme
    key: TpmKey

    @property
    def name(self) -> bytes:
        """The key's name: its hash algorithm and the hash of its public area."""
        return self.name_algorithm.to_bytes(2, "big") + self.name_algorithm.digest(self.octets)


def primary_qualified_name(public: TpmPublic, hierarchy: int) -> bytes:
    """The qualified name of a primary key of a hierarchy: what its signatures call `qualifiedSigner`."""
    algorithm = public.name_algorithm
    return algorithm.to_bytes(2, "big") + algorithm.digest(hierarchy.to_bytes(4, "big") + public.name)


ENDORSEMENT_HIERARCHY: Final = 0x4000000B


def parse_public(octets: bytes) -> TpmPublic:
    """A TPMT_PUBLIC, and nothing after it.

    Raises `MalformedEvidence`, `UnsupportedEvidence` for keys that are neither RSA nor ECC, and `LimitExceeded`.
    """
    if len(octets) > limits.ATTEST_STRUCTURE:
        raise LimitExceeded(f"{_WHAT}, octets", limit=limits.ATTEST_STRUCTURE, found=len(octets))
    reader = BigEndianReader(octets, _WHAT, MalformedEvidence)
    kind = reader.u16("type")
    name_algorithm = hash_algorithm(reader.u16("name algorithm"), _WHAT)
    attributes = Attributes(reader.u32("attributes"))
    auth_policy = reader.sized("authorisation policy")
    if kind not in (ALG_RSA, ALG_ECC):
        raise UnsupportedEvidence(_WHAT, f"a key of type {kind:#06x}", code="UnsupportedTpmKeyType", offset=0)
    symmetric = _symmetric(reader)
    scheme = _scheme(reader)
    key = _rsa_key(reader) if kind == ALG_RSA else _ecc_key(reader)
    reader.finish()
    return TpmPublic(octets, name_algorithm, attributes, auth_policy, symmetric, scheme, key)


def parse_sized_public(octets: bytes) -> tuple[TpmPublic, bytes]:
    """A TPM2B_PUBLIC, and the octets after it: whoever admits some says so (tpm-and-guest 3.1)."""
    reader = BigEndianReader(octets, _WHAT, MalformedEvidence)
    return parse_public(reader.sized("public area")), reader.rest()


def _symmetric(reader: BigEndianReader) -> Symmetric:
    algorithm = reader.u16("symmetric algorithm")
    if algorithm == ALG_NULL:
        return Symmetric(algorithm, 0, ALG_NULL)
    return Symmetric(algorithm, reader.u16("symmetric key bits"), reader.u16("symmetric mode"))


def _scheme(reader: BigEndianReader) -> Scheme:
    algorithm = reader.u16("scheme")
    if algorithm in (ALG_NULL, ALG_RSAES):
        return Scheme(algorithm, None)
    scheme = Scheme(algorithm, hash_algorithm(reader.u16("hash of the scheme"), _WHAT))
    if algorithm == ALG_ECDAA:
        reader.u16("count of the scheme")
    return scheme


def _rsa_key(reader: BigEndianReader) -> rsa.RSAPublicKey:
    bits = reader.u16("key bits")
    exponent = reader.u32("exponent") or _RSA_EXPONENT
    modulus = int.from_bytes(reader.sized("modulus"), "big")
    if bits > limits.RSA_BITS:
        raise LimitExceeded("RSA key, bits", limit=limits.RSA_BITS, found=bits)
    if modulus.bit_length() != bits:
        raise MalformedEvidence(_WHAT, f"a modulus of {modulus.bit_length()} bits, announced as {bits}")
    return rsa_public_key(modulus, exponent)


def rsa_public_key(modulus: int, exponent: int) -> rsa.RSAPublicKey:
    """The RSA key of two numbers; raises `MalformedEvidence` for an even modulus and a bad exponent."""
    try:
        return rsa.RSAPublicNumbers(exponent, modulus).public_key()
    except ValueError as error:
        raise MalformedEvidence("RSA public key", str(error)) from error


def _ecc_key(reader: BigEndianReader) -> ec.EllipticCurvePublicKey:
    curve = reader.u16("curve")
    if reader.u16("key derivation") != ALG_NULL:
        hash_algorithm(reader.u16("hash of the key derivation"), _WHAT)
    x, y = reader.sized("x"), reader.sized("y")
    if curve not in _CURVES:
        raise UnsupportedEvidence(_WHAT, f"curve {curve:#06x}", code="UnsupportedTpmKeyType")
    try:
        numbers = ec.EllipticCurvePublicNumbers(int.from_bytes(x, "big"), int.from_bytes(y, "big"), _CURVES[curve])
        return numbers.public_key()
    except ValueError as error:
        raise MalformedEvidence(_WHAT, "the public key is not a point of its curve") from error

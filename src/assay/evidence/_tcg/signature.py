"""TPMT_SIGNATURE: signatures of a TPM's keys, verified over the octets received (TPM 2.0 library, part 2, 11.3)."""

from __future__ import annotations

from typing import Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from assay import limits
from assay.errors import LimitExceeded, MalformedEvidence, UnsupportedEvidence
from assay.evidence._tcg.algorithms import HashAlgorithm, SignatureScheme, hash_algorithm
from assay.evidence._tcg.public import TpmKey
from assay.formats.reader import BigEndianReader
from assay.pki.signatures import SignatureError

_WHAT: Final = "TPM signature"
# Own and NIST SP 800-131A: what an attestation key may have at least; the most is `limits.ATTESTATION_KEY_BITS`.
RSA_BITS_LEAST: Final = 2048
_HASHES: Final[dict[HashAlgorithm, hashes.HashAlgorithm]] = {
    HashAlgorithm.SHA256: hashes.SHA256(),
    HashAlgorithm.SHA384: hashes.SHA384(),
    HashAlgorithm.SHA512: hashes.SHA512(),
}


class TpmSignature(NamedTuple):
    """A signature with its scheme and hash; `signature` is RSA's octets, or ECDSA's r and s in DER."""

    scheme: SignatureScheme
    hash: HashAlgorithm
    signature: bytes


def parse_signature(octets: bytes) -> TpmSignature:
    """A TPMT_SIGNATURE, and nothing after it.

    Raises `MalformedEvidence`, and `UnsupportedEvidence` for schemes other than RSASSA, RSAPSS and ECDSA.
    """
    if len(octets) > limits.ATTEST_STRUCTURE:
        raise LimitExceeded(f"{_WHAT}, octets", limit=limits.ATTEST_STRUCTURE, found=len(octets))
    reader = BigEndianReader(octets, _WHAT, MalformedEvidence)
    identifier = reader.u16("scheme")
    try:
        scheme = SignatureScheme(identifier)
    except ValueError as error:
        raise UnsupportedEvidence(
            _WHAT, f"scheme {identifier:#06x}", code="UnsupportedTpmSignature", offset=0
        ) from error
    algorithm = hash_algorithm(reader.u16("hash"), _WHAT)
    if scheme is SignatureScheme.ECDSA:
        r, s = (int.from_bytes(reader.sized(field), "big") for field in ("r", "s"))
        signature = encode_dss_signature(r, s)
    else:
        signature = reader.sized("signature")
    reader.finish()
    return TpmSignature(scheme, algorithm, signature)


def rsassa_sha256(signature: bytes) -> TpmSignature:
    """A bare RSASSA signature with SHA-256, as guests of Azure send it (tpm-and-guest 3.1)."""
    return TpmSignature(SignatureScheme.RSASSA, HashAlgorithm.SHA256, signature)


def verify_signature(key: TpmKey, signature: TpmSignature, message: bytes) -> None:
    """The signature of a TPM's key over octets as received.

    Raises `SignatureError`: a weak hash or key, a scheme that is not the key's, a signature that does not verify.
    """
    chosen = _HASHES.get(signature.hash)
    if chosen is None:
        raise SignatureError(f"signed with {signature.hash.label}, which nothing may rest on")
    try:
        match key, signature.scheme:
            case rsa.RSAPublicKey(), SignatureScheme.RSASSA:
                _require_rsa(key).verify(signature.signature, message, padding.PKCS1v15(), chosen)
            case rsa.RSAPublicKey(), SignatureScheme.RSAPSS:
                # TPM 2.0 library, part 1, B.7: the salt is as long as the digest, or as the key admits; FIPS: digest.
                pss = padding.PSS(padding.MGF1(chosen), padding.PSS.AUTO)
                _require_rsa(key).verify(signature.signature, message, pss, chosen)
            case ec.EllipticCurvePublicKey(), SignatureScheme.ECDSA:
                key.verify(signature.signature, message, ec.ECDSA(chosen))
            case _:
                raise SignatureError(f"a signature of scheme {signature.scheme.name} by a key of another kind")
    except InvalidSignature as error:
        raise SignatureError("the signature does not verify") from error


def _require_rsa(key: rsa.RSAPublicKey) -> rsa.RSAPublicKey:
    if not RSA_BITS_LEAST <= key.key_size <= limits.ATTESTATION_KEY_BITS:
        raise SignatureError(
            f"an RSA key of {key.key_size} bits, {RSA_BITS_LEAST} to {limits.ATTESTATION_KEY_BITS} are usable"
        )
    return key

"""What a TPM writes: public areas, attestation structures and signatures, with any field chosen."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

# TPM 2.0 library, part 2, 6.3.
SHA1, SHA256, SHA384, SHA512 = 0x0004, 0x000B, 0x000C, 0x000D
NULL, RSASSA, RSAPSS, RSAES, ECDSA = 0x0010, 0x0014, 0x0016, 0x0015, 0x0018
GENERATED: Final = 0xFF544347
CERTIFY, QUOTE = 0x8017, 0x8018
# Part 2, 8.3: of Azure's attestation keys, and of its ephemeral encryption keys (tpm-and-guest 0.1, 3.2).
ATTESTATION_KEY, ENCRYPTION_KEY = 0x00050472, 0x00020432

_NAMES: Final = {SHA1: "sha1", SHA256: "sha256", SHA384: "sha384", SHA512: "sha512"}
_HASHES: Final[dict[int, hashes.HashAlgorithm]] = {
    SHA1: hashes.SHA1(),  # noqa: S303  # a negative: what verifiers must refuse
    SHA256: hashes.SHA256(),
    SHA384: hashes.SHA384(),
    SHA512: hashes.SHA512(),
}
_CURVES: Final = {"secp256r1": 3, "secp384r1": 4, "secp521r1": 5}

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
# Values of PCRs by bank and index; and which of them are quoted, bank by bank.
Banks = Mapping[int, Mapping[int, bytes]]
Selection = Sequence[tuple[int, Sequence[int]]]


def digest(algorithm: int, content: bytes) -> bytes:
    """The hash of a TPM_ALG_ID."""
    return hashlib.new(_NAMES[algorithm], content, usedforsecurity=False).digest()


def digest_size(algorithm: int) -> int:
    return _HASHES[algorithm].digest_size


def u16(number: int) -> bytes:
    return number.to_bytes(2, "big")


def u32(number: int) -> bytes:
    return number.to_bytes(4, "big")


def sized(content: bytes) -> bytes:
    """A TPM2B."""
    return u16(len(content)) + content


def whole_selection(*algorithms: int, indices: Sequence[int] = range(24)) -> tuple[tuple[int, tuple[int, ...]], ...]:
    """The same PCRs of each bank."""
    return tuple((algorithm, tuple(indices)) for algorithm in algorithms)


def encode_selection(selection: Selection) -> bytes:
    """A TPML_PCR_SELECTION of 3-octet bitmaps."""
    entries = (
        u16(algorithm) + b"\x03" + sum(1 << index for index in indices).to_bytes(3, "little")
        for algorithm, indices in selection
    )
    return u32(len(selection)) + b"".join(entries)


def composite(selection: Selection, banks: Banks, algorithm: int = SHA256) -> bytes:
    """The digest of the selected values."""
    return digest(algorithm, b"".join(banks[bank][index] for bank, indices in selection for index in indices))


def pcr_policy(selection: Selection, banks: Banks, algorithm: int = SHA256) -> bytes:
    """The policy of TPM2_PolicyPCR alone, from a fresh session."""
    values = composite(selection, banks, algorithm)
    start = bytes(digest_size(algorithm)) + u32(0x17F)
    return digest(algorithm, start + encode_selection(selection) + values)


@dataclass(frozen=True, slots=True)
class PublicForm:
    """A TPMT_PUBLIC: of an attestation key unless said otherwise."""

    attributes: int = ATTESTATION_KEY
    name_algorithm: int = SHA256
    policy: bytes = b""
    scheme: int | None = None  # None: RSASSA or ECDSA by the key's kind
    scheme_hash: int = SHA256
    symmetric: bytes = u16(NULL)


ATTESTATION_FORM: Final = PublicForm()
ENCRYPTION_FORM: Final = PublicForm(ENCRYPTION_KEY, scheme=RSAES)
# TCG EK Credential Profile 2.5, template L-1: a storage key with AES-128 whose policy is that of the hierarchy.
EK_POLICY: Final = bytes.fromhex("837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa")
STORAGE_FORM: Final = PublicForm(0x000300B2, policy=EK_POLICY, scheme=NULL, symmetric=bytes.fromhex("000600800043"))


def encode_public(key: PrivateKey, form: PublicForm = ATTESTATION_FORM) -> bytes:
    """The TPMT_PUBLIC of a key."""
    public = key.public_key()
    is_rsa = isinstance(public, rsa.RSAPublicKey)
    scheme = form.scheme if form.scheme is not None else (RSASSA if is_rsa else ECDSA)
    head = u16(0x0001 if is_rsa else 0x0023) + u16(form.name_algorithm) + u32(form.attributes) + sized(form.policy)
    head += form.symmetric + u16(scheme) + (b"" if scheme in (NULL, RSAES) else u16(form.scheme_hash))
    match public:
        case rsa.RSAPublicKey():
            modulus = public.public_numbers().n.to_bytes(public.key_size // 8, "big")
            return head + u16(public.key_size) + u32(0) + sized(modulus)
        case ec.EllipticCurvePublicKey():
            size = (public.key_size + 7) // 8
            point = public.public_numbers()
            return (
                head
                + u16(_CURVES[public.curve.name])
                + u16(NULL)
                + sized(point.x.to_bytes(size, "big"))
                + sized(point.y.to_bytes(size, "big"))
            )


def name_of(public: bytes, algorithm: int = SHA256) -> bytes:
    """The name of a public area."""
    return u16(algorithm) + digest(algorithm, public)


def qualified_name(public: bytes, hierarchy: int = 0x4000000B, algorithm: int = SHA256) -> bytes:
    """The qualified name of a primary key, of the endorsement hierarchy unless said otherwise."""
    return u16(algorithm) + digest(algorithm, u32(hierarchy) + name_of(public, algorithm))


@dataclass(frozen=True, slots=True)
class AttestForm:
    """What stands before the attested part of a TPMS_ATTEST."""

    extra_data: bytes = b""
    signer: bytes = b""
    magic: int = GENERATED
    clock: int = 123_456_789
    reset_count: int = 7
    restart_count: int = 0
    safe: int = 1
    firmware: int = 0x2020_0312_0012_8000
    trailing: bytes = b""


ATTEST_FORM: Final = AttestForm()


def _attest(kind: int, form: AttestForm, attested: bytes) -> bytes:
    clock = form.clock.to_bytes(8, "big") + u32(form.reset_count) + u32(form.restart_count) + bytes((form.safe,))
    head = u32(form.magic) + u16(kind) + sized(form.signer) + sized(form.extra_data) + clock
    return head + form.firmware.to_bytes(8, "big") + attested + form.trailing


def encode_quote(selection: Selection, pcr_digest: bytes, form: AttestForm = ATTEST_FORM) -> bytes:
    """The TPMS_ATTEST of TPM2_Quote."""
    return _attest(QUOTE, form, encode_selection(selection) + sized(pcr_digest))


def encode_certification(name: bytes, form: AttestForm = ATTEST_FORM, qualified: bytes = b"") -> bytes:
    """The TPMS_ATTEST of TPM2_Certify."""
    return _attest(CERTIFY, form, sized(name) + sized(qualified))


def raw_signature(key: PrivateKey, message: bytes, scheme: int | None = None, algorithm: int = SHA256) -> bytes:
    """The signature as the scheme writes it: RSA's octets, or ECDSA's r and s as two TPM2B."""
    chosen = _HASHES[algorithm]
    match key:
        case rsa.RSAPrivateKey():
            if scheme == RSAPSS:
                return key.sign(message, padding.PSS(padding.MGF1(chosen), padding.PSS.DIGEST_LENGTH), chosen)
            return key.sign(message, padding.PKCS1v15(), chosen)
        case ec.EllipticCurvePrivateKey():
            size = (key.key_size + 7) // 8
            r, s = decode_dss_signature(key.sign(message, ec.ECDSA(chosen)))
            return sized(r.to_bytes(size, "big")) + sized(s.to_bytes(size, "big"))


def encode_signature(key: PrivateKey, message: bytes, scheme: int | None = None, algorithm: int = SHA256) -> bytes:
    """The TPMT_SIGNATURE of a message by a key."""
    raw = raw_signature(key, message, scheme, algorithm)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return u16(ECDSA) + u16(algorithm) + raw
    return u16(scheme or RSASSA) + u16(algorithm) + sized(raw)

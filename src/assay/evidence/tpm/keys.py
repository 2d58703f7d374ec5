"""Keys of a request: the one that signed it, others beside it, and how a TPM vouches for them (tpm-and-guest 1.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from assay import limits
from assay.errors import MalformedEvidence
from assay.evidence._tcg.algorithms import HashAlgorithm
from assay.evidence._tcg.attest import Certification, parse_certification
from assay.evidence._tcg.public import TpmPublic, parse_public, rsa_public_key
from assay.evidence._tcg.signature import RSA_BITS_LEAST, TpmSignature, parse_signature
from assay.evidence.tpm.members import (
    WHAT,
    Members,
    optional_list,
    optional_object,
    required_object,
    required_octets,
    required_text,
)
from assay.formats import base64url
from assay.formats.json_text import member_texts
from assay.formats.strict_json import JsonValue

_HASHES: Final = {
    "sha-256": HashAlgorithm.SHA256,
    "sha-384": HashAlgorithm.SHA384,
    "sha-512": HashAlgorithm.SHA512,
}
OTHER_KEYS: Final = 2


class QuoteBinding(NamedTuple):
    """The key is named in the quote's qualifying data, under this hash."""

    hash_name: str
    hash: HashAlgorithm

    def qualifying_data(self, jwk_text: str, challenge: bytes) -> bytes:
        """What the TPM quoted: the hash of the key as it was sent, a zero octet, the challenge."""
        return self.hash.digest(jwk_text.encode() + b"\x00" + challenge)


class CertifyBinding(NamedTuple):
    """The key lives in the same TPM, whose attestation key certified it."""

    public: TpmPublic
    certification: Certification
    signature: TpmSignature


class RequestKey(NamedTuple):
    """A key by its JWK, as text and as read, and how it is bound; `binding` is None where nothing binds it."""

    text: str
    jwk: Mapping[str, JsonValue]
    key: RSAPublicKey
    binding: QuoteBinding | CertifyBinding | None = None

    def describe(self) -> dict[str, JsonValue]:
        """The policy key object (claims 7.2)."""
        described: dict[str, JsonValue] = {"jwk": dict(self.jwk)}
        match self.binding:
            case QuoteBinding(hash_name=name):
                described["info"] = {"tpm_quote": {"hash_alg": name}}
            case CertifyBinding(public=public):
                described["info"] = {"tpm_certify": _describe_public(public)}
            case None:
                pass
        return described

    def confirmation(self) -> dict[str, JsonValue]:
        """`cnf` of the token (RFC 7800)."""
        return {"jwk": {"kty": "RSA", "n": self.jwk["n"], "e": self.jwk["e"]}}


def _describe_public(public: TpmPublic) -> dict[str, JsonValue]:
    described: dict[str, JsonValue] = {"name_alg": int(public.name_algorithm), "obj_attr": int(public.attributes)}
    if public.auth_policy:
        described["auth_policy"] = base64url.encode(public.auth_policy)
    return described


def parse_jwk(members: Members) -> RSAPublicKey:
    """An RSA key of 2048 to 4096 bits with an odd exponent above 2; raises `MalformedEvidence`."""
    if members.get("kty") != "RSA":
        raise MalformedEvidence(WHAT, "a key that is not RSA")
    if "d" in members or "p" in members:
        raise MalformedEvidence(WHAT, "a private key")
    modulus, exponent = (int.from_bytes(required_octets(members, name), "big") for name in ("n", "e"))
    if not RSA_BITS_LEAST <= modulus.bit_length() <= limits.ATTESTATION_KEY_BITS:
        most = limits.ATTESTATION_KEY_BITS
        raise MalformedEvidence(WHAT, f"an RSA key of {modulus.bit_length()} bits, not {RSA_BITS_LEAST} to {most}")
    if exponent < 3 or not exponent & 1 or exponent.bit_length() > 64:
        raise MalformedEvidence(WHAT, "an RSA key with a bad exponent")
    return rsa_public_key(modulus, exponent)


def parse_request_key(members: Members, text: str) -> RequestKey:
    """A key `{"jwk": …, "info": …}` whose own text is `text`; raises `MalformedEvidence`."""
    jwk = required_object(members, "jwk")
    info = optional_object(members, "info")
    return RequestKey(member_texts(text)["jwk"], jwk, parse_jwk(jwk), None if info is None else _parse_info(info))


def parse_other_keys(members: Members) -> tuple[RequestKey, ...]:
    """The keys beside the request's, none of them bound by the quote."""
    others = optional_list(members, "other_keys")
    if len(others) > OTHER_KEYS:
        raise MalformedEvidence(WHAT, f"{len(others)} other keys, at most {OTHER_KEYS}")
    keys = []
    for other in others:
        jwk, info = required_object(other, "jwk"), optional_object(other, "info")
        binding = None if info is None else _parse_info(info)
        if isinstance(binding, QuoteBinding):
            raise MalformedEvidence(WHAT, "other_keys: only the request's own key is bound by the quote")
        keys.append(RequestKey("", jwk, parse_jwk(jwk), binding))
    return tuple(keys)


def _parse_info(info: Members) -> QuoteBinding | CertifyBinding:
    quote, certify = optional_object(info, "tpm_quote"), optional_object(info, "tpm_certify")
    if (quote is None) == (certify is None):
        raise MalformedEvidence(WHAT, "info: exactly one of tpm_quote and tpm_certify is needed")
    if quote is not None:
        name = required_text(quote, "hash_alg")
        if name.lower() not in _HASHES:
            raise MalformedEvidence(WHAT, f"hash_alg {name[:20]!r} is none of {', '.join(_HASHES)}")
        return QuoteBinding(name, _HASHES[name.lower()])
    return CertifyBinding(
        parse_public(required_octets(certify or {}, "public")),
        parse_certification(required_octets(certify or {}, "certification")),
        parse_signature(required_octets(certify or {}, "signature")),
    )

"""Issuers named as did:x509 (version 0): a certificate authority by its fingerprint, and what its leaf must say.

`did:x509:0:sha256:FINGERPRINT::POLICY:VALUE::POLICY:VALUE…`; values are percent-encoded (quote-verification 11.3).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.x509.oid import NameOID

from assay import limits
from assay.formats import base64url
from assay.formats.base64url import Base64Error
from assay.pki.certificate import UNREADABLE, Certificate

_PREFIX: Final = "did:x509:0:"
_HASHES: Final = {"sha256": hashlib.sha256, "sha384": hashlib.sha384, "sha512": hashlib.sha512}
_ENCODED: Final = re.compile(r"(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2})+\Z")
_ESCAPE: Final = re.compile(rb"%([0-9A-Fa-f]{2})")
_ATTRIBUTES: Final[Mapping[str, x509.ObjectIdentifier]] = {
    "CN": NameOID.COMMON_NAME,
    "L": NameOID.LOCALITY_NAME,
    "ST": NameOID.STATE_OR_PROVINCE_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "C": NameOID.COUNTRY_NAME,
    "STREET": NameOID.STREET_ADDRESS,
}
_ALTERNATIVES: Final[Mapping[str, type[x509.GeneralName]]] = {
    "email": x509.RFC822Name,
    "dns": x509.DNSName,
    "uri": x509.UniformResourceIdentifier,
}


class DidError(ValueError):
    """A text that is no did:x509 which is known here, or a chain that it does not name; the text says why."""


class DidX509(NamedTuple):
    """A parsed identifier: the fingerprint of an authority's certificate, and policies with their decoded values."""

    text: str
    hash_name: str
    fingerprint: bytes
    policies: tuple[tuple[str, tuple[str, ...]], ...]


def parse_did_x509(text: str) -> DidX509:
    """Parse an identifier; raises `DidError` for any that is not understood whole, one without policy included."""
    if len(text) > limits.DID:
        raise DidError(f"a did:x509 of {len(text)} characters, at most {limits.DID}")
    head, *policies = text.split("::")
    if not head.startswith(_PREFIX) or not policies:
        raise DidError(f"{text[:80]!r} is no did:x509 of version 0 with a policy")
    hash_name, _, fingerprint = head.removeprefix(_PREFIX).partition(":")
    if hash_name not in _HASHES:
        raise DidError(f"did:x509 with the hash {hash_name!r}")
    try:
        octets = base64url.decode_strict(fingerprint)
    except Base64Error as error:
        raise DidError(f"did:x509 with the fingerprint {fingerprint[:80]!r}: {error}") from error
    if len(octets) != _HASHES[hash_name]().digest_size:
        raise DidError(f"did:x509 with a fingerprint of {len(octets)} octets")
    return DidX509(text, hash_name, octets, tuple(map(_parse_policy, policies)))


def _parse_policy(text: str) -> tuple[str, tuple[str, ...]]:
    name, *values = text.split(":")
    if name not in _HOLDS or not values or not all(_ENCODED.match(value) for value in values):
        raise DidError(f"did:x509 with the policy {text[:80]!r}")
    odd = len(values) % 2 == 1
    if (name == "eku" and len(values) != 1) or (name == "san" and len(values) != 2) or (name == "subject" and odd):
        raise DidError(f"did:x509 with a policy {name!r} of {len(values)} values")
    return name, tuple(map(_decode, values))


def _decode(text: str) -> str:
    """Percent-encoding undone (RFC 3986, 2.1)."""
    octets = _ESCAPE.sub(lambda escape: bytes.fromhex(escape[1].decode("ascii")), text.encode("ascii"))
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DidError(f"did:x509 with a value that is not UTF-8: {text[:80]!r}") from error


def require_named(did: DidX509, chain: Sequence[Certificate]) -> None:
    """`did` names this chain, leaf first: an authority's fingerprint, and every policy of the leaf.

    The signatures of the chain are the caller's to verify. Raises `DidError`.
    """
    hashed = _HASHES[did.hash_name]
    if not any(hashed(certificate.der).digest() == did.fingerprint for certificate in chain[1:]):
        raise DidError("no certificate above the leaf has the fingerprint of the issuer")
    for name, values in did.policies:
        if not _HOLDS[name](chain[0], values):
            raise DidError(f"the leaf does not have {name} {':'.join(values)}")


def _has_purpose(leaf: Certificate, values: tuple[str, ...]) -> bool:
    return values[0] in (leaf.extensions.purposes or ())


def _has_subject(leaf: Certificate, values: tuple[str, ...]) -> bool:
    """Each named attribute stands in the subject with this value; no name twice."""
    subject = leaf.parsed.subject
    names = values[::2]
    if len(set(names)) != len(names):
        return False
    for name, value in zip(names, values[1::2], strict=True):
        try:
            identifier = _ATTRIBUTES.get(name) or x509.ObjectIdentifier(name)
        except ValueError:
            return False
        if value not in [attribute.value for attribute in subject.get_attributes_for_oid(identifier)]:
            return False
    return True


def _has_alternative_name(leaf: Certificate, values: tuple[str, ...]) -> bool:
    kind = _ALTERNATIVES.get(values[0])
    if kind is None:
        return False
    try:
        names = leaf.parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, *UNREADABLE):
        return False
    return any(isinstance(name, kind) and name.value == values[1] for name in names)


_HOLDS: Final[Mapping[str, Callable[[Certificate, tuple[str, ...]], bool]]] = {
    "eku": _has_purpose,
    "subject": _has_subject,
    "san": _has_alternative_name,
}

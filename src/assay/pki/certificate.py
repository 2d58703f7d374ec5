"""An X.509 certificate as the vendors' profiles need it, read once and kept with its bytes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtensionOID, NameOID

from assay import limits
from assay.errors import LimitExceeded, MalformedEndorsement
from assay.formats.der import DerReader

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey

# RFC 5280, 4.1: the version is explicit, [0], in every certificate with extensions.
_VERSION: Final = 0xA0
# RFC 5280, 4.2: a critical extension that is not processed makes the certificate unusable.
_PROCESSED: Final = frozenset({ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.KEY_USAGE})

# What the library raises for bytes that are no certificate; not all of it descends from ValueError.
_UNREADABLE: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
    # Hostile names (a country of three letters) are a warning, an error where warnings are.
    UserWarning,
)


@dataclass(frozen=True, eq=False)
class Certificate:
    """A parsed certificate; compared by identity (equal bytes are parsed once)."""

    der: bytes
    parsed: x509.Certificate
    public_key: PublicKey
    extensions: x509.Extensions

    @cached_property
    def subject(self) -> bytes:
        """The subject's Name in DER, for comparison."""
        return self.parsed.subject.public_bytes()

    @cached_property
    def issuer(self) -> bytes:
        """The issuer's Name in DER, for comparison."""
        return self.parsed.issuer.public_bytes()

    @cached_property
    def common_name(self) -> str:
        return _attribute(self.parsed.subject, NameOID.COMMON_NAME)

    @cached_property
    def organisation(self) -> str:
        return _attribute(self.parsed.subject, NameOID.ORGANIZATION_NAME)

    @cached_property
    def serial(self) -> int:
        return self.parsed.serial_number

    @cached_property
    def not_before(self) -> datetime:
        return self.parsed.not_valid_before_utc

    @cached_property
    def not_after(self) -> datetime:
        return self.parsed.not_valid_after_utc

    @cached_property
    def key_sha256(self) -> str:
        """SHA-256 of the SubjectPublicKeyInfo in DER, lower-case hex: what an anchor pins."""
        spki = self.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return hashlib.sha256(spki).hexdigest()

    @cached_property
    def path_length(self) -> int | None:
        """-1 for a certificate that is no CA; else how many CAs may follow below, None for any number."""
        try:
            constraints = self.extensions.get_extension_for_class(x509.BasicConstraints).value
        except x509.ExtensionNotFound:
            return -1
        return constraints.path_length if constraints.ca else -1

    @property
    def is_ca(self) -> bool:
        return self.path_length is None or self.path_length >= 0

    @cached_property
    def key_usage(self) -> x509.KeyUsage | None:
        try:
            return self.extensions.get_extension_for_class(x509.KeyUsage).value
        except x509.ExtensionNotFound:
            return None

    @cached_property
    def subject_key_id(self) -> bytes | None:
        try:
            return self.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
        except x509.ExtensionNotFound:
            return None

    @cached_property
    def authority_key_id(self) -> bytes | None:
        try:
            return self.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
        except x509.ExtensionNotFound:
            return None

    @cached_property
    def unprocessed_critical(self) -> tuple[str, ...]:
        """Dotted identifiers of critical extensions that no check here understands."""
        return tuple(e.oid.dotted_string for e in self.extensions if e.critical and e.oid not in _PROCESSED)

    @cached_property
    def pem(self) -> bytes:
        """The certificate as PEM: 64 columns, LF, final LF."""
        return self.parsed.public_bytes(Encoding.PEM)

    def unknown_extension(self, dotted: str) -> bytes | None:
        """The raw value of a vendor extension, or None when the certificate has none."""
        for extension in self.extensions:
            if extension.oid.dotted_string == dotted and isinstance(extension.value, x509.UnrecognizedExtension):
                return extension.value.value
        return None


def _attribute(name: x509.Name, oid: x509.ObjectIdentifier) -> str:
    values = name.get_attributes_for_oid(oid)
    return str(values[0].value) if len(values) == 1 else ""


@lru_cache(maxsize=limits.CERTIFICATES)
def parse_certificate(der: bytes) -> Certificate:
    """The certificate of a DER text; equal bytes give the same object.

    Raises `MalformedEndorsement` for anything that does not decode, an unsupported key, an RSA key that is absurdly
    long, and `LimitExceeded` beyond `limits.CERTIFICATE` (attack case IN-06).
    """
    if len(der) > limits.CERTIFICATE:
        raise LimitExceeded("certificate, octets", limit=limits.CERTIFICATE, found=len(der))
    _require_positive_serial(der)
    try:
        parsed = x509.load_der_x509_certificate(der)
        key = parsed.public_key()
        extensions = parsed.extensions
        _touch(parsed)
    except _UNREADABLE as error:
        raise MalformedEndorsement("certificate", str(error) or type(error).__name__) from error
    require_whole_octets(der, parsed.signature, "certificate")
    if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        raise MalformedEndorsement("certificate", f"a key of type {type(key).__name__}")
    if isinstance(key, rsa.RSAPublicKey) and key.key_size > limits.RSA_BITS:
        raise LimitExceeded("RSA key, bits", limit=limits.RSA_BITS, found=key.key_size)
    return Certificate(der, parsed, key, extensions)


def _require_positive_serial(der: bytes) -> None:
    """RFC 5280, 4.1.2.2; the library only warns of it, and will refuse such certificates one day."""
    content = DerReader(der, "certificate").sequence("certificate").sequence("to be signed")
    if content.element()[0] != _VERSION:
        raise MalformedEndorsement("certificate", "not of version 3")
    if content.integer("serial number") <= 0:
        raise MalformedEndorsement("certificate", "the serial number is not positive")


def require_whole_octets(der: bytes, signature: bytes, what: str) -> None:
    """The octet that counts unused bits before a signature is zero; it is not itself signed.

    Raises `MalformedEndorsement`.
    """
    if not der.endswith(b"\x00" + signature):
        raise MalformedEndorsement(what, "a signature that is not whole octets")


def _touch(parsed: x509.Certificate) -> None:
    """Decode now what the library decodes lazily, so that a malformed field is a parse error."""
    parsed.subject.public_bytes()
    parsed.issuer.public_bytes()
    _ = (parsed.not_valid_before_utc, parsed.not_valid_after_utc, parsed.serial_number, parsed.signature_hash_algorithm)

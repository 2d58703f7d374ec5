"""An X.509 certificate as the vendors' profiles need it, read once and kept with its bytes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from assay import limits
from assay.errors import LimitExceeded, MalformedEndorsement
from assay.formats import pem
from assay.formats.der import DerReader
from assay.memo import Lazy
from assay.pki.algorithms import PublicKey
from assay.pki.extensions import ReadExtensions, read_extensions
from assay.pki.names import read_name
from assay.pki.signatures import load_p256_point
from assay.pki.validity import Window

# RFC 5280, 4.1: the version is explicit, [0], in every certificate with extensions.
_VERSION: Final = 0xA0
# What the library raises for bytes that are no certificate; not all of it descends from ValueError.
UNREADABLE: Final = (
    ArithmeticError,
    LookupError,
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
    """A parsed certificate; compared by identity (equal bytes are parsed once).

    `signed` are the octets under `signature`, as received (the library would encode them again), `algorithm` the
    AlgorithmIdentifier in DER. A serial number of zero is AMD's (quote-verification 8.3).
    """

    der: bytes
    signed: bytes
    signature: bytes
    algorithm: bytes
    public_key: PublicKey
    extensions: ReadExtensions
    issuer: bytes  # Names in DER, for comparison
    subject: bytes
    common_name: str
    organisation: str
    serial: int
    not_before: datetime
    not_after: datetime

    @Lazy
    def key_sha256(self) -> str:
        """SHA-256 of the SubjectPublicKeyInfo in DER, lower-case hex: what an anchor pins."""
        spki = self.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return hashlib.sha256(spki).hexdigest()

    @Lazy
    def window(self) -> Window:
        """When the certificate is valid."""
        return Window(self.not_before, self.not_after)

    @property
    def path_length(self) -> int | None:
        """-1 for a certificate that is no CA; else how many CAs may follow below, None for any number."""
        return self.extensions.path_length

    @property
    def is_ca(self) -> bool:
        return self.extensions.path_length != -1

    @property
    def key_usage(self) -> x509.KeyUsage | None:
        return self.extensions.key_usage

    @property
    def subject_key_id(self) -> bytes | None:
        return self.extensions.subject_key_id

    @property
    def authority_key_id(self) -> bytes | None:
        return self.extensions.authority_key_id

    @Lazy
    def p256_key(self) -> ec.EllipticCurvePublicKey | None:
        """The key of a certificate whose key is on P-256, else None."""
        key = self.public_key
        return key if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name == "secp256r1" else None

    @property
    def parsed(self) -> x509.Certificate:
        """The library's object, made anew."""
        return x509.load_der_x509_certificate(_with_positive_serial(self.der, self.serial))

    @Lazy
    def pem(self) -> bytes:
        """The certificate as PEM: 64 columns, LF, final LF."""
        return pem.encode(self.der, "CERTIFICATE")


@lru_cache(maxsize=limits.CERTIFICATES)
def parse_certificate(der: bytes) -> Certificate:
    """The certificate of a DER text; equal bytes give the same object.

    Raises `MalformedEndorsement` for anything that does not decode, a negative serial number, an unsupported key, and
    `LimitExceeded` beyond `limits.CERTIFICATE` and `limits.RSA_BITS` (attack case IN-06).
    """
    if len(der) > limits.CERTIFICATE:
        raise LimitExceeded("certificate, octets", limit=limits.CERTIFICATE, found=len(der))
    outline = _read_outline(der)
    try:
        parsed = x509.load_der_x509_certificate(_with_positive_serial(der, outline.serial))
        key, extensions = _read_key(outline.key, parsed), read_extensions(parsed.extensions)
        not_before, not_after = parsed.not_valid_before_utc, parsed.not_valid_after_utc
        signature = parsed.signature
    except UNREADABLE as error:
        raise MalformedEndorsement("certificate", str(error) or type(error).__name__) from error
    require_whole_octets(der, signature, "certificate")
    read_name(outline.issuer)
    name = read_name(outline.subject)
    return Certificate(
        der,
        outline.signed,
        signature,
        outline.algorithm,
        key,
        extensions,
        outline.issuer,
        outline.subject,
        name.common_name,
        name.organisation,
        outline.serial,
        not_before,
        not_after,
    )


class _Outline(NamedTuple):
    """What the library does not give as received."""

    signed: bytes
    algorithm: bytes
    serial: int
    issuer: bytes
    subject: bytes
    key: bytes


def _read_outline(der: bytes) -> _Outline:
    """The outline of a certificate (RFC 5280, 4.1), which names its signature algorithm twice, alike."""
    outer = DerReader(der, "certificate").sequence("certificate")
    signed, algorithm = outer.raw(), outer.raw()
    content = DerReader(signed, "certificate").sequence("to be signed")
    if content.element()[0] != _VERSION:
        raise MalformedEndorsement("certificate", "not of version 3")
    serial = content.integer("serial number")
    if serial < 0:
        raise MalformedEndorsement("certificate", "the serial number is negative")
    if content.raw() != algorithm:
        raise MalformedEndorsement("certificate", "two different signature algorithms")
    issuer = content.raw()
    content.element()  # the validity, which the library reads
    return _Outline(signed, algorithm, serial, issuer, content.raw(), content.raw())


# RFC 5280, 4.1: the explicit version 3 and a serial number of zero, which is the first field after it.
_ZERO_SERIAL: Final = bytes.fromhex("a003020102020100")


def _with_positive_serial(der: bytes, serial: int) -> bytes:
    """The certificate as the library reads it without a warning: AMD's serial number zero shown as one.

    Nothing that is verified is taken from it: `signed` and `serial` are of the octets received.
    """
    return der if serial else der.replace(_ZERO_SERIAL, _ZERO_SERIAL[:-1] + b"\x01", 1)


# RFC 5480, 2: what a SubjectPublicKeyInfo on P-256 begins with, up to the octet that says "uncompressed".
_P256_INFO: Final = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
_P256_INFO_SIZE: Final = len(_P256_INFO) + 64


def _read_key(info: bytes, parsed: x509.Certificate) -> PublicKey:
    """The key in a SubjectPublicKeyInfo.

    One on P-256 is loaded from its point, which must be on the curve: its order needs no check, since the cofactor is
    one (SP 800-186, 3.2.1.3), and the library's check costs as much as a third of a verification.
    """
    if len(info) == _P256_INFO_SIZE and info.startswith(_P256_INFO):
        return load_p256_point(info[len(_P256_INFO) :])
    return _supported(parsed.public_key())


def _supported(key: object) -> PublicKey:
    if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        raise MalformedEndorsement("certificate", f"a key of type {type(key).__name__}")
    if isinstance(key, rsa.RSAPublicKey) and key.key_size > limits.RSA_BITS:
        raise LimitExceeded("RSA key, bits", limit=limits.RSA_BITS, found=key.key_size)
    return key


def require_whole_octets(der: bytes, signature: bytes, what: str) -> None:
    """The octet that counts unused bits before a signature is zero; it is not itself signed.

    Raises `MalformedEndorsement`.
    """
    if not der.endswith(b"\x00" + signature):
        raise MalformedEndorsement(what, "a signature that is not whole octets")

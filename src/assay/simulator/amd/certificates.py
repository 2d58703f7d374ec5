"""Certificates of the synthetic AMD, encoded here so that no field is out of reach: serial number zero, any padding."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from assay.simulator import der
from assay.simulator.amd.signing import PSS, Scheme, derive_p384_key, sign_as_authority
from assay.simulator.intel.certificates import ORGANISATION
from assay.simulator.rsa_keys import derive_rsa_key

if TYPE_CHECKING:
    from collections.abc import Mapping

NOT_BEFORE: Final = datetime(2020, 10, 22, 17, 23, 5, tzinfo=UTC)
NOT_AFTER: Final = datetime(2045, 10, 22, 17, 23, 5, tzinfo=UTC)
_KEY_USAGE, _BASIC_CONSTRAINTS, _SUBJECT_KEY, _AUTHORITY_KEY = "2.5.29.15", "2.5.29.19", "2.5.29.14", "2.5.29.35"
# RFC 5280, 4.2.1.3, as the BIT STRING's only octet with its count of unused bits.
_USES: Final[Mapping[str, bytes]] = {
    "sign certificates and lists": b"\x03\x02\x01\x06",
    "sign certificates": b"\x03\x02\x02\x04",
    "sign": b"\x03\x02\x07\x80",
}


@dataclass(frozen=True, slots=True)
class AmdCertificate:
    """One certificate to be made. `key` and `signed_by` are names of keys; an authority's are RSA, a leaf's P-384.

    `extensions` are AMD's, by dotted identifier; `path_length` -1 leaves the length out.
    """

    common_name: str
    key: str
    serial: int = 0
    ca: bool = False
    path_length: int = -1
    uses: str = ""
    not_before: datetime = NOT_BEFORE
    not_after: datetime = NOT_AFTER
    extensions: tuple[tuple[str, bytes], ...] = ()
    critical_extension: str = ""
    organisation: str = ORGANISATION
    scheme: Scheme = PSS
    signed_by: str = ""
    p384: bool = True

    def having(self, dotted: str, value: bytes | None) -> tuple[tuple[str, bytes], ...]:
        """The extensions with one replaced, or left out where the value is None."""
        kept = tuple((name, content) for name, content in self.extensions if name != dotted)
        return kept if value is None else (*kept, (dotted, value))


def subject(form: AmdCertificate) -> bytes:
    """The Name in DER, its attributes in AMD's order."""
    return x509.Name(
        (
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Engineering"),
            x509.NameAttribute(NameOID.COUNTRY_NAME, "US"),
            x509.NameAttribute(NameOID.LOCALITY_NAME, "Santa Clara"),
            x509.NameAttribute(NameOID.STATE_OR_PROVINCE_NAME, "CA"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, form.organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, form.common_name),
        )
    ).public_bytes()


def public_key(form: AmdCertificate) -> bytes:
    """The SubjectPublicKeyInfo in DER."""
    key = derive_p384_key(form.key) if not form.ca and form.p384 else derive_rsa_key(form.key, 4096)
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def key_identifier(form: AmdCertificate) -> bytes:
    """The subject key identifier: a digest of the public key."""
    return hashlib.sha1(public_key(form)).digest()  # noqa: S324  # an identifier, not a protection


@lru_cache(maxsize=1024)
def mint(form: AmdCertificate, issuer: AmdCertificate) -> bytes:
    """The certificate in DER, issued under the issuer's name and signed by its key (or by `form.signed_by`)."""
    signed = der.sequence(
        der.explicit(0, der.integer(2)),
        der.integer(form.serial),
        form.scheme.identifier,
        subject(issuer),
        der.sequence(der.time(form.not_before), der.time(form.not_after)),
        subject(form),
        public_key(form),
        der.explicit(3, der.sequence(*_extensions(form, issuer))),
    )
    signature = sign_as_authority(form.signed_by or issuer.key, signed, form.scheme)
    return der.sequence(signed, form.scheme.identifier, der.bit_string(signature))


def _extensions(form: AmdCertificate, issuer: AmdCertificate) -> list[bytes]:
    extensions = [extension(dotted, value) for dotted, value in form.extensions]
    if form.uses:
        extensions.append(extension(_KEY_USAGE, _USES[form.uses], critical=True))
    if form.ca:
        length = der.integer(form.path_length) if form.path_length >= 0 else b""
        extensions.append(extension(_BASIC_CONSTRAINTS, der.sequence(der.boolean(True), length), critical=True))
        extensions.append(extension(_SUBJECT_KEY, der.octet_string(key_identifier(form))))
        extensions.append(extension(_AUTHORITY_KEY, der.sequence(der.encode(0x80, key_identifier(issuer)))))
    if form.critical_extension:
        extensions.append(extension(form.critical_extension, b"\x05\x00", critical=True))
    return extensions


def extension(dotted: str, value: bytes, *, critical: bool = False) -> bytes:
    return der.sequence(der.oid(dotted), der.boolean(True) if critical else b"", der.octet_string(value))

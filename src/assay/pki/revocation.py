"""Certificate revocation lists (RFC 5280, section 5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from assay import limits
from assay.errors import LimitExceeded, MalformedEndorsement
from assay.formats import pem
from assay.formats.der import DerReader
from assay.pki.certificate import UNREADABLE, Certificate, require_whole_octets
from assay.pki.names import read_name
from assay.pki.profiles import INTEL, SigningProfile
from assay.pki.signatures import SignatureError

_PARTIAL: Final = (ExtensionOID.DELTA_CRL_INDICATOR, ExtensionOID.ISSUING_DISTRIBUTION_POINT)


@dataclass(frozen=True, slots=True, eq=False)
class RevocationList:
    """A parsed revocation list; `der` are its bytes, `serials` the revoked serial numbers.

    `signed` are the octets under `signature` as received, `algorithm` the AlgorithmIdentifier in DER.
    """

    der: bytes
    signed: bytes
    signature: bytes
    algorithm: bytes
    issuer: bytes
    issuer_common_name: str
    authority_key_id: bytes | None
    this_update: datetime
    next_update: datetime
    serials: frozenset[int]

    @property
    def pem(self) -> bytes:
        """PEM with 64 columns, LF and a final LF."""
        return pem.encode(self.der, "X509 CRL")


@lru_cache(maxsize=limits.DOCUMENTS)
def parse_revocation_list(body: bytes, what: str) -> RevocationList:
    """The list in a body of DER, PEM or hex text; raises `MalformedEndorsement` (also when nextUpdate is absent)."""
    if len(body) > limits.REVOCATION_LIST:
        raise LimitExceeded(what, limit=limits.REVOCATION_LIST, found=len(body))
    der = pem.decode_revocation_list(body, what, MalformedEndorsement)
    try:
        parsed = x509.load_der_x509_crl(der)
        return _read(der, parsed, what)
    except UNREADABLE as error:
        raise MalformedEndorsement(what, str(error) or type(error).__name__) from error


def _read(der: bytes, parsed: x509.CertificateRevocationList, what: str) -> RevocationList:
    require_whole_octets(der, parsed.signature, what)
    if parsed.next_update_utc is None:
        raise MalformedEndorsement(what, "nextUpdate is absent")
    for extension in parsed.extensions:
        # RFC 5280, 5.2.4 and 5.2.5: a delta or partial list is not the whole truth, critical or not.
        if extension.critical or extension.oid in _PARTIAL:
            raise MalformedEndorsement(what, f"extension {extension.oid.dotted_string}")
    # RFC 5280, 5.3: a list with a critical entry extension that is not processed must not be used.
    if any(extension.critical for entry in parsed for extension in entry.extensions):
        raise MalformedEndorsement(what, "a critical extension of an entry")
    try:
        key_id = parsed.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    except x509.ExtensionNotFound:
        key_id = None
    outline = _read_outline(der, what)
    return RevocationList(
        der,
        outline.signed,
        parsed.signature,
        outline.algorithm,
        outline.issuer,
        read_name(outline.issuer).common_name,
        key_id,
        parsed.last_update_utc,
        parsed.next_update_utc,
        frozenset(entry.serial_number for entry in parsed),
    )


class _Outline(NamedTuple):
    """What the library does not give as received."""

    signed: bytes
    algorithm: bytes
    issuer: bytes


def _read_outline(der: bytes, what: str) -> _Outline:
    """The outline of a list (RFC 5280, 5.1), which names its signature algorithm twice, alike."""
    whole = DerReader(der, what)
    outer = whole.sequence("revocation list")
    whole.finish()
    signed, algorithm = outer.raw(), outer.raw()
    content = DerReader(signed, what).sequence("to be signed")
    content.integer("version")
    if content.raw() != algorithm:
        raise MalformedEndorsement(what, "two different signature algorithms")
    return _Outline(signed, algorithm, content.raw())


@lru_cache(maxsize=limits.DOCUMENTS)
def verify_revocation_list(revocation: RevocationList, issuer: Certificate, profile: SigningProfile = INTEL) -> None:
    """The list's signature by its issuer as the vendor's profile says; names and key identifiers must agree.

    Raises `SignatureError` with the reason. Memoised: a vendor's signature does not depend on the time.
    """
    if revocation.issuer != issuer.subject:
        raise SignatureError(f"issued by {revocation.issuer_common_name!r}, not by {issuer.common_name!r}")
    if revocation.authority_key_id is not None and revocation.authority_key_id != issuer.subject_key_id:
        raise SignatureError("the authority key identifier is of another key")
    profile.verify(issuer.public_key, revocation.algorithm, revocation.signature, revocation.signed)

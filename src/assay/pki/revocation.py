"""Certificate revocation lists (RFC 5280, section 5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from assay import limits
from assay.errors import LimitExceeded, MalformedEndorsement
from assay.formats import pem
from assay.formats.der import DerReader
from assay.pki.certificate import UNREADABLE, Certificate, require_whole_octets
from assay.pki.names import read_name
from assay.pki.signatures import SignatureError, require_ecdsa_sha256, verify_p256_der

_PARTIAL: Final = (ExtensionOID.DELTA_CRL_INDICATOR, ExtensionOID.ISSUING_DISTRIBUTION_POINT)


@dataclass(frozen=True, slots=True, eq=False)
class RevocationList:
    """A parsed revocation list; `der` are its bytes, `serials` the revoked serial numbers."""

    der: bytes
    issuer: bytes
    issuer_common_name: str
    authority_key_id: bytes | None
    this_update: datetime
    next_update: datetime
    serials: frozenset[int]
    parsed: x509.CertificateRevocationList

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
    issuer = _read_issuer(der)
    return RevocationList(
        der,
        issuer,
        read_name(issuer).common_name,
        key_id,
        parsed.last_update_utc,
        parsed.next_update_utc,
        frozenset(entry.serial_number for entry in parsed),
        parsed,
    )


def _read_issuer(der: bytes) -> bytes:
    """The issuer's Name in DER (RFC 5280, 5.1): after the version and the signature algorithm."""
    content = DerReader(der, "revocation list").sequence("revocation list").sequence("to be signed")
    content.integer("version")
    content.element()
    return content.raw()


@lru_cache(maxsize=limits.DOCUMENTS)
def verify_revocation_list(revocation: RevocationList, issuer: Certificate) -> None:
    """The list's signature by its issuer (ECDSA P-256 with SHA-256), whose names and key identifiers must agree.

    Raises `SignatureError` with the reason. Memoised: a vendor's signature does not depend on the time.
    """
    if revocation.issuer != issuer.subject:
        raise SignatureError(f"issued by {revocation.issuer_common_name!r}, not by {issuer.common_name!r}")
    if revocation.authority_key_id is not None and revocation.authority_key_id != issuer.subject_key_id:
        raise SignatureError("the authority key identifier is of another key")
    key = issuer.p256_key
    if key is None:
        raise SignatureError("the issuer's key is not P-256")
    parsed = revocation.parsed
    require_ecdsa_sha256(parsed.signature_algorithm_oid.dotted_string)
    verify_p256_der(key, parsed.signature, parsed.tbs_certlist_bytes)

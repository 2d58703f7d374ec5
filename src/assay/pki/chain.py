"""Certificate paths, hop by hop: names, authority, key usage, signature; validity apart, since it depends on time."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from assay import limits
from assay.pki.certificate import Certificate
from assay.pki.profiles import INTEL, SigningProfile
from assay.pki.signatures import SignatureError


@lru_cache(maxsize=limits.CERTIFICATES)
def verify_issued(child: Certificate, issuer: Certificate, profile: SigningProfile = INTEL) -> None:
    """`child` was signed by `issuer` as the vendor's profile says; raises `SignatureError`.

    Memoised: a vendor's signature does not depend on the time.
    """
    if child.issuer != issuer.subject:
        raise SignatureError(f"{child.common_name!r} names another issuer than {issuer.common_name!r}")
    if child.authority_key_id is not None and child.authority_key_id != issuer.subject_key_id:
        raise SignatureError(f"{child.common_name!r}: the authority key identifier is of another key")
    if child.serial == 0 and not profile.zero_serials:
        raise SignatureError(f"{child.common_name!r} has the serial number zero")
    profile.verify(issuer.public_key, child.algorithm, child.signature, child.signed)


def authority_problem(issuer: Certificate, authorities_below: int) -> str | None:
    """Why a certificate may not issue in this place of a path, or None (RFC 5280, 6.1.4 k to n)."""
    if not issuer.is_ca:
        return f"{issuer.common_name!r} is not a certificate authority"
    if issuer.path_length is not None and issuer.path_length < authorities_below:
        return f"{issuer.common_name!r} admits {issuer.path_length} authorities below, found {authorities_below}"
    if issuer.key_usage is None or not issuer.key_usage.key_cert_sign:
        return f"{issuer.common_name!r} may not sign certificates"
    return None


def critical_problem(chain: Sequence[Certificate]) -> str | None:
    """The first critical extension of the path that no check understands, or None."""
    for certificate in chain:
        if certificate.extensions.critical:
            return f"{certificate.common_name!r} has critical extension {certificate.extensions.critical[0]}"
    return None

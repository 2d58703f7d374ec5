"""AMD's authorities: the ARK of a product line, and under it the ASK of VCEKs and the ASVK of VLEKs."""

from __future__ import annotations

from typing import Final, NamedTuple

from assay.endorsements.amd.product import Product
from assay.endorsements.amd.vek import KeyKind
from assay.errors import Malformed, MalformedEndorsement
from assay.formats import pem
from assay.pki.certificate import Certificate, parse_certificate
from assay.pki.chain import authority_problem, critical_problem, verify_issued
from assay.pki.profiles import AMD
from assay.pki.signatures import SignatureError

ROOT_NAMES: Final = {f"ARK-{product.value}": product for product in Product}
AUTHORITY_NAMES: Final = {kind.authority_name(product): (kind, product) for kind in KeyKind for product in Product}
_DER: Final = b"\x30"
LEAF_NAMES: Final = {kind.value: kind for kind in KeyKind}


class Sorted(NamedTuple):
    """Certificates by the place that their common name gives them; `others` have none in AMD's hierarchy."""

    leaves: tuple[Certificate, ...]
    authorities: tuple[Certificate, ...]
    roots: tuple[Certificate, ...]
    others: tuple[Certificate, ...]


def sort_certificates(certificates: tuple[Certificate, ...]) -> Sorted:
    """The certificates by their places; the same one twice counts once. Names are not believed, only sorted by."""
    distinct = tuple(dict.fromkeys(certificates))
    places = (LEAF_NAMES, AUTHORITY_NAMES, ROOT_NAMES)
    leaves, authorities, roots = (tuple(c for c in distinct if c.common_name in names) for names in places)
    others = tuple(c for c in distinct if not any(c.common_name in names for names in places))
    return Sorted(leaves, authorities, roots, others)


def authorities_problem(authority: Certificate, root: Certificate) -> str | None:
    """Why two certificates may not stand above an endorsement key, or None (RFC 5280, 6.1.4)."""
    return authority_problem(authority, 0) or authority_problem(root, 1) or critical_problem((authority, root))


def verify_authorities(authority: Certificate, root: Certificate) -> None:
    """The root's own signature and the authority's, RSASSA-PSS as AMD signs; raises `SignatureError`."""
    verify_issued(root, root, AMD)
    verify_issued(authority, root, AMD)


def require_list_signer(root: Certificate) -> None:
    """Raises `SignatureError` unless the root may sign revocation lists."""
    if root.key_usage is None or not root.key_usage.crl_sign:
        raise SignatureError(f"{root.common_name!r} may not sign revocation lists")


def parse_certificates(text: bytes, what: str, error: type[Malformed]) -> tuple[Certificate, ...]:
    """Certificates in PEM, or one in DER; raises `error` or `LimitExceeded`."""
    ders = (text,) if text[:1] == _DER else pem.decode_certificates(text, what, error)
    try:
        return tuple(map(parse_certificate, ders))
    except MalformedEndorsement as cause:
        raise error(what, cause.problem) from cause

"""What is checked of AMD's certificates and lists before they are remembered or stored (attack case CO-23)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.endorsements.amd.hierarchy import (
    authorities_problem,
    parse_certificates,
    require_list_signer,
    verify_authorities,
)
from assay.endorsements.documents import Document, DocumentKind
from assay.errors import MalformedEndorsement
from assay.pki.certificate import Certificate
from assay.pki.chain import verify_issued
from assay.pki.profiles import AMD
from assay.pki.revocation import parse_revocation_list, verify_revocation_list
from assay.pki.signatures import SignatureError
from assay.pki.validity import Window, intersection

if TYPE_CHECKING:
    from assay.endorsements.anchors import TrustAnchors


def authenticate_amd(document: Document, anchors: TrustAnchors) -> Window:
    """AMD's signature over a document, under a pinned ARK; returns the window of the certificates above it.

    Raises `SignatureError`, `MalformedEndorsement` or `LimitExceeded`.
    """
    issuers = parse_certificates(document.issuer_chain, f"issuer chain of {document.kind.value}", MalformedEndorsement)
    root = issuers[-1]
    if anchors.find(root) is None:
        raise SignatureError(f"root key {root.key_sha256} is not pinned")
    verify_issued(root, root, AMD)
    match document.kind:
        case DocumentKind.AMD_CRL:
            require_list_signer(root)
            verify_revocation_list(parse_revocation_list(document.body, document.kind.value), root, AMD)
        case DocumentKind.AMD_AUTHORITY:
            _require_authority(_only(document), root)
        case _:
            authority = issuers[0]
            _require_authority(authority, root)
            verify_issued(_only(document), authority, AMD)
    return intersection(issuer.window for issuer in issuers)


def _only(document: Document) -> Certificate:
    (certificate,) = parse_certificates(document.body, document.kind.value, MalformedEndorsement)
    return certificate


def _require_authority(authority: Certificate, root: Certificate) -> None:
    problem = authorities_problem(authority, root)
    if problem is not None:
        raise SignatureError(problem)
    verify_authorities(authority, root)

"""What is checked of a document before it is remembered or stored (attack case CO-23).

Verification checks all of it again, on every appraisal and against the evidence's own chain; this keeps what is bad out
of memory and store.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.collateral.amd_vetting import authenticate_amd
from assay.collateral.reading import PCK_AUTHORITIES, Reading, read_document
from assay.endorsements.documents import OF_AMD, REVOCATION_LISTS, Document, DocumentKind, Need
from assay.endorsements.intel.enclave_identity import parse_enclave_identity
from assay.endorsements.intel.signing_chain import (
    ROOT_NAME,
    parse_signing_chain,
    verify_document,
    verify_signing_chain,
)
from assay.endorsements.intel.tcb_info import parse_tcb_info
from assay.endorsements.microsoft.uvm import chain_problem, parse_uvm_endorsement
from assay.errors import EndorsementUnavailable, LimitExceeded, MalformedEndorsement, MalformedEvidence
from assay.formats import pem
from assay.formats.cose import CoseError, verify_cose_sign1
from assay.pki.certificate import Certificate, parse_certificate
from assay.pki.chain import authority_problem, critical_problem, verify_issued
from assay.pki.did_x509 import DidError, require_named
from assay.pki.revocation import parse_revocation_list, verify_revocation_list
from assay.pki.signatures import SignatureError
from assay.pki.validity import ALWAYS, Window, intersection

if TYPE_CHECKING:
    from datetime import datetime

    from assay.endorsements.anchors import TrustAnchors


@dataclass(frozen=True, slots=True)
class Held:
    """A document whose signature was verified under a pinned root; `window` joins its own with its certificates'."""

    need: Need
    document: Document
    reading: Reading
    window: Window


def vet(need: Need, document: Document, anchors: TrustAnchors, at: datetime) -> Held:
    """A document that answers the need, signed under a pinned root, in its window at `at`.

    Raises `EndorsementUnavailable` with the reason.
    """
    try:
        reading = read_document(document)
        if not reading.answers(need):
            raise SignatureError(f"an answer to another question: {_described(reading)}")
        window = intersection((reading.window, authenticate(document, anchors)))
    except (MalformedEndorsement, LimitExceeded, SignatureError) as error:
        raise EndorsementUnavailable((str(need),), reason=f"{document.origin}: {error}") from error
    if at not in window:
        reason = f"{document.origin}: valid from {window}, asked for {at:%Y-%m-%dT%H:%M:%SZ}"
        raise EndorsementUnavailable((str(need),), reason=reason)
    return Held(need, document, reading, window)


def _described(reading: Reading) -> str:
    number = "" if reading.number is None else f", evaluation number {reading.number}"
    return f"{reading.need}{number}"


def authenticate(document: Document, anchors: TrustAnchors) -> Window:
    """The vendor's signature over a document, under a pinned root; returns the window of the certificates.

    Raises `SignatureError`, `MalformedEndorsement` or `LimitExceeded`.
    """
    if document.kind in OF_AMD:
        return authenticate_amd(document, anchors)
    if document.kind is DocumentKind.MICROSOFT_UVM:
        return _authenticate_endorsement(document)
    if document.kind in REVOCATION_LISTS:
        return _authenticate_revocation_list(document, anchors)
    chain = parse_signing_chain(document)
    _require_pinned(chain.root, anchors)
    verify_signing_chain(chain)
    parse = parse_tcb_info if document.kind is DocumentKind.INTEL_TCB_INFO else parse_enclave_identity
    parsed = parse(document)
    verify_document(parsed.signed, parsed.signature, chain.signer)
    return _window(chain.signer, chain.root)


def _authenticate_endorsement(document: Document) -> Window:
    """An endorsement of a utility machine by whom it names, believed or not; it has no end of its own (ADR 0031)."""
    try:
        endorsement = parse_uvm_endorsement(document.body)
        require_named(endorsement.issuer, endorsement.chain)
        verify_cose_sign1(endorsement.message, endorsement.chain[0].public_key)
    except (MalformedEvidence, DidError, CoseError) as error:
        raise SignatureError(str(error)) from error
    problem = chain_problem(endorsement.chain)
    if problem is not None:
        raise SignatureError(problem)
    return ALWAYS


def _authenticate_revocation_list(document: Document, anchors: TrustAnchors) -> Window:
    revocation = parse_revocation_list(document.body, document.kind.value)
    *authorities, root = parse_issuers(document.kind, document.issuer_chain)
    _require_pinned(root, anchors)
    problem = authority_problem(root, len(authorities)) or critical_problem((*authorities, root))
    for authority in authorities:
        problem = problem or authority_problem(authority, 0)
    issuer = authorities[0] if authorities else root
    if problem is None and (issuer.key_usage is None or not issuer.key_usage.crl_sign):
        problem = f"{issuer.common_name!r} may not sign revocation lists"
    if problem is not None:
        raise SignatureError(problem)
    verify_issued(root, root)
    for authority in authorities:
        verify_issued(authority, root)
    verify_revocation_list(revocation, issuer)
    return _window(*authorities, root)


def parse_issuers(kind: DocumentKind, chain: bytes) -> tuple[Certificate, ...]:
    """The issuer of a revocation list and those above it: the root, or a PCK authority and the root.

    More or other certificates are refused (attack case CO-21). Raises `MalformedEndorsement`.
    """
    what = f"issuer chain of {kind.value}"
    certificates = tuple(map(parse_certificate, pem.decode_certificates(chain, what, MalformedEndorsement)))
    names = tuple(certificate.common_name for certificate in certificates)
    *authorities, root = names
    expected = 0 if kind is DocumentKind.INTEL_ROOT_CRL else 1
    if root != ROOT_NAME or len(authorities) != expected or not PCK_AUTHORITIES.keys() >= set(authorities):
        raise MalformedEndorsement(what, " under ".join(map(repr, names)))
    return certificates


def require_pinned_root(der: bytes, anchors: TrustAnchors) -> Certificate:
    """The root certificate of a DER or PEM text, self-signed and pinned.

    Raises `SignatureError`, `MalformedEndorsement` or `LimitExceeded`.
    """
    if der.startswith(b"-----BEGIN"):
        ders = pem.decode_certificates(der, "root certificate", MalformedEndorsement)
        if len(ders) != 1:
            raise MalformedEndorsement("root certificate", f"{len(ders)} certificates")
        der = ders[0]
    root = parse_certificate(der)
    _require_pinned(root, anchors)
    verify_issued(root, root)
    return root


def _require_pinned(root: Certificate, anchors: TrustAnchors) -> None:
    if anchors.find(root) is None:
        raise SignatureError(f"root key {root.key_sha256} is not pinned")


def _window(*certificates: Certificate) -> Window:
    return intersection(Window(c.not_before, c.not_after) for c in certificates)

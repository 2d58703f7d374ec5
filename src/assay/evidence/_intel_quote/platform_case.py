"""What the platform checks look at: a certified platform beside the vendor's documents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple, TypeVar

from assay import limits
from assay.endorsements.anchors import VENDOR_ROOTS, TrustAnchors
from assay.endorsements.documents import Document, DocumentKind, Need
from assay.endorsements.intel.enclave_identity import EnclaveIdentity, parse_enclave_identity
from assay.endorsements.intel.signing_chain import SigningChain, parse_signing_chain
from assay.endorsements.intel.tcb import (
    IsvSvnLevel,
    TcbEvaluation,
    TcbLevel,
    converge,
    match_isv_svn,
    match_sgx_level,
)
from assay.endorsements.intel.tcb_info import TcbInfo, parse_tcb_info
from assay.errors import LimitExceeded, MalformedEndorsement
from assay.evidence._intel_quote.certify import Certification
from assay.evidence.base import Endorsements
from assay.memo import Lazy
from assay.pki.revocation import RevocationList, parse_revocation_list
from assay.pki.validity import Window, intersection
from assay.verdict import Mismatch, Missing

ParsedT = TypeVar("ParsedT")
_REVOCATION_LISTS: Final = (DocumentKind.INTEL_ROOT_CRL, DocumentKind.INTEL_PCK_CRL)


class Baseline(NamedTuple):
    """Which collateral judges a platform: that of a TEE (`sgx`, `tdx`) under a TCB evaluation data number.

    `number` is None for the operator's channel (design, section 8).
    """

    tee: str
    number: int | None


@lru_cache(maxsize=limits.PLATFORMS)
def platform_needs(certification: Certification, baseline: Baseline) -> tuple[Need, ...]:
    """The documents that the appraisal of a certified platform needs, in this order."""
    vouched = certification.anchor in VENDOR_ROOTS
    return (
        Need(DocumentKind.INTEL_ROOT_CRL, vouched=vouched),
        Need(DocumentKind.INTEL_PCK_CRL, platform=certification.authority_kind, vouched=vouched),
        Need(
            DocumentKind.INTEL_TCB_INFO,
            tee=baseline.tee,
            platform=certification.pck.fmspc.hex(),
            number=baseline.number,
            vouched=vouched,
        ),
        Need(DocumentKind.INTEL_QE_IDENTITY, tee=baseline.tee, number=baseline.number, vouched=vouched),
    )


def _parsed(parse: Callable[[], ParsedT], form: str) -> ParsedT:
    try:
        return parse()
    except (MalformedEndorsement, LimitExceeded) as error:
        raise Mismatch(error.message, form) from error


@dataclass(frozen=True)
class PlatformCase:
    """One appraisal of a platform; documents are parsed when a check first asks for them."""

    certification: Certification
    tee: str
    needs: tuple[Need, ...]
    endorsements: Endorsements
    anchors: TrustAnchors
    at: datetime
    unsafe_no_revocation: bool

    @Lazy
    def documents(self) -> Mapping[DocumentKind, Document]:
        """What is there of the documents needed, by kind: a case needs one of each."""
        found = ((need.kind, self.endorsements.find(need)) for need in self.needs)
        return {kind: document for kind, document in found if document is not None}

    def required(self, kind: DocumentKind) -> Document:
        """The document; raises `Missing` when it is not among the endorsements."""
        document = self.documents.get(kind)
        if document is None:
            raise Missing((str(next(need for need in self.needs if need.kind is kind)),))
        return document

    def tolerates_missing(self, kind: DocumentKind) -> bool:
        """The unsafe switch: a revocation list that is not there, never one that is bad."""
        return self.unsafe_no_revocation and kind in _REVOCATION_LISTS and kind not in self.documents

    @Lazy
    def root_crl(self) -> RevocationList:
        body = self.required(DocumentKind.INTEL_ROOT_CRL).body
        return _parsed(lambda: parse_revocation_list(body, "root CA CRL"), "a revocation list (RFC 5280, 5)")

    @Lazy
    def pck_crl(self) -> RevocationList:
        body = self.required(DocumentKind.INTEL_PCK_CRL).body
        return _parsed(lambda: parse_revocation_list(body, "PCK CRL"), "a revocation list (RFC 5280, 5)")

    @Lazy
    def tcb_info(self) -> TcbInfo:
        document = self.required(DocumentKind.INTEL_TCB_INFO)
        return _parsed(lambda: parse_tcb_info(document), "a TCB info (quote-verification 3.1)")

    @Lazy
    def tcb_chain(self) -> SigningChain:
        document = self.required(DocumentKind.INTEL_TCB_INFO)
        return _parsed(lambda: parse_signing_chain(document), "TCB signing certificate and root")

    @Lazy
    def identity(self) -> EnclaveIdentity:
        document = self.required(DocumentKind.INTEL_QE_IDENTITY)
        return _parsed(lambda: parse_enclave_identity(document), "an enclave identity (quote-verification 3.2)")

    @Lazy
    def identity_chain(self) -> SigningChain:
        document = self.required(DocumentKind.INTEL_QE_IDENTITY)
        return _parsed(lambda: parse_signing_chain(document), "TCB signing certificate and root")

    @Lazy
    def level(self) -> TcbLevel:
        pck = self.certification.pck
        level = match_sgx_level(self.tcb_info.levels, pck.components, pck.pce_svn)
        if level is None:
            raise Mismatch(
                (*pck.components, f"PCESVN {pck.pce_svn}"), "a published TCB level that the platform reaches"
            )
        return level

    @Lazy
    def qe_level(self) -> IsvSvnLevel:
        isv_svn = self.certification.block.qe_report.isv_svn
        level = match_isv_svn(self.identity.levels, isv_svn)
        if level is None:
            raise Mismatch(f"QE ISVSVN {isv_svn}", "a published level that the quoting enclave reaches")
        return level

    @Lazy
    def evaluation(self) -> TcbEvaluation:
        return converge(self.level, (self.qe_level,))

    @property
    def signing_chains(self) -> tuple[SigningChain, SigningChain]:
        return self.tcb_chain, self.identity_chain

    def document_window(self) -> Window:
        """When every document of this appraisal, and every certificate that came with one, is valid."""
        certificates = [one for chain in self.signing_chains for one in (chain.signer, chain.root)]
        found = [certificate.window for certificate in certificates]
        if not self.tolerates_missing(DocumentKind.INTEL_ROOT_CRL):
            found.append(Window(self.root_crl.this_update, self.root_crl.next_update))
        if not self.tolerates_missing(DocumentKind.INTEL_PCK_CRL):
            found.append(Window(self.pck_crl.this_update, self.pck_crl.next_update))
        found.extend(Window(d.issue_date, d.next_update) for d in (self.tcb_info, self.identity))
        return intersection(found)

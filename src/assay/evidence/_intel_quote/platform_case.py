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
    match_tdx_level,
    relaunch,
)
from assay.endorsements.intel.tcb_info import ModuleIdentity, TcbInfo, parse_tcb_info
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


class LoadedModule(NamedTuple):
    """What a TD report says of the TDX module: TEE_TCB_SVN at the domain's launch, TEE_TCB_SVN_2 now (TD 1.5 only)."""

    tcb_svn: bytes
    current_tcb_svn: bytes | None
    mr_signer_seam: bytes
    seam_attributes: bytes


class PlatformSubject(NamedTuple):
    """A certified platform, what judges it, and the TDX module where the quote is a trust domain's."""

    certification: Certification
    baseline: Baseline
    module: LoadedModule | None = None


@lru_cache(maxsize=limits.PLATFORMS)
def platform_needs(certification: Certification, baseline: Baseline) -> tuple[Need, ...]:
    """The documents that the appraisal of a certified platform needs, in this order."""
    vouched = certification.anchor in VENDOR_ROOTS
    return _needs_of_model(certification.authority_kind, certification.pck.fmspc, baseline, vouched)


@lru_cache(maxsize=limits.PLATFORMS)
def _needs_of_model(
    authority_kind: str, fmspc: bytes, baseline: Baseline, vouched: bool
) -> tuple[Need, ...]:  # positional, as a key of the memory
    """The same object for all platforms of one model."""
    return (
        Need(DocumentKind.INTEL_ROOT_CRL, vouched=vouched),
        Need(DocumentKind.INTEL_PCK_CRL, platform=authority_kind, vouched=vouched),
        Need(
            DocumentKind.INTEL_TCB_INFO,
            tee=baseline.tee,
            platform=fmspc.hex(),
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
    module: LoadedModule | None = None

    @Lazy
    def documents(self) -> Mapping[DocumentKind, Document]:
        """What is there of the documents needed, by kind: a case needs one of each."""
        return self.endorsements.by_kind(self.needs)

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
        return self._level(None if self.module is None else self.module.tcb_svn)

    @Lazy
    def qe_level(self) -> IsvSvnLevel:
        isv_svn = self.certification.block.qe_report.isv_svn
        level = match_isv_svn(self.identity.levels, isv_svn)
        if level is None:
            raise Mismatch(f"QE ISVSVN {isv_svn}", "a published level that the quoting enclave reaches")
        return level

    @Lazy
    def module_identity(self) -> ModuleIdentity | None:
        """The identity of the module that launched the domain; None for SGX, which has no module."""
        return None if self.module is None else self._find_identity(self.module.tcb_svn)

    @Lazy
    def module_level(self) -> IsvSvnLevel | None:
        """The level of the module at launch; None where the platform's own level judges it (5.2)."""
        return None if self.module is None else self._module_level(self.module.tcb_svn)

    @Lazy
    def current(self) -> TcbEvaluation | None:
        """The evaluation of the module that runs now (5.5); None for what knows no other than that of the launch."""
        if self.module is None or self.module.current_tcb_svn is None:
            return None
        svn = self.module.current_tcb_svn
        return self._converged(self._level(svn), self._module_level(svn))

    @Lazy
    def evaluation(self) -> TcbEvaluation:
        launch = self._converged(self.level, self.module_level)
        return launch if self.current is None else relaunch(launch, self.current)

    def _level(self, tee_tcb_svn: bytes | None) -> TcbLevel:
        pck, levels = self.certification.pck, self.tcb_info.levels
        if tee_tcb_svn is None:
            level = match_sgx_level(levels, pck.components, pck.pce_svn)
        else:
            level = match_tdx_level(levels, pck.components, pck.pce_svn, tee_tcb_svn)
        if level is None:
            svns: tuple[object, ...] = (*pck.components, f"PCESVN {pck.pce_svn}")
            raise Mismatch(
                svns if tee_tcb_svn is None else (*svns, "TEE_TCB_SVN", tee_tcb_svn),
                "a published TCB level that the platform reaches",
            )
        return level

    def _find_identity(self, tee_tcb_svn: bytes) -> ModuleIdentity:
        version = tee_tcb_svn[1]
        identity = self.tcb_info.find_module(version)
        if identity is None:
            known = tuple(each.name for each in self.tcb_info.module_identities or ())
            raise Mismatch(f"TDX module of major version {version}", ("a published module identity:", *known))
        return identity

    def _module_level(self, tee_tcb_svn: bytes) -> IsvSvnLevel | None:
        if tee_tcb_svn[1] == 0:
            return None
        level = match_isv_svn(self._find_identity(tee_tcb_svn).levels, tee_tcb_svn[0])
        if level is None:
            raise Mismatch(f"TDX module SVN {tee_tcb_svn[0]}", "a published level that the TDX module reaches")
        return level

    def _converged(self, level: TcbLevel, module: IsvSvnLevel | None) -> TcbEvaluation:
        return converge(level, (self.qe_level,) if module is None else (self.qe_level, module))

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

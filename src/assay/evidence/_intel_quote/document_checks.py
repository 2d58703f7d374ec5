"""The checks of TCB info and quoting enclave identity (quote-verification 4, steps 6 to 8 and 12)."""

from __future__ import annotations

from operator import and_
from typing import Final

from assay.endorsements.intel.enclave_identity import EnclaveIdentity
from assay.endorsements.intel.signing_chain import SigningChain, verify_document, verify_signing_chain
from assay.endorsements.intel.tcb_info import TcbInfo
from assay.errors import BindingMismatch, ChainUntrusted, EndorsementInvalid, OutsideValidity, Revoked, SignatureInvalid
from assay.evidence._intel_quote.certify import require_valid
from assay.evidence._intel_quote.platform_case import PlatformCase
from assay.evidence._intel_quote.revocation_checks import signer_not_revoked
from assay.pki.certificate import Certificate
from assay.pki.signatures import SignatureError
from assay.pki.validity import Window
from assay.verdict import Check, Mismatch, Seen, equal

IDENTITY_NAMES: Final = {"sgx": "QE", "tdx": "TD_QE"}


def _tcb_chain(case: PlatformCase) -> Seen:
    return _trusted_chain(case.tcb_chain, case)


def _identity_chain(case: PlatformCase) -> Seen:
    return _trusted_chain(case.identity_chain, case)


def _trusted_chain(chain: SigningChain, case: PlatformCase) -> Seen:
    # The platform's own root: with several pinned, one vendor's documents must not judge another's platforms (CO-04).
    if case.anchors.find(chain.root) != case.certification.anchor:
        raise Mismatch(
            f"root key {chain.root.key_sha256}", f"the platform's root: {case.certification.root.key_sha256}"
        )
    try:
        verify_signing_chain(chain)
    except SignatureError as error:
        raise Mismatch(str(error), "TCB signing certificate under the pinned root") from error
    return Seen(chain.signer.common_name, "TCB signing certificate under the pinned root")


def _tcb_chain_validity(case: PlatformCase) -> Seen:
    return _valid_chain(case.tcb_chain, case)


def _identity_chain_validity(case: PlatformCase) -> Seen:
    return _valid_chain(case.identity_chain, case)


def _valid_chain(chain: SigningChain, case: PlatformCase) -> Seen:
    certificates: tuple[Certificate, ...] = (chain.signer, chain.root)
    for certificate in certificates:
        require_valid(certificate.common_name, certificate.window, case.at)
    return Seen(chain.signer.window, "contains the time of appraisal")


def _tcb_signer_revocation(case: PlatformCase) -> Seen:
    return signer_not_revoked(case, case.tcb_chain.signer)


def _identity_signer_revocation(case: PlatformCase) -> Seen:
    return signer_not_revoked(case, case.identity_chain.signer)


def _tcb_form(case: PlatformCase) -> Seen:
    info = case.tcb_info
    return Seen(f"version {info.version}, evaluation number {info.evaluation_number}", "a TCB info of version 2 or 3")


def _identity_form(case: PlatformCase) -> Seen:
    return Seen(f"evaluation number {case.identity.evaluation_number}", "an enclave identity of version 2")


def _tcb_signature(case: PlatformCase) -> Seen:
    return _signed(case.tcb_info, case.tcb_chain.signer)


def _identity_signature(case: PlatformCase) -> Seen:
    return _signed(case.identity, case.identity_chain.signer)


def _signed(document: TcbInfo | EnclaveIdentity, signer: Certificate) -> Seen:
    try:
        verify_document(document.signed, document.signature, signer)
    except SignatureError as error:
        raise Mismatch(str(error), f"signed by {signer.common_name!r} over the bytes served") from error
    return Seen("verifies", f"signed by {signer.common_name!r} over the bytes served")


def _tcb_validity(case: PlatformCase) -> Seen:
    return _valid_document("TCB info", case.tcb_info, case)


def _identity_validity(case: PlatformCase) -> Seen:
    return _valid_document("quoting enclave identity", case.identity, case)


def _valid_document(what: str, document: TcbInfo | EnclaveIdentity, case: PlatformCase) -> Seen:
    window = Window(document.issue_date, document.next_update)
    require_valid(what, window, case.at)
    return Seen(window, "contains the time of appraisal")


def _tcb_tee(case: PlatformCase) -> Seen:
    return equal(case.tcb_info.tee, case.tee)


def _tcb_platform(case: PlatformCase) -> Seen:
    info, pck = case.tcb_info, case.certification.pck
    return equal(("FMSPC", info.fmspc, "PCE id", info.pce_id), ("FMSPC", pck.fmspc, "PCE id", pck.pce_id))


def _identity_name(case: PlatformCase) -> Seen:
    return equal(case.identity.name, IDENTITY_NAMES[case.tee])


def _qe_misc_select(case: PlatformCase) -> Seen:
    found = case.certification.block.qe_report.misc_select
    return equal(_masked(found, case.identity.misc_select_mask), case.identity.misc_select)


def _qe_attributes(case: PlatformCase) -> Seen:
    found = case.certification.block.qe_report.attributes
    return equal(_masked(found, case.identity.attributes_mask), case.identity.attributes)


def _masked(value: bytes, mask: bytes) -> bytes:
    return bytes(map(and_, value, mask))


def _qe_mr_signer(case: PlatformCase) -> Seen:
    return equal(case.certification.block.qe_report.mr_signer, case.identity.mr_signer)


def _qe_isv_prod_id(case: PlatformCase) -> Seen:
    return equal(case.certification.block.qe_report.isv_prod_id, case.identity.isv_prod_id)


_AGAIN: Final = "fetch the document and its issuer chain again, and keep its bytes as served"
_QE: Final = "only Intel's quoting enclave is believed: install the current one and produce a new quote"


DOCUMENT_CHECKS: Final[tuple[Check[PlatformCase], ...]] = (
    Check(
        "tcb_info_chain.trust",
        "TcbInfoChainUntrusted",
        "quote-verification 4, step 6",
        _AGAIN,
        ChainUntrusted,
        _tcb_chain,
    ),
    Check(
        "tcb_info_chain.validity",
        "TcbInfoChainExpired",
        "quote-verification 4, step 6",
        _AGAIN,
        OutsideValidity,
        _tcb_chain_validity,
    ),
    Check(
        "tcb_info_chain.revocation",
        "TcbInfoSignerRevoked",
        "quote-verification 4, step 4",
        _AGAIN,
        Revoked,
        _tcb_signer_revocation,
    ),
    Check("tcb_info.form", "TcbInfoMalformed", "quote-verification 3.1", _AGAIN, EndorsementInvalid, _tcb_form),
    Check(
        "tcb_info.signature",
        "TcbInfoSignatureInvalid",
        "quote-verification 4, step 6 and 3.4",
        _AGAIN,
        SignatureInvalid,
        _tcb_signature,
    ),
    Check(
        "tcb_info.validity", "TcbInfoExpired", "quote-verification 4, step 6", _AGAIN, OutsideValidity, _tcb_validity
    ),
    Check(
        "qe_identity_chain.trust",
        "QeIdentityChainUntrusted",
        "quote-verification 4, step 7",
        _AGAIN,
        ChainUntrusted,
        _identity_chain,
    ),
    Check(
        "qe_identity_chain.validity",
        "QeIdentityChainExpired",
        "quote-verification 4, step 7",
        _AGAIN,
        OutsideValidity,
        _identity_chain_validity,
    ),
    Check(
        "qe_identity_chain.revocation",
        "QeIdentitySignerRevoked",
        "quote-verification 4, step 4",
        _AGAIN,
        Revoked,
        _identity_signer_revocation,
    ),
    Check(
        "qe_identity.form", "QeIdentityMalformed", "quote-verification 3.2", _AGAIN, EndorsementInvalid, _identity_form
    ),
    Check(
        "qe_identity.signature",
        "QeIdentitySignatureInvalid",
        "quote-verification 4, step 7 and 3.4",
        _AGAIN,
        SignatureInvalid,
        _identity_signature,
    ),
    Check(
        "qe_identity.validity",
        "QeIdentityExpired",
        "quote-verification 4, step 7",
        _AGAIN,
        OutsideValidity,
        _identity_validity,
    ),
    Check("tcb_info.tee", "TcbInfoOfOtherTee", "quote-verification 4, step 8", _AGAIN, BindingMismatch, _tcb_tee),
    Check(
        "tcb_info.platform",
        "TcbInfoOfOtherPlatform",
        "quote-verification 4, step 8",
        _AGAIN,
        BindingMismatch,
        _tcb_platform,
    ),
    Check(
        "qe_identity.tee",
        "QeIdentityOfOtherTee",
        "quote-verification 4, step 12",
        _AGAIN,
        BindingMismatch,
        _identity_name,
    ),
    Check(
        "qe.misc_select", "QeMiscSelectMismatch", "quote-verification 4, step 12", _QE, BindingMismatch, _qe_misc_select
    ),
    Check(
        "qe.attributes", "QeAttributesMismatch", "quote-verification 4, step 12", _QE, BindingMismatch, _qe_attributes
    ),
    Check("qe.mr_signer", "QeMrSignerMismatch", "quote-verification 4, step 12", _QE, BindingMismatch, _qe_mr_signer),
    Check(
        "qe.isv_prod_id", "QeIsvProdIdMismatch", "quote-verification 4, step 12", _QE, BindingMismatch, _qe_isv_prod_id
    ),
)

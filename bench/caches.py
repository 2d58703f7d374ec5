"""Every memory of the verification, so that "cold" means that all of them are empty: the only list of them."""

from __future__ import annotations

from assay.endorsements.intel.enclave_identity import parse_enclave_identity
from assay.endorsements.intel.signing_chain import parse_signing_chain, verify_document
from assay.endorsements.intel.tcb_info import parse_tcb_info
from assay.evidence._intel_quote import certify, document_checks, platform, revocation_checks
from assay.evidence._intel_quote.certification import parse_certification_block
from assay.memo import Memo
from assay.pki.certificate import parse_certificate
from assay.pki.chain import verify_issued
from assay.pki.revocation import parse_revocation_list

_FUNCTIONS = (
    parse_certification_block,
    parse_certificate,
    verify_issued,
    parse_revocation_list,
    parse_tcb_info,
    parse_enclave_identity,
    parse_signing_chain,
    verify_document,
)
_MODULES = (certify, document_checks, platform, revocation_checks)


def clear_caches() -> None:
    """Forget everything that verification remembered."""
    for function in _FUNCTIONS:
        function.cache_clear()
    for module in _MODULES:
        for value in vars(module).values():
            if isinstance(value, Memo):
                value.clear()

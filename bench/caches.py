"""Every memory of the verification, so that "cold" means that all of them are empty: the only list of them."""

from __future__ import annotations

from assay.endorsements.amd.tcb import parse_tcb_version
from assay.endorsements.amd.vek import parse_vek
from assay.endorsements.intel import pck
from assay.endorsements.intel.enclave_identity import parse_enclave_identity
from assay.endorsements.intel.signing_chain import parse_signing_chain, verify_document
from assay.endorsements.intel.tcb_info import parse_tcb_info
from assay.evidence._intel_quote import certification, certify, generation, platform, platform_case, rule_checks
from assay.evidence._snp import endorse, endorsement_case, report_checks, revocation_checks
from assay.evidence.sev_snp_vm import report as snp_envelope
from assay.evidence.sev_snp_vm import verify as snp_verify
from assay.formats import base64url, der, pem
from assay.memo import Memo
from assay.pki.algorithms import read_algorithm
from assay.pki.certificate import parse_certificate
from assay.pki.chain import verify_issued
from assay.pki.names import read_name
from assay.pki.revocation import parse_revocation_list, verify_revocation_list

_FUNCTIONS = (
    parse_certificate,
    verify_issued,
    read_algorithm,
    parse_revocation_list,
    parse_tcb_info,
    parse_enclave_identity,
    parse_signing_chain,
    verify_document,
    verify_revocation_list,
    platform_case.platform_needs,
    platform_case._needs_of_model,
    read_name,
    pck._parse_tcb,
    parse_tcb_version,
    parse_vek,
    endorsement_case._needs,
    report_checks._ordered,
    snp_verify._utility_need,
    pem._decode_small,
    base64url._decode_again,
    der._dotted,
)
_MODULES = (certification, certify, generation, platform, rule_checks, endorse, revocation_checks, snp_envelope)


def clear_caches() -> None:
    """Forget everything that verification remembered."""
    for function in _FUNCTIONS:
        function.cache_clear()
    for module in _MODULES:
        for value in vars(module).values():
            if isinstance(value, Memo):
                value.clear()

"""Synthetic vendors that mint evidence without hardware, with any field chosen and every negative one knob away.

Everything here is worth nothing to a verifier that runs in production: the roots are pinned as "simulator, development
only". No clock is read: every document is made for the instant `at` that the caller gives.
"""

from assay.simulator.amd.chip import Chip, Tcb
from assay.simulator.amd.hierarchy import AmdHierarchy, amd_hierarchy
from assay.simulator.amd.knob import SnpKnob
from assay.simulator.amd.knobs import SNP_KNOBS, SNP_VARIANTS, find_snp_knob
from assay.simulator.amd.recipe import SimulatedSnp, SnpRecipe, simulate_snp
from assay.simulator.amd.report import SnpReport
from assay.simulator.intel.certificates import CertificateForm, encode_pem, mint_certificate
from assay.simulator.intel.collateral import Collateral, Documents, mint_collateral
from assay.simulator.intel.enclave import Enclave, QuotingEnclave, bind
from assay.simulator.intel.hierarchy import HIERARCHY, Hierarchy, forge_hierarchy
from assay.simulator.intel.platform import Platform, encode_sgx_extension, mint_pck_certificate, mint_pck_chain
from assay.simulator.intel.qe_identity import EnclaveIdentity, IdentityLevel, mint_qe_identity
from assay.simulator.intel.quote import TDX_MACHINE, Certification, Machine, QuoteForm, mint_quote
from assay.simulator.intel.revocation import RevocationList, mint_pck_crl, mint_root_crl
from assay.simulator.intel.signed_json import Signing, Window
from assay.simulator.intel.tcb_info import Module, ModuleLevel, TcbInfo, TcbLevel, mint_tcb_info
from assay.simulator.intel.trust_domain import TrustDomain
from assay.simulator.keys import derive_key, key_sha256
from assay.simulator.knobs import KNOBS, TDX_KNOBS, TDX_VARIANTS, VARIANTS, Knob, find_knob
from assay.simulator.open_enclave import EvidenceForm, ReportForm, encode_custom_claims, mint_evidence, mint_report
from assay.simulator.recipe import (
    Recipe,
    Simulated,
    simulate,
    simulate_open_enclave,
    simulate_sgx,
    simulate_tdx,
    tdx_recipe,
)

__all__ = [
    "HIERARCHY",
    "KNOBS",
    "TDX_KNOBS",
    "TDX_MACHINE",
    "TDX_VARIANTS",
    "VARIANTS",
    "CertificateForm",
    "Certification",
    "Collateral",
    "Documents",
    "Enclave",
    "EnclaveIdentity",
    "EvidenceForm",
    "Hierarchy",
    "IdentityLevel",
    "Knob",
    "Machine",
    "Module",
    "ModuleLevel",
    "Platform",
    "QuoteForm",
    "QuotingEnclave",
    "Recipe",
    "ReportForm",
    "RevocationList",
    "Signing",
    "Simulated",
    "TcbInfo",
    "TcbLevel",
    "TrustDomain",
    "Window",
    "bind",
    "derive_key",
    "encode_custom_claims",
    "encode_pem",
    "encode_sgx_extension",
    "find_knob",
    "forge_hierarchy",
    "key_sha256",
    "mint_certificate",
    "mint_collateral",
    "mint_evidence",
    "mint_pck_certificate",
    "mint_pck_chain",
    "mint_pck_crl",
    "mint_qe_identity",
    "mint_quote",
    "mint_report",
    "mint_root_crl",
    "mint_tcb_info",
    "simulate",
    "simulate_open_enclave",
    "simulate_sgx",
    "simulate_tdx",
    "tdx_recipe",
    "Chip",
    "Tcb",
    "AmdHierarchy",
    "amd_hierarchy",
    "SnpKnob",
    "SNP_KNOBS",
    "SNP_VARIANTS",
    "find_snp_knob",
    "SimulatedSnp",
    "SnpRecipe",
    "simulate_snp",
    "SnpReport",
]

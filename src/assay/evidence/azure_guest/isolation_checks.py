"""The checks that tie a virtual TPM to the hardware report of its machine (tpm-and-guest 3.2, step 7, and 4.2).

They need nothing but the evidence, so they come before the report itself is verified and its documents are fetched.
"""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from assay.errors import BindingMismatch, RuleViolated
from assay.evidence._hcl.runtime_claims import RsaNumbers, verify_binding
from assay.evidence.azure_guest.attestation_info import AttestationInfo
from assay.verdict import NOT_APPLICABLE, Check, Identifier, Mismatch, Seen, equal


def _privilege(info: AttestationInfo) -> Seen:
    """Only the paravisor, at VMPL 0, speaks for the virtual TPM (attack case SNP-17); TDX has no such levels here."""
    proof = info.isolation.proof
    if proof is None or proof.vmpl is None:
        return NOT_APPLICABLE
    return equal(proof.vmpl, 0)


def _runtime_claims(info: AttestationInfo) -> Seen:
    proof = info.isolation.proof
    return NOT_APPLICABLE if proof is None else verify_binding(proof.runtime_claims.content, proof.report_data)


def _attestation_key(info: AttestationInfo) -> Seen:
    """The key that quoted is the one that the paravisor vouches for (attack case AZ-02)."""
    proof, key = info.isolation.proof, info.tpm.attestation_key.key
    if proof is None:
        return NOT_APPLICABLE
    stated = proof.runtime_claims.attestation_key
    numbers = key.public_numbers() if isinstance(key, RSAPublicKey) else None
    if numbers is None or RsaNumbers(numbers.n, numbers.e) != stated:
        raise Mismatch("another key than HCLAkPub", _SAME_KEY)
    return Seen(Identifier(info.tpm.attestation_key.name), _SAME_KEY)


_SAME_KEY: Final = "the attestation key is HCLAkPub of the runtime claims"


ISOLATION_CHECKS: Final[tuple[Check[AttestationInfo], ...]] = (
    Check(
        "isolation.vmpl",
        "ReportNotOfParavisor",
        "tpm-and-guest 4.2; attack case SNP-17",
        "send the report that the paravisor requested at boot (index 0x01400001), not one of the guest",
        RuleViolated,
        _privilege,
    ),
    Check(
        "isolation.runtime_claims",
        "RuntimeClaimsMismatch",
        "tpm-and-guest 4.2; attack case AZ-01",
        "send the runtime claims exactly as they stand in the HCL report whose hardware report is sent",
        BindingMismatch,
        _runtime_claims,
    ),
    Check(
        "isolation.attestation_key",
        "AttestationKeyNotOfHardware",
        "tpm-and-guest 4.3; attack case AZ-02",
        "quote with the attestation key that the runtime claims name (handle 0x81000003)",
        BindingMismatch,
        _attestation_key,
    ),
)

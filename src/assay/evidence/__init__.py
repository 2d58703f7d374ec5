"""Evidence: one folder is one type; this is the only list of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from assay.evidence.azure_guest import AZURE_GUEST
from assay.evidence.base import AnyEvidenceType, Submission
from assay.evidence.open_enclave import OPEN_ENCLAVE
from assay.evidence.sev_snp_vm import SEV_SNP_VM
from assay.evidence.sgx_enclave import SGX_ENCLAVE
from assay.evidence.tdx_vm import TDX_VM
from assay.evidence.tpm import TPM_EVIDENCE
from assay.evidence.vbs_enclave import VBS_ENCLAVE

EVIDENCE_TYPES: Final[tuple[AnyEvidenceType, ...]] = (
    SGX_ENCLAVE,
    OPEN_ENCLAVE,
    SEV_SNP_VM,
    TDX_VM,
    AZURE_GUEST,
    TPM_EVIDENCE,
    VBS_ENCLAVE,
)
# Which type may build on which other's public functions (design, section 4); the architecture test holds it.
BUILDS_ON: Final = {
    "open_enclave": ("sgx_enclave",),
    "azure_guest": ("sev_snp_vm", "tdx_vm"),
    "vbs_enclave": ("tpm",),
}


class PolicyType(NamedTuple):
    """What a policy can be set for: its default text, None where there is none, and its name in messages."""

    default_policy: str | None
    label: str


def _policy_types() -> dict[str, PolicyType]:
    labels = {**{kind.name: kind.name for kind in EVIDENCE_TYPES}, **_POLICY_LABELS}
    return {kind.name: PolicyType(kind.default_policy, labels[kind.name]) for kind in EVIDENCE_TYPES}


# policy-language 11: what the real service calls both in its messages.
_POLICY_LABELS: Final = {"Tpm": "VBS", "VbsEnclave": "VBS"}
# Each attestation type has its own policy (rest-api 1).
POLICY_TYPES: Final[Mapping[str, PolicyType]] = _policy_types()

_BY_NAME: Final = {kind.name.lower(): kind for kind in EVIDENCE_TYPES}


def find_evidence_type(name: str) -> AnyEvidenceType | None:
    """The evidence type of a wire name, case ignored (rest-api 2.1.1), or None."""
    return _BY_NAME.get(name.lower())


def recognise(kind: AnyEvidenceType, submission: Submission) -> AnyEvidenceType:
    """The type of what came over the route of `kind`: one that travels there and recognises it, else `kind` itself."""
    for each in EVIDENCE_TYPES:
        if each.carrier == kind.name and each.recognises is not None and each.recognises(submission):
            return each
    return kind


_POLICY_NAMES: Final = {name.lower(): name for name in POLICY_TYPES}


def find_policy_type(name: str) -> str | None:
    """The name of a policy type as it is spelled here, case ignored (rest-api 2.1.1), or None."""
    return _POLICY_NAMES.get(name.lower())

"""What verified SEV-SNP evidence says to a policy and in the token (claims 4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from assay.claims import ClaimSet, ClaimValue
from assay.evidence._snp.claims import ATTESTATION_TYPE, snp_claims
from assay.evidence.base import HeldDataType, Statement, Submission
from assay.evidence.sev_snp_vm.verify import VerifiedSevSnpVm
from assay.formats.strict_json import JsonValue

COMPLIANCE: Final = "x-ms-compliance-status"


def sev_snp_vm_claims(verified: VerifiedSevSnpVm) -> Statement:
    """The claims of the report, and the held data where it is JSON: binary data is verified and not shown."""
    claims: dict[str, ClaimValue] = {"x-ms-attestation-type": ATTESTATION_TYPE, **snp_claims(verified.snp)}
    if verified.utility is not None and verified.utility.compliance is not None:
        claims[COMPLIANCE] = verified.utility.compliance
    members: dict[str, JsonValue] = {**claims, **_held_data(verified.submission)}
    simulated = verified.utility is not None and verified.utility.simulated
    marks = (*verified.snp.marks, *(("simulator",) if simulated else ()))
    return Statement(ClaimSet.of_service(claims.items()), members, marks=marks)


def _held_data(submission: Submission) -> Mapping[str, JsonValue]:
    sent = {"x-ms-runtime": submission.runtime_data, "x-ms-inittime": submission.init_time_data}
    return {
        name: dict(data.parsed or {})
        for name, data in sent.items()
        if data is not None and data.data_type is HeldDataType.JSON
    }

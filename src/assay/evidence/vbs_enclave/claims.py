"""The claims of a VBS enclave (claims 8): those of its machine, and who and what the enclave is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from assay.claims import ClaimValue
from assay.evidence.base import Statement
from assay.evidence.tpm.claims import statement_of
from assay.evidence.vbs_enclave.report import VbsReport
from assay.evidence.vbs_enclave.verify import VerifiedVbsEnclave
from assay.formats import base64url

VBS: Final = "vbs"


def vbs_claims(verified: VerifiedVbsEnclave) -> Statement:
    """What a verified enclave says to a policy and in the token; the token confirms the enclave's key."""
    return statement_of(verified.tpm, VBS, _members(verified.report))


def _members(report: VbsReport) -> Iterator[tuple[str, ClaimValue]]:
    yield "enclaveAuthorId", base64url.encode(report.author_id)
    yield "enclaveImageId", base64url.encode(report.image_id)
    yield "enclaveOwnerId", base64url.encode(report.owner_id)
    yield "enclaveFamilyId", base64url.encode(report.family_id)
    yield "enclaveSvn", report.enclave_svn
    yield "enclavePlatformSvn", report.platform_svn
    yield "enclaveFlags", report.flags

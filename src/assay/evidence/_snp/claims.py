"""The claims of a SEV-SNP report (claims 4)."""

from __future__ import annotations

from typing import Final

from assay.claims import ClaimValue
from assay.evidence._snp import report as layout
from assay.evidence._snp.report import SnpReport
from assay.evidence._snp.verify import VerifiedSnpReport

ATTESTATION_TYPE: Final = "sevsnpvm"
_PREFIX: Final = "x-ms-sevsnpvm-"
_FLAGS: Final = (
    ("smt-allowed", layout.SMT_ALLOWED),
    ("migration-allowed", layout.MIGRATION_ALLOWED),
    ("is-debuggable", layout.DEBUG_ALLOWED),
)
# Seen in newer tokens than the recorded ones (claims 4, C8).
_NEWER_FLAGS: Final = (
    ("singlesocket", layout.SINGLE_SOCKET),
    ("cxl-allowed", layout.CXL_ALLOWED),
    ("mem-aes256-xts-required", layout.AES_256_XTS),
    ("rapl-disabled", layout.RAPL_DISABLED),
    ("ciphertext-hiding-dram-enabled", layout.CIPHERTEXT_HIDING),
    ("page-swap-disabled", layout.PAGE_SWAP_DISABLED),
)


def snp_claims(verified: VerifiedSnpReport) -> dict[str, ClaimValue]:
    """The claims of a verified report by their names, both for policies and for the token.

    The newer ones can be left out by a rule.
    """
    report, tcb = verified.report, verified.reported_tcb
    claims: dict[str, ClaimValue] = {
        "guestsvn": report.guest_svn,
        "familyId": report.family_id.hex(),
        "imageId": report.image_id.hex(),
        "vmpl": report.vmpl,
        "reportdata": report.report_data.hex(),
        "launchmeasurement": report.measurement.hex(),
        "hostdata": report.host_data.hex(),
        "idkeydigest": report.id_key_digest.hex(),
        "authorkeydigest": report.author_key_digest.hex(),
        "reportid": report.report_id.hex(),
        "bootloader-svn": tcb.boot_loader,
        "tee-svn": tcb.tee,
        "snpfw-svn": tcb.snp,
        "microcode-svn": tcb.microcode,
    }
    claims.update((name, bool(report.policy & bit)) for name, bit in _FLAGS)
    if not verified.recorded_claims_only:
        claims.update(_newer(report))
    return {_PREFIX + name: value for name, value in claims.items()}


def _newer(report: SnpReport) -> dict[str, ClaimValue]:
    claims: dict[str, ClaimValue] = {"chipid": report.chip_id.hex()}
    claims.update((name, bool(report.policy & bit)) for name, bit in _NEWER_FLAGS)
    if report.product is not None:
        claims["chip-family"] = report.product.value
    return claims

"""The checks of the report itself: signature, TCB, chip, order of the TCBs (quote-verification 9, steps 5 to 8)."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from assay import limits
from assay.endorsements.amd.product import Product
from assay.endorsements.amd.tcb import TcbVersion, parse_tcb_version
from assay.endorsements.amd.vek import KeyKind
from assay.errors import BindingMismatch, Malformed, MalformedEvidence, SignatureInvalid, TcbRejected
from assay.evidence._snp.endorse import Endorsed
from assay.evidence._snp.report import SnpReport
from assay.pki.signatures import SignatureError, verify_p384_little_endian
from assay.verdict import NOT_APPLICABLE, Check, Identifier, Mismatch, Seen


class ReportCase(NamedTuple):
    """A report beside the key that was certified for it."""

    report: SnpReport
    endorsed: Endorsed

    def tcb(self, octets: bytes) -> TcbVersion:
        """A TCB version in the layout of the certified product; raises `Mismatch` when it has another."""
        return _version(octets, self.endorsed.vek.product)


def _signature(case: ReportCase) -> Seen:
    report = case.report
    try:
        verify_p384_little_endian(case.endorsed.vek.key, report.signature_r, report.signature_s, report.signed)
    except SignatureError as error:
        raise Mismatch(str(error), "a signature by the endorsed key over the report") from error
    return _SIGNED


_SIGNED: Final = Seen("verifies", "signed by the endorsed key")


def _tcb(case: ReportCase) -> Seen:
    # Equal, not at least: the key is derived from exactly this TCB (step 6).
    reported, certified = case.tcb(case.report.reported_tcb), case.endorsed.vek.tcb
    if reported != certified:
        raise Mismatch(reported, certified)
    return Seen(reported, certified)


def _chip_id(case: ReportCase) -> Seen:
    vek, chip_id = case.endorsed.vek, case.report.chip_id
    if vek.kind is KeyKind.VLEK:
        # A fleet's key says nothing of the chip: nothing to compare with (step 7), masked or not.
        return NOT_APPLICABLE
    if chip_id == case.endorsed.chip_id.content and any(chip_id):
        return Seen(case.endorsed.chip_id, case.endorsed.chip_id)
    masked = "a masked chip identifier" if case.report.is_chip_id_masked else Identifier(chip_id)
    raise Mismatch(masked, case.endorsed.chip_id)


def _tcb_order(case: ReportCase) -> Seen:
    report = case.report
    return _ordered(
        case.endorsed.vek.product, report.current_tcb, report.committed_tcb, report.reported_tcb, report.launch_tcb
    )


@lru_cache(maxsize=limits.IDENTIFIERS)
def _ordered(product: Product, current: bytes, *lower: bytes) -> Seen:
    """Remembered, since machines at one patch level have their TCBs in common."""
    highest = _version(current, product)
    for name, octets in zip(("committed", "reported", "launch"), lower, strict=True):
        version = _version(octets, product)
        if not version.is_at_most(highest):
            raise Mismatch(f"{name}: {version}", f"not beyond the current TCB: {highest}")
    return Seen("committed, reported and launch TCB", "not beyond the current TCB")


def _version(octets: bytes, product: Product) -> TcbVersion:
    try:
        return parse_tcb_version(octets, product, "TCB version", MalformedEvidence)
    except Malformed as error:
        raise Mismatch(error.message, f"a TCB version of {product.value}") from error


_SPEC: Final = "quote-verification 9"

REPORT_CHECKS: Final[tuple[Check[ReportCase], ...]] = (
    Check(
        "report.signature",
        "ReportSignatureInvalid",
        f"{_SPEC}, step 5; attack case SNP-12",
        "produce a new report: this one is not what the endorsed key signed",
        SignatureInvalid,
        _signature,
    ),
    Check(
        "report.tcb",
        "ReportedTcbMismatch",
        f"{_SPEC}, step 6; attack case SNP-08",
        "obtain the certificate for exactly the TCB that the report states",
        BindingMismatch,
        _tcb,
    ),
    Check(
        "report.chip_id",
        "ChipIdMismatch",
        f"{_SPEC}, step 7; attack cases SNP-06, SNP-07, SNP-18",
        "obtain the certificate of the chip that made the report, and let the platform not mask its identifier",
        BindingMismatch,
        _chip_id,
    ),
    Check(
        "report.tcb_order",
        "TcbOrderViolated",
        f"{_SPEC}, step 8; attack case SNP-09",
        "produce a new report: no genuine firmware states a TCB beyond its current one",
        TcbRejected,
        _tcb_order,
    ),
)

"""The appraisal of a certified platform: its documents, its quoting enclave, its TCB.

It does not depend on the quote, so it is remembered by the certification and the generation of the collateral; the
validity windows of everything it rests on are compared again on every use.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from assay import limits
from assay.endorsements.documents import DocumentKind
from assay.endorsements.intel.enclave_identity import EnclaveIdentity
from assay.endorsements.intel.signing_chain import SigningChain
from assay.endorsements.intel.tcb import TcbEvaluation
from assay.endorsements.intel.tcb_info import TcbInfo
from assay.errors import EndorsementUnavailable, TcbRejected, VerificationFailed
from assay.evidence._intel_quote.certify import Certification
from assay.evidence._intel_quote.document_checks import DOCUMENT_CHECKS
from assay.evidence._intel_quote.generation import find_generation, keep_generation
from assay.evidence._intel_quote.module_checks import MODULE_CHECKS, MODULE_TCB_CHECKS
from assay.evidence._intel_quote.platform_case import LoadedModule, PlatformCase, PlatformSubject, platform_needs
from assay.evidence._intel_quote.revocation_checks import REVOCATION_CHECKS
from assay.evidence.base import Endorsements, Grounds
from assay.memo import Lazy, Memo
from assay.pki.revocation import RevocationList
from assay.pki.validity import Window, intersection
from assay.verdict import AnyCheck, Check, Entry, Missing, Seen, run


def _available(case: PlatformCase) -> Seen:
    missing = tuple(
        str(need) for need in case.needs if need.kind not in case.documents and not case.tolerates_missing(need.kind)
    )
    if missing:
        raise Missing(missing)
    return Seen(tuple(case.documents.values()), "every document that a check needs")


def _level(case: PlatformCase) -> Seen:
    return Seen(case.level, "a published TCB level")


def _qe_level(case: PlatformCase) -> Seen:
    return Seen(case.qe_level, "a published level")


_DOCUMENTS: Final[tuple[Check[PlatformCase], ...]] = (
    Check(
        "endorsements.available",
        "EndorsementUnavailable",
        "design 9: what cannot be checked is not claimed",
        "provide the named documents (--endorsements, --collateral) or let the service reach the vendor; try again",
        VerificationFailed,
        _available,
    ),
    *REVOCATION_CHECKS,
    *DOCUMENT_CHECKS,
)
_TCB: Final[tuple[Check[PlatformCase], ...]] = (
    Check(
        "tcb.level",
        "TcbNotSupported",
        "quote-verification 5.1 and 5.2",
        "the platform's SVNs are below every level that Intel publishes: update its microcode and firmware",
        TcbRejected,
        _level,
    ),
    Check(
        "tcb.qe_level",
        "QeTcbNotSupported",
        "quote-verification 5.3",
        "the quoting enclave is below every level that Intel publishes: update the platform software",
        TcbRejected,
        _qe_level,
    ),
)
PLATFORM_CHECKS: Final = (*_DOCUMENTS, *_TCB)
TDX_PLATFORM_CHECKS: Final = (*_DOCUMENTS, *MODULE_CHECKS, *_TCB, *MODULE_TCB_CHECKS)


@dataclass(frozen=True, eq=False)
class Platform:
    """An appraised platform: its TCB evaluation and the documents that it rests on.

    TCB info and identity each have an evaluation number, since genuine sets differ (quote-verification 3.3).
    """

    certification: Certification
    module: LoadedModule | None
    evaluation: TcbEvaluation
    tcb_info: TcbInfo
    identity: EnclaveIdentity
    bodies: tuple[bytes, bytes]
    chains: tuple[SigningChain, SigningChain]
    root_crl: RevocationList | None
    window: Window
    entries: tuple[Entry, ...]

    @Lazy
    def published_dates(self) -> frozenset[datetime]:
        """The dates of all levels that Intel publishes for this platform, its quoting enclave and its module."""
        dates = {level.tcb_date for level in self.tcb_info.levels}
        dates |= {level.tcb_date for level in self.identity.levels}
        identity = None if self.module is None else self.tcb_info.find_module(self.module.tcb_svn[1])
        if identity is not None:
            dates |= {level.tcb_date for level in identity.levels}
        return frozenset(dates)

    @Lazy
    def collateral_hashes(self) -> Mapping[str, str]:
        """The digests of the documents, each text hashed with a final NUL as the quote library keeps it (claims 3.1).

        A tolerated missing revocation list has no digest: its members are left out.
        """
        hashes = {
            "tcbinfohash": _c_string_hash(self.bodies[0]),
            "tcbinfocertshash": _c_string_hash(self.chains[0].pem),
            "qeidhash": _c_string_hash(self.bodies[1]),
            "qeidcertshash": _c_string_hash(self.chains[1].pem),
        }
        if self.root_crl is not None:
            hashes["tcbinfocrlhash"] = hashes["qeidcrlhash"] = _c_string_hash(self.root_crl.pem)
        return hashes


def _c_string_hash(text: bytes) -> str:
    return hashlib.sha256(text + b"\x00").hexdigest()


_PLATFORMS: Final = Memo[tuple[PlatformSubject, Endorsements, bool], Platform](limits.PLATFORMS)


def appraise_platform(
    subject: PlatformSubject, grounds: Grounds, passed: list[Entry], later: Sequence[AnyCheck]
) -> Platform:
    """Run the platform checks, or recall that this platform passed them with this generation of collateral.

    Appends to `passed`; `later` are the checks declared after these. Raises the class of the failing check,
    `EndorsementUnavailable` when documents are missing.
    """
    key = (subject, grounds.endorsements, grounds.unsafe_no_revocation)
    kept = _PLATFORMS.find(key)
    if kept is None or grounds.at not in kept.window:
        certification, baseline, module = subject
        case = PlatformCase(
            certification,
            baseline.tee,
            platform_needs(certification, baseline),
            grounds.endorsements,
            grounds.anchors,
            grounds.at,
            grounds.unsafe_no_revocation,
            module,
        )
        kept = _appraise(case, passed, later)
        _PLATFORMS.keep(key, kept)
    passed.extend(kept.entries)
    return kept


def _appraise(case: PlatformCase, passed: list[Entry], later: Sequence[AnyCheck]) -> Platform:
    entries, document_window = _run(case, passed, later)
    return Platform(
        case.certification,
        case.module,
        case.evaluation,
        case.tcb_info,
        case.identity,
        (case.required(DocumentKind.INTEL_TCB_INFO).body, case.required(DocumentKind.INTEL_QE_IDENTITY).body),
        case.signing_chains,
        None if case.tolerates_missing(DocumentKind.INTEL_ROOT_CRL) else case.root_crl,
        intersection((case.certification.window, document_window)),
        entries,
    )


def _run(case: PlatformCase, passed: list[Entry], later: Sequence[AnyCheck]) -> tuple[tuple[Entry, ...], Window]:
    """The entries of the platform checks in their order, and when the documents are valid."""
    checks = PLATFORM_CHECKS if case.module is None else TDX_PLATFORM_CHECKS
    generation = find_generation(case)
    if generation is not None:
        own: list[Entry] = []
        # A refusal is found again below, with its verdict in the declared order.
        with suppress(VerificationFailed, EndorsementUnavailable):
            run(generation.checks, case, own)
            return generation.complete(own), generation.window
    entries = list(passed)
    run(checks, case, entries, later)
    found = tuple(entries[len(passed) :])
    return found, keep_generation(case, found).window

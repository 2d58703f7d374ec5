"""One generation of collateral: the checks that look at documents and their issuers only, done once for all platforms.

What passed is remembered by the documents themselves; their validity windows are compared again on every use.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from assay import limits
from assay.endorsements.anchors import TrustAnchors
from assay.endorsements.documents import Document
from assay.evidence._intel_quote.platform_case import PlatformCase
from assay.memo import Memo
from assay.pki.certificate import Certificate
from assay.pki.validity import Window
from assay.verdict import AnyCheck, Entry

# No check named here looks at the PCK certificate, the QE report or the quote.
OF_DOCUMENTS: Final = frozenset(
    {
        "root_crl.form",
        "root_crl.signature",
        "root_crl.validity",
        "pck_ca.revocation",
        "pck_crl.form",
        "pck_crl.signature",
        "pck_crl.validity",
        "tcb_info_chain.trust",
        "tcb_info_chain.validity",
        "tcb_info_chain.revocation",
        "tcb_info.form",
        "tcb_info.signature",
        "tcb_info.validity",
        "tcb_info.tee",
        "qe_identity_chain.trust",
        "qe_identity_chain.validity",
        "qe_identity_chain.revocation",
        "qe_identity.form",
        "qe_identity.signature",
        "qe_identity.validity",
        "qe_identity.tee",
    }
)


@dataclass(frozen=True, slots=True, eq=False)
class Generation:
    """Documents that passed their checks, and when all of them are valid.

    `entries` are those of a platform that passed; `places` says which of them stand for the platform and not for the
    documents, so that another platform runs only `checks`, those at these places.
    """

    entries: tuple[Entry, ...]
    places: tuple[int, ...]
    checks: tuple[AnyCheck, ...]
    window: Window

    def complete(self, own: Sequence[Entry]) -> tuple[Entry, ...]:
        """The entries of all platform checks in their order, from those of `checks`."""
        entries = list(self.entries)
        for place, entry in zip(self.places, own, strict=True):
            entries[place] = entry
        return tuple(entries)


_Key = tuple[Certificate, Certificate, tuple[Document, ...], TrustAnchors, str, bool, bool]
_GENERATIONS: Final = Memo[_Key, Generation](limits.DOCUMENTS)


def find_generation(case: PlatformCase) -> Generation | None:
    """The generation of this case's documents, if they passed before and are all valid at its time."""
    kept = _GENERATIONS.find(_key(case))
    return kept if kept is not None and case.at in kept.window else None


def keep_generation(case: PlatformCase, entries: tuple[Entry, ...]) -> Generation:
    """Remember that the documents of a case passed; `entries` are those of all platform checks."""
    places = tuple(place for place, entry in enumerate(entries) if entry.check.name not in OF_DOCUMENTS)
    checks = tuple(entries[place].check for place in places)
    generation = Generation(entries, places, checks, case.document_window())
    _GENERATIONS.keep(_key(case), generation)
    return generation


def _key(case: PlatformCase) -> _Key:
    certification = case.certification
    documents = tuple(case.documents.values())
    return (
        certification.root,
        certification.authority,
        documents,
        case.anchors,
        case.tee,
        case.module is None,
        case.unsafe_no_revocation,
    )

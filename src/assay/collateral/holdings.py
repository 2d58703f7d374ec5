"""The documents of a tree beside the issuer chains that they may go with."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from assay.collateral.reading import PCK_AUTHORITIES
from assay.collateral.recognition import Recognised, kind_of_name
from assay.collateral.vetting import authenticate
from assay.endorsements.amd.hierarchy import AUTHORITY_NAMES, ROOT_NAMES
from assay.endorsements.documents import REVOCATION_LISTS, Document, DocumentKind, Need
from assay.endorsements.intel.signing_chain import ROOT_NAME
from assay.errors import LimitExceeded, MalformedEndorsement
from assay.pki.signatures import SignatureError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from assay.endorsements.anchors import TrustAnchors
    from assay.pki.certificate import Certificate
    from assay.pki.validity import Window

Rank = tuple[bool, bool, float, tuple[int, float]]


@dataclass(frozen=True, slots=True)
class Place:
    """A recognised file, and its place in words."""

    path: Path
    origin: str
    recognised: Recognised


@dataclass(slots=True)
class Holding:
    """One document of a tree; `chains` are the issuer chains of the tree, the nearest first.

    Keeps the `Document` of each chain, since documents are compared by identity.
    """

    place: Place
    kind: DocumentKind
    chains: tuple[bytes, ...]
    anchors: TrustAnchors
    _documents: dict[bytes, Document] = field(default_factory=dict)
    _windows: dict[bytes, Window | None] = field(default_factory=dict)

    @property
    def recognised(self) -> Recognised:
        return self.place.recognised

    @property
    def body(self) -> bytes:
        return self.place.recognised.body

    def answers(self, need: Need) -> bool:
        reading = self.recognised.reading
        return reading is not None and reading.answers(need)

    def is_of(self, need: Need) -> bool:
        """The needed document but, perhaps, for its evaluation number."""
        reading = self.recognised.reading
        return reading is not None and reading.is_of(need)

    def rank(self, at: datetime) -> Rank:
        """Greater is better: valid at `at`, signed under a pinned root, near in time, new."""
        reading = self.recognised.reading
        if reading is None:
            return (False, False, 0.0, (-1, 0.0))
        window, (number, issued) = reading.window, reading.age
        distance = max((window.start - at).total_seconds(), (at - window.end).total_seconds(), 0.0)
        signed = any(self._window(chain) is not None for chain in self._candidates)
        return (at in window, signed, -distance, (number, issued.timestamp()))

    def document(self, at: datetime | None) -> Document:
        """The document with the nearest chain that verifies it and is valid at `at`, or that verifies it, or any."""
        verifying = [chain for chain in self._candidates if self._window(chain) is not None]
        for chain in verifying:
            window = self._window(chain)
            if at is None or (window is not None and at in window):
                return self._with(chain)
        if self.kind in REVOCATION_LISTS and not verifying:
            # A list needs no chain beside it: its issuer stands in the chain of the evidence.
            return self._with(b"")
        return self._with((*verifying, *self._candidates)[0])

    @property
    def _candidates(self) -> tuple[bytes, ...]:
        return self.chains or (b"",)

    def _with(self, chain: bytes) -> Document:
        document = self._documents.get(chain)
        if document is None:
            document = self._documents[chain] = Document(self.kind, self.body, chain, self.place.origin)
        return document

    def _window(self, chain: bytes) -> Window | None:
        """The window of a chain that verifies the document, else None."""
        if chain not in self._windows:
            try:
                self._windows[chain] = authenticate(self._with(chain), self.anchors)
            except (MalformedEndorsement, LimitExceeded, SignatureError):
                self._windows[chain] = None
        return self._windows[chain]


HoldingKey = tuple[Path, Recognised]


def arrange(
    places: Iterable[Place], anchors: TrustAnchors, known: Mapping[HoldingKey, Holding]
) -> Mapping[HoldingKey, Holding]:
    """The documents among the files, each with the chains that it may go with; known ones keep their objects."""
    places = tuple(places)
    places = (*places, *_misnamed(places))
    signers = [place for place in places if place.recognised.is_signing_chain]
    issuers = _issuers(places)
    holdings = {}
    for place in places:
        kind = place.recognised.kind
        if kind is None:
            continue
        chains = issuers[kind] if kind in issuers else _nearest(place, signers)
        key = (place.path, place.recognised)
        holdings[key] = known.get(key) or Holding(place, kind, chains, anchors)
        holdings[key].chains = chains
    return holdings


def _misnamed(places: Iterable[Place]) -> Iterator[Place]:
    """Documents under the name of another kind, such as a root's list in the place of a PCK authority's.

    They answer no need, and are shown when there is nothing better.
    """
    for place in places:
        promised = kind_of_name(place.path.name)
        if promised is not None and place.recognised.kind not in (None, promised):
            yield replace(place, recognised=Recognised(promised, place.recognised.body))


def _nearest(place: Place, others: Iterable[Place]) -> tuple[bytes, ...]:
    """The contents of the others, those in the same directory first, then by the steps through the tree."""
    ordered = sorted(others, key=lambda other: (_steps(place.path.parent, other.path.parent), other.path))
    return tuple(dict.fromkeys(other.recognised.body for other in ordered))


def _steps(one: Path, other: Path) -> int:
    """How many directories one goes up and down to get from one to the other."""
    one, other = one.absolute(), other.absolute()
    common = Path(os.path.commonpath((one, other)))
    return len(one.parts) + len(other.parts) - 2 * len(common.parts)


def _issuers(places: Iterable[Place]) -> Mapping[DocumentKind, tuple[bytes, ...]]:
    """The issuer chains of revocation lists and of AMD's certificates that the certificates of the tree make up."""
    found: dict[str, dict[Certificate, None]] = {}
    for place in places:
        for certificate in place.recognised.certificates:
            if certificate.is_ca:
                found.setdefault(certificate.common_name, {})[certificate] = None
    # The root was issued twice with one key; the longer-lived certificate comes first.
    roots = sorted(found.pop(ROOT_NAME, {}), key=lambda root: root.not_after, reverse=True)
    authorities = [authority for name in PCK_AUTHORITIES for authority in found.get(name, ())]
    arks = [ark for name in ROOT_NAMES for ark in found.get(name, ())]
    amd = [one for name in AUTHORITY_NAMES for one in found.get(name, ())]
    certifying = tuple(one.pem + ark.pem for one in amd for ark in arks if one.issuer == ark.subject)
    return {
        DocumentKind.INTEL_ROOT_CRL: tuple(root.pem for root in roots),
        DocumentKind.INTEL_PCK_CRL: tuple(authority.pem + root.pem for authority in authorities for root in roots),
        DocumentKind.AMD_VCEK: certifying,
        DocumentKind.AMD_VLEK: certifying,
        DocumentKind.AMD_AUTHORITY: tuple(ark.pem for ark in arks),
        DocumentKind.AMD_CRL: tuple(ark.pem for ark in arks),
        DocumentKind.MICROSOFT_UVM: (),
    }

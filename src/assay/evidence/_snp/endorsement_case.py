"""What the endorsement checks look at: the certificates of a signing key, wherever they came from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from assay import limits
from assay.endorsements.amd.hierarchy import Sorted, parse_certificates, sort_certificates
from assay.endorsements.amd.product import Product
from assay.endorsements.amd.vek import KeyKind, Vek, leaf_need, parse_vek
from assay.endorsements.anchors import Anchor, TrustAnchors, is_simulator_root
from assay.endorsements.documents import Document, DocumentKind, Need
from assay.errors import LimitExceeded, MalformedEndorsement
from assay.evidence._snp.report import SnpReport
from assay.evidence.base import Endorsements
from assay.memo import Lazy
from assay.pki.certificate import Certificate
from assay.pki.validity import Window, intersection
from assay.verdict import Mismatch, Missing


class SnpNeeds(NamedTuple):
    """The documents that a report needs besides what came with it."""

    endorsements: tuple[Need, ...]
    revocation: tuple[Need, ...]


class SnpEvidence(NamedTuple):
    """A report beside the certificates that came with it: candidates, believed when they reach a pinned root."""

    report: SnpReport
    certificates: tuple[Certificate, ...] = ()

    @property
    def offered(self) -> Sorted:
        return sort_certificates(self.certificates)

    @property
    def needs(self) -> SnpNeeds:
        """The documents that are needed besides what came with the report."""
        report = self.report
        return _needs((report.key_kind, report.product, report.chip_id, report.reported_tcb), self.certificates)


@lru_cache(maxsize=limits.PLATFORMS)
def _needs(stated: tuple[KeyKind, Product | None, bytes, bytes], certificates: tuple[Certificate, ...]) -> SnpNeeds:
    """What is missing: the key's certificate, its authorities, and always the revocation list.

    `stated` are the kind of key, the product, the chip's identifier and the reported TCB of a report.
    """
    kind, named, chip_id, tcb = stated
    places = sort_certificates(certificates)
    products = _products(kind, named, places)
    lists = tuple(Need(DocumentKind.AMD_CRL, tee=product.value) for product in products)
    if places.others:
        return SnpNeeds((), lists)  # certificates of others are refused, whatever could be found in their place
    wanted: list[Need] = []
    # A certificate of the other kind is judged, not passed over (attack case SNP-04).
    if not places.leaves:
        wanted.extend(leaf_need(kind, product, chip_id, tcb) for product in products)
    if not places.authorities or not places.roots:
        holder = kind.name.lower()
        wanted.extend(Need(DocumentKind.AMD_AUTHORITY, tee=product.value, platform=holder) for product in products)
    return SnpNeeds(tuple(wanted), lists)


def _products(kind: KeyKind, named: Product | None, places: Sorted) -> tuple[Product, ...]:
    """The report's product, else that of the certificate that came with it, else those that version 2 knew."""
    if named is not None:
        return (named,)
    for leaf in places.leaves:
        if leaf.common_name == kind.value:
            try:
                return (parse_vek(leaf).product,)
            except MalformedEndorsement:
                break  # the extension's own check says what is wrong
    return (Product.MILAN, Product.GENOA)


@dataclass(frozen=True)
class ChainCase:
    """One endorsement of a signing key; certificates of documents are parsed when a check first asks for them."""

    evidence: SnpEvidence
    needs: tuple[Need, ...]
    documents: tuple[Document, ...]
    anchors: TrustAnchors

    @Lazy
    def kind(self) -> KeyKind:
        return self.evidence.report.key_kind

    @Lazy
    def missing(self) -> tuple[str, ...]:
        """The needed documents of which there is none of their kind; an authority without its root is none."""
        authority = DocumentKind.AMD_AUTHORITY
        kinds = {one.kind for one in self.documents if one.kind is not authority or one.issuer_chain}
        return tuple(str(need) for need in self.needs if need.kind not in kinds)

    @Lazy
    def places(self) -> Sorted:
        """The certificates of the evidence, completed by those of the documents."""
        offered = self.evidence.offered
        added = sort_certificates(tuple(one for document in self.documents for one in _certificates(document)))
        has_authorities = bool(offered.authorities and offered.roots)
        return Sorted(
            offered.leaves or added.leaves,
            offered.authorities if has_authorities else added.authorities,
            offered.roots if has_authorities else added.roots,
            (*offered.others, *added.others),
        )

    @Lazy
    def leaf(self) -> Certificate:
        leaves = self.places.leaves
        of_kind = [leaf for leaf in leaves if leaf.common_name == self.kind.value]
        return self._only(of_kind or list(leaves), "endorsement key certificate")

    @Lazy
    def authority(self) -> Certificate:
        """The certificate that the leaf names as its issuer, else the only one there is."""
        authorities = self.places.authorities
        issuers = [authority for authority in authorities if authority.subject == self.leaf.issuer]
        return self._only(issuers or list(authorities), "ASK or ASVK")

    @Lazy
    def root(self) -> Certificate:
        roots = self.places.roots
        issuers = [root for root in roots if root.subject == self.authority.issuer]
        return self._only(issuers or list(roots), "ARK")

    def _only(self, found: list[Certificate], what: str) -> Certificate:
        if len(found) != 1:
            names = tuple(one.common_name for group in self.places for one in group)
            raise Mismatch(names, f"exactly one {what}")
        return found[0]

    @Lazy
    def chain(self) -> tuple[Certificate, Certificate, Certificate]:
        if self.places.others:
            names = tuple(other.common_name for other in self.places.others)
            raise Mismatch(names, "AMD's endorsement key, ASK or ASVK, and ARK only")
        return self.leaf, self.authority, self.root

    @Lazy
    def anchor(self) -> Anchor:
        anchor = self.anchors.find(self.root)
        if anchor is None:
            note = " (this is the simulator's: serve --dev or verify --unsafe-simulator believe it)"
            raise Mismatch(
                f"root key {self.root.key_sha256}{note if is_simulator_root(self.root) else ''}",
                f"the pinned key of {self.root.common_name}",
            )
        return anchor

    @Lazy
    def vek(self) -> Vek:
        try:
            return parse_vek(self.leaf)
        except MalformedEndorsement as error:
            raise Mismatch(error.message, "the extensions of a VCEK or VLEK certificate") from error

    @Lazy
    def window(self) -> Window:
        return intersection(certificate.window for certificate in self.chain)


def _certificates(document: Document) -> tuple[Certificate, ...]:
    texts = [document.body]
    if document.kind is DocumentKind.AMD_AUTHORITY and document.issuer_chain:
        texts.append(document.issuer_chain)
    try:
        return tuple(c for text in texts for c in parse_certificates(text, document.kind.value, MalformedEndorsement))
    except (MalformedEndorsement, LimitExceeded) as error:
        raise Mismatch(error.message, f"certificates ({document.kind.value})") from error


def found_documents(needs: tuple[Need, ...], endorsements: Endorsements) -> tuple[Document, ...]:
    """The documents that are there for these needs, each once."""
    found = (endorsements.find(need) for need in needs)
    return tuple(dict.fromkeys(document for document in found if document is not None))


def require_documents(case: ChainCase) -> None:
    """Raises `Missing` with the needed documents that are not there."""
    if case.missing:
        raise Missing(case.missing)

"""The endorsement of a report's signing key: certified by AMD for one product, kind of key and TCB.

It depends on the certificates and not on the report's content, so it is remembered by them; validity windows are
compared on every use.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from assay import limits
from assay.endorsements.amd.hierarchy import authorities_problem, verify_authorities
from assay.endorsements.amd.vek import KeyKind, Vek
from assay.endorsements.anchors import Anchor, TrustAnchors
from assay.endorsements.documents import Document, DocumentKind, Need
from assay.errors import BindingMismatch, ChainUntrusted, EndorsementInvalid, SignatureInvalid
from assay.evidence._snp.endorsement_case import ChainCase, SnpEvidence, found_documents, require_documents
from assay.evidence.base import Grounds
from assay.memo import Lazy, Memo
from assay.pki.certificate import Certificate
from assay.pki.chain import verify_issued
from assay.pki.profiles import AMD
from assay.pki.signatures import SignatureError
from assay.pki.validity import Window
from assay.verdict import AnyCheck, Check, Entry, Identifier, Mismatch, Seen, equal, run


def _available(case: ChainCase) -> Seen:
    report = case.evidence.report
    if case.missing and report.is_chip_id_masked and case.kind is KeyKind.VCEK:
        raise Mismatch(
            "a masked chip identifier", "one by which the VCEK can be found, or its certificate beside the report"
        )
    require_documents(case)
    return Seen("found", "certificates of the signing key and its authorities")


def _form(case: ChainCase) -> Seen:
    return Seen(tuple(certificate.common_name for certificate in case.chain), "endorsement key, ASK or ASVK, ARK")


def _root(case: ChainCase) -> Seen:
    return Seen(f"root key {case.root.key_sha256}", f"pinned: {case.anchor.name} ({case.anchor.origin})")


def _profile(case: ChainCase) -> Seen:
    problem = authorities_problem(case.authority, case.root)
    if problem is None and case.leaf.extensions.critical:
        problem = f"{case.leaf.common_name!r} has critical extension {case.leaf.extensions.critical[0]}"
    if problem is None and case.leaf.is_ca:
        problem = "the endorsement key's certificate is a certificate authority"
    if problem is not None:
        raise Mismatch(problem, "authorities that may issue, a leaf that may not, no unknown critical extension")
    return Seen("as profiled", "CA flags, path lengths, key usage, no unknown critical extension")


def _signature(case: ChainCase) -> Seen:
    try:
        verify_authorities(case.authority, case.root)
        verify_issued(case.leaf, case.authority, AMD)
    except SignatureError as error:
        raise Mismatch(str(error), "every hop signed with RSASSA-PSS, SHA-384, salt 48") from error
    return Seen("every hop verifies", "leaf by ASK or ASVK, that by ARK, ARK by itself")


def _extension(case: ChainCase) -> Seen:
    vek = case.vek
    whose = (Identifier(vek.chip_id),) if vek.chip_id is not None else ("cloud", vek.csp_id)
    return Seen((vek.product_name, vek.tcb, *whose), "well-formed extensions")


def _key_kind(case: ChainCase) -> Seen:
    return equal(case.vek.kind, case.kind)


def _product(case: ChainCase) -> Seen:
    """CPUID, the certificate's product name, and the names of both authorities speak of one product line."""
    vek = case.vek
    expected = (vek.product.value, vek.kind.authority_name(vek.product), f"ARK-{vek.product.value}")
    named = case.evidence.report.product
    found = (
        vek.product.value if named is None else named.value,
        case.authority.common_name,
        case.root.common_name,
    )
    return equal(found, expected)


_AGAIN: Final = "obtain the certificate chain from AMD's key distribution service or the platform's cache again"
_SPEC: Final = "quote-verification 9"

CHAIN_CHECKS: Final[tuple[Check[ChainCase], ...]] = (
    Check(
        "vek_chain.available",
        "EndorsementUnavailable",
        f"{_SPEC}, step 3; design 9: what cannot be checked is not claimed",
        "send the certificates with the report, provide them (--endorsements, --collateral) or let the service ask AMD",
        BindingMismatch,
        _available,
    ),
    Check(
        "vek_chain.form",
        "VekChainMalformed",
        f"{_SPEC}, step 3",
        "send the endorsement key's certificate, its ASK or ASVK, and the ARK, nothing else",
        ChainUntrusted,
        _form,
    ),
    Check(
        "vek_chain.root",
        "ArkUntrusted",
        f"{_SPEC}, steps 2 and 3; attack cases SNP-01, SNP-02, AZ-13",
        "only AMD's roots are believed, whatever comes with the report; add a private root with --trust",
        ChainUntrusted,
        _root,
    ),
    Check(
        "vek_chain.profile",
        "VekChainProfileInvalid",
        f"{_SPEC}, step 3; RFC 5280, 6.1.4",
        _AGAIN,
        ChainUntrusted,
        _profile,
    ),
    Check(
        "vek_chain.signature",
        "VekChainSignatureInvalid",
        f"{_SPEC}, step 3; attack case SNP-11",
        _AGAIN,
        SignatureInvalid,
        _signature,
    ),
    Check(
        "vek_certificate.extension",
        "VekExtensionMalformed",
        "quote-verification 8.3; attack case SNP-05",
        _AGAIN,
        EndorsementInvalid,
        _extension,
    ),
    Check(
        "vek_certificate.kind",
        "VekOfOtherKind",
        f"{_SPEC}, step 3; attack case SNP-04",
        "send the certificate of the key that the report says signed it: VCEK or VLEK",
        BindingMismatch,
        _key_kind,
    ),
    Check(
        "vek_certificate.product",
        "VekOfOtherProduct",
        f"{_SPEC}, steps 2 and 3; attack case SNP-03",
        "send the chain of the product line that the report names",
        BindingMismatch,
        _product,
    ),
)


@dataclass(frozen=True, eq=False)
class Endorsed:
    """A signing key that AMD certified, under a pinned root; `window` is when all its certificates are valid."""

    vek: Vek
    leaf: Certificate
    authority: Certificate
    root: Certificate
    anchor: Anchor
    window: Window
    entries: tuple[Entry, ...]

    @Lazy
    def crl_need(self) -> Need:
        """The need of the revocation list of its root."""
        return Need(DocumentKind.AMD_CRL, tee=self.vek.product.value)

    @Lazy
    def chip_id(self) -> Identifier:
        """The chip's identifier as reports state it: 64 octets, zeros behind those of Turin."""
        return Identifier((self.vek.chip_id or b"").ljust(64, b"\x00"))


_Key = tuple[KeyKind, object, tuple[Certificate, ...], tuple[Document, ...], TrustAnchors]
_ENDORSED: Final = Memo[_Key, Endorsed](limits.PLATFORMS)


def endorse(
    evidence: SnpEvidence, needs: tuple[Need, ...], grounds: Grounds, passed: list[Entry], later: Sequence[AnyCheck]
) -> Endorsed:
    """Run the chain checks, or recall that these certificates passed them for this kind of key and product.

    `needs` are those of certificates. Appends to `passed`; `later` are the checks declared after these. Raises the
    class of the failing check, `EndorsementUnavailable` when certificates are missing.
    """
    documents = found_documents(needs, grounds.endorsements) if needs else ()
    report = evidence.report
    key = (report.key_kind, report.product, evidence.certificates, documents, grounds.anchors)
    kept = _ENDORSED.find(key)
    if kept is None:
        case = ChainCase(evidence, needs, documents, grounds.anchors)
        entries = list(passed)
        run(CHAIN_CHECKS, case, entries, later)
        found = tuple(entries[len(passed) :])
        kept = Endorsed(case.vek, case.leaf, case.authority, case.root, case.anchor, case.window, found)
        _ENDORSED.keep(key, kept)
    passed.extend(kept.entries)
    return kept

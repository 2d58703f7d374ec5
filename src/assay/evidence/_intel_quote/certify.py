"""The certification of an attestation key: signed by the PCK of a platform that Intel certified.

Its checks need no endorsement, so they come before anything is fetched (design, section 3). A block that passed is
remembered by its exact bytes; the validity windows of its certificates are compared again on every use.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from assay import limits
from assay.endorsements.anchors import Anchor, TrustAnchors, is_simulator_root
from assay.endorsements.intel.pck import SGX_EXTENSION, PckExtension, parse_pck_extension
from assay.endorsements.intel.signing_chain import ROOT_NAME
from assay.errors import BindingMismatch, ChainUntrusted, MalformedEndorsement, OutsideValidity, SignatureInvalid
from assay.evidence._intel_quote.certification import CertificationBlock, remember_block
from assay.memo import Lazy, Memo
from assay.pki.certificate import Certificate
from assay.pki.chain import authority_problem, critical_problem, verify_issued
from assay.pki.signatures import SignatureError, load_p256_point, verify_p256_raw
from assay.pki.validity import Window, intersection
from assay.verdict import AnyCheck, Check, Entry, Identifier, Mismatch, Seen, equal, run

LEAF_NAME: Final = "Intel SGX PCK Certificate"
AUTHORITIES: Final = {"Intel SGX PCK Processor CA": "processor", "Intel SGX PCK Platform CA": "platform"}


@dataclass(frozen=True)
class CertificationCase:
    """What the certification checks look at."""

    block: CertificationBlock
    anchors: TrustAnchors
    at: datetime

    @Lazy
    def chain(self) -> tuple[Certificate, Certificate, Certificate]:
        """Leaf, PCK CA, root: found by their names, since real quotes carry them in two orders (step 2; ADR 0003)."""
        by_name = {certificate.common_name: certificate for certificate in self.block.certificates}
        authorities = [certificate for name, certificate in by_name.items() if name in AUTHORITIES]
        leaf, root = by_name.get(LEAF_NAME), by_name.get(ROOT_NAME)
        if len(self.block.certificates) != 3 or leaf is None or root is None or len(authorities) != 1:
            names = tuple(certificate.common_name for certificate in self.block.certificates)
            raise Mismatch(names, "exactly one PCK certificate, one Platform or Processor CA, one SGX Root CA")
        return leaf, authorities[0], root

    @Lazy
    def anchor(self) -> Anchor:
        anchor = self.anchors.find(self.chain[2])
        if anchor is None:
            simulated = is_simulator_root(self.chain[2])
            note = (
                " (this is the simulator's: serve --dev or verify --unsafe-simulator believe it)" if simulated else ""
            )
            raise Mismatch(f"root key {self.chain[2].key_sha256}{note}", "the key of a pinned root")
        return anchor

    @Lazy
    def pck(self) -> PckExtension:
        value = self.chain[0].extensions.vendor.get(SGX_EXTENSION)
        if value is None:
            raise Mismatch("no SGX extension", f"extension {SGX_EXTENSION}")
        try:
            return parse_pck_extension(value)
        except MalformedEndorsement as error:
            raise Mismatch(error.message, "a well-formed SGX extension") from error

    @Lazy
    def window(self) -> Window:
        return intersection(certificate.window for certificate in self.chain)

    @Lazy
    def attestation_key(self) -> ec.EllipticCurvePublicKey:
        try:
            return load_p256_point(self.block.attestation_key)
        except SignatureError as error:
            raise Mismatch(str(error), "a point of P-256") from error

    @Lazy
    def pck_key(self) -> ec.EllipticCurvePublicKey:
        key = self.chain[0].p256_key
        if key is None:
            raise Mismatch("a PCK key of another kind", "P-256")
        return key


def _form(case: CertificationCase) -> Seen:
    return Seen(tuple(certificate.common_name for certificate in case.chain), "PCK certificate, its CA, Intel's root")


def _root(case: CertificationCase) -> Seen:
    return Seen(f"root key {case.chain[2].key_sha256}", f"pinned: {case.anchor.name} ({case.anchor.origin})")


def _profile(case: CertificationCase) -> Seen:
    leaf, authority, root = case.chain
    problem = authority_problem(authority, 0) or authority_problem(root, 1) or critical_problem(case.chain)
    if problem is None and leaf.is_ca:
        problem = "the PCK certificate is a certificate authority"
    if problem is None and (leaf.key_usage is None or not leaf.key_usage.digital_signature):
        problem = "the PCK certificate may not sign"
    if problem is not None:
        raise Mismatch(problem, "authorities that may issue, a leaf that may sign, no unknown critical extension")
    return Seen("as profiled", "CA flags, path lengths, key usage, no unknown critical extension")


def _chain_signatures(case: CertificationCase) -> Seen:
    leaf, authority, root = case.chain
    for child, issuer in ((root, root), (authority, root), (leaf, authority)):
        try:
            verify_issued(child, issuer)
        except SignatureError as error:
            raise Mismatch(str(error), f"{child.common_name!r} signed by {issuer.common_name!r}") from error
    return Seen("every hop verifies", "leaf by PCK CA, PCK CA by root, root by itself")


def _validity(case: CertificationCase) -> Seen:
    for certificate in case.chain:
        require_valid(certificate.common_name, certificate.window, case.at)
    # Not the window itself: the second in which a PCK certificate was made nearly names the machine.
    return Seen("every certificate is valid", "valid at the time of appraisal")


def require_valid(what: str, window: Window, at: datetime) -> None:
    """Raises `Mismatch` with the window and the time unless `at` is inside."""
    if at not in window:
        raise Mismatch(f"{what}: valid from {window}", f"valid at {at:%Y-%m-%dT%H:%M:%SZ}")


def _extension(case: CertificationCase) -> Seen:
    return Seen(("FMSPC", case.pck.fmspc, "PPID", Identifier(case.pck.ppid)), "a well-formed SGX extension")


def _qe_report_signature(case: CertificationCase) -> Seen:
    block = case.block
    try:
        verify_p256_raw(case.pck_key, block.qe_report_signature, block.qe_report_body)
    except SignatureError as error:
        raise Mismatch(str(error), "a signature by the PCK over the QE report") from error
    return Seen("verifies", "signed by the PCK")


def _qe_report_binding(case: CertificationCase) -> Seen:
    # All 64 octets: Intel compares 32, and the rest is zero in every genuine quote (quote-verification 4, step 11).
    return equal(case.block.qe_report.report_data, case.block.key_binding)


def _attestation_key(case: CertificationCase) -> Seen:
    return Seen(case.attestation_key.curve.name, "a point of P-256")


_SPEC: Final = "Intel SGX DCAP quote verification; quote-verification 4"

CERTIFICATION_CHECKS: Final[tuple[Check[CertificationCase], ...]] = (
    Check(
        "pck_chain.form",
        "PckChainMalformed",
        f"{_SPEC}, step 2",
        "send the PCK certificate chain as the quote library returned it: leaf, PCK CA, root",
        ChainUntrusted,
        _form,
    ),
    Check(
        "pck_chain.root",
        "PckRootUntrusted",
        f"{_SPEC}, step 3",
        "only quotes of production platforms under Intel's root are believed; add a private root with --trust",
        ChainUntrusted,
        _root,
    ),
    Check(
        "pck_chain.profile",
        "PckChainProfileInvalid",
        f"{_SPEC}, step 3; RFC 5280, 6.1.4",
        "obtain the PCK certificate chain from Intel or the platform's cache again",
        ChainUntrusted,
        _profile,
    ),
    Check(
        "pck_chain.signature",
        "PckChainSignatureInvalid",
        f"{_SPEC}, step 3",
        "obtain the PCK certificate chain from Intel or the platform's cache again",
        SignatureInvalid,
        _chain_signatures,
    ),
    Check(
        "pck_chain.validity",
        "PckChainExpired",
        f"{_SPEC}, step 3",
        "obtain a PCK certificate that is valid now, or appraise at the time of the evidence",
        OutsideValidity,
        _validity,
    ),
    Check(
        "pck_certificate.extension",
        "PckExtensionMalformed",
        "quote-verification 2",
        "obtain the PCK certificate again; its SGX extension cannot be read",
        ChainUntrusted,
        _extension,
    ),
    Check(
        "qe_report.signature",
        "QeReportSignatureInvalid",
        f"{_SPEC}, step 10",
        "produce a new quote: the quoting enclave's report was not signed by this platform's PCK",
        SignatureInvalid,
        _qe_report_signature,
    ),
    Check(
        "qe_report.binding",
        "AttestationKeyNotBound",
        f"{_SPEC}, step 11",
        "produce a new quote: the attestation key is not the one that the quoting enclave vouched for",
        BindingMismatch,
        _qe_report_binding,
    ),
    Check(
        "attestation_key.point",
        "AttestationKeyInvalid",
        f"{_SPEC}, end of section 4",
        "produce a new quote: the attestation key is not a point of P-256",
        SignatureInvalid,
        _attestation_key,
    ),
)


@dataclass(frozen=True, eq=False)
class Certification:
    """A verified block: the platform and its attestation key, under a pinned root.

    `window` is the intersection of the certificates' validity; `authority_kind` says which PCK CA certified the
    platform (`processor` or `platform`), and so whose revocation list is needed.
    """

    block: CertificationBlock
    certificate: Certificate
    authority: Certificate
    root: Certificate
    anchor: Anchor
    pck: PckExtension
    attestation_key: ec.EllipticCurvePublicKey
    authority_kind: str
    window: Window
    entries: tuple[Entry, ...]


_CERTIFICATIONS: Final = Memo[tuple[CertificationBlock, TrustAnchors], Certification](limits.PLATFORMS)


def certify(
    block: CertificationBlock, anchors: TrustAnchors, at: datetime, passed: list[Entry], later: tuple[AnyCheck, ...]
) -> Certification:
    """Run the certification checks over a block, or recall that these exact bytes passed them.

    Appends to `passed`; `later` are the checks declared after these. Raises the class of the failing check.
    """
    key = (block, anchors)
    kept = _CERTIFICATIONS.find(key)
    if kept is None or at not in kept.window:
        kept = _certify(CertificationCase(block, anchors, at), passed, later)
        _CERTIFICATIONS.keep(key, kept)
        remember_block(block)
    passed.extend(kept.entries)
    return kept


def _certify(case: CertificationCase, passed: list[Entry], later: tuple[AnyCheck, ...]) -> Certification:
    entries = list(passed)
    run(CERTIFICATION_CHECKS, case, entries, later)
    leaf, authority, root = case.chain
    return Certification(
        case.block,
        leaf,
        authority,
        root,
        case.anchor,
        case.pck,
        case.attestation_key,
        AUTHORITIES[authority.common_name],
        case.window,
        tuple(entries[len(passed) :]),
    )

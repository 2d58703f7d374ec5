"""What an endorsement document says of itself: which need it answers, for how long, how new it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # a field's type, read by tools at run time
from typing import Final

from assay.endorsements.amd.hierarchy import AUTHORITY_NAMES, ROOT_NAMES, parse_certificates
from assay.endorsements.amd.vek import need_answered_by, parse_vek
from assay.endorsements.documents import Document, DocumentKind, Need
from assay.endorsements.intel.enclave_identity import EnclaveIdentity, parse_enclave_identity
from assay.endorsements.intel.signing_chain import ROOT_NAME
from assay.endorsements.intel.tcb_info import TcbInfo, parse_tcb_info
from assay.endorsements.microsoft.uvm import parse_uvm_endorsement, read_release
from assay.errors import MalformedEndorsement, MalformedEvidence
from assay.pki.certificate import Certificate
from assay.pki.revocation import RevocationList, parse_revocation_list
from assay.pki.validity import ALWAYS, Window

PCK_AUTHORITIES: Final = {"Intel SGX PCK Platform CA": "platform", "Intel SGX PCK Processor CA": "processor"}
# The other identities (QVE, QAE) answer no need; they keep their own name.
_TEES: Final = {"QE": "sgx", "TD_QE": "tdx"}


@dataclass(frozen=True, slots=True)
class Reading:
    """`need` has no number; `number` is the TCB evaluation data number, None for revocation lists."""

    need: Need
    window: Window
    number: int | None

    @property
    def issue_date(self) -> datetime:
        return self.window.start

    @property
    def age(self) -> tuple[int, datetime]:
        """Greater is newer: the evaluation number first, then the issue date (attack case CO-12)."""
        return (-1 if self.number is None else self.number, self.window.start)

    def is_of(self, need: Need) -> bool:
        """The same document but for its evaluation number."""
        mine = self.need
        return (mine.kind, mine.tee, mine.platform) == (need.kind, need.tee, need.platform)

    def answers(self, need: Need) -> bool:
        """The document that is needed, of the number that is needed if one is."""
        return self.is_of(need) and need.number in (None, self.number)


def read_document(document: Document) -> Reading:
    """The reading of a document that parses; raises `MalformedEndorsement` or `LimitExceeded`."""
    match document.kind:
        case DocumentKind.INTEL_TCB_INFO:
            info = parse_tcb_info(document)
            return _dated(Need(document.kind, tee=info.tee, platform=info.fmspc.hex()), info)
        case DocumentKind.INTEL_QE_IDENTITY:
            identity = parse_enclave_identity(document)
            return _dated(Need(document.kind, tee=_TEES.get(identity.name, identity.name)), identity)
        case DocumentKind.AMD_VCEK | DocumentKind.AMD_VLEK | DocumentKind.AMD_AUTHORITY:
            certificates = parse_certificates(document.body, document.kind.value, MalformedEndorsement)
            if len(certificates) != 1:
                raise MalformedEndorsement(document.kind.value, f"{len(certificates)} certificates in one document")
            return read_certificate(certificates[0])
        case DocumentKind.MICROSOFT_UVM:
            return _read_endorsement(document)
        case DocumentKind.INTEL_ROOT_CRL | DocumentKind.INTEL_PCK_CRL | DocumentKind.AMD_CRL:
            return read_revocation_list(parse_revocation_list(document.body, document.kind.value))


def _read_endorsement(document: Document) -> Reading:
    """The reading of an endorsement of a utility machine, which has no end of its own (ADR 0031)."""
    try:
        release = read_release(parse_uvm_endorsement(document.body).message)
    except MalformedEvidence as error:
        raise MalformedEndorsement(document.kind.value, error.message) from error
    need = Need(document.kind, platform=release.launch_measurement.hex())
    return Reading(need, ALWAYS, release.svn)


def _dated(need: Need, document: TcbInfo | EnclaveIdentity) -> Reading:
    return Reading(need, Window(document.issue_date, document.next_update), document.evaluation_number)


def read_certificate(certificate: Certificate) -> Reading:
    """The reading of a certificate of AMD's that is needed as a document; raises `MalformedEndorsement`."""
    named = AUTHORITY_NAMES.get(certificate.common_name)
    if named is None:
        return Reading(need_answered_by(parse_vek(certificate)), certificate.window, None)
    kind, product = named
    need = Need(DocumentKind.AMD_AUTHORITY, tee=product.value, platform=kind.name.lower())
    return Reading(need, certificate.window, None)


def read_revocation_list(revocation: RevocationList) -> Reading:
    """The reading of a list by its issuer's name; raises `MalformedEndorsement` for a list of no known authority."""
    issuer = revocation.issuer_common_name
    window = Window(revocation.this_update, revocation.next_update)
    if issuer == ROOT_NAME:
        return Reading(Need(DocumentKind.INTEL_ROOT_CRL), window, None)
    if issuer in PCK_AUTHORITIES:
        return Reading(Need(DocumentKind.INTEL_PCK_CRL, platform=PCK_AUTHORITIES[issuer]), window, None)
    if issuer in ROOT_NAMES:
        return Reading(Need(DocumentKind.AMD_CRL, tee=ROOT_NAMES[issuer].value), window, None)
    raise MalformedEndorsement("revocation list", f"issued by {issuer!r}, which no need names")

"""Arranges appraisals of SEV-SNP evidence, of the simulator and of the shared vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.endorsements.documents import Document, DocumentKind
from assay.evidence.base import Submission
from tests.appraisals import Case, binary, evidence_type

if TYPE_CHECKING:
    from assay.simulator import SimulatedSnp


def snp_documents(simulated: SimulatedSnp) -> dict[DocumentKind, Document]:
    """The endorsements as a collector would hand them over; the certificates only where they are not in the evidence."""
    found = {}
    if simulated.crl is not None:
        found[DocumentKind.AMD_CRL] = Document(DocumentKind.AMD_CRL, simulated.crl)
    if simulated.file_name == "report.bin":
        leaf, authority, root = simulated.chain
        kind = DocumentKind.AMD_VLEK if simulated.vlek else DocumentKind.AMD_VCEK
        found[kind] = Document(kind, leaf)
        found[DocumentKind.AMD_AUTHORITY] = Document(DocumentKind.AMD_AUTHORITY, authority, root)
    return found


def snp_case(simulated: SimulatedSnp) -> Case:
    submission = Submission(simulated.evidence, runtime_data=binary(simulated.runtime_data))
    return Case(evidence_type("SevSnpVm"), submission, snp_documents(simulated), simulated.at)

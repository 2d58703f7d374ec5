"""Evidence: one folder is one type; this is the only list of them."""

from __future__ import annotations

from typing import Final

from assay.evidence.base import AnyEvidenceType
from assay.evidence.open_enclave import OPEN_ENCLAVE
from assay.evidence.sgx_enclave import SGX_ENCLAVE

EVIDENCE_TYPES: Final[tuple[AnyEvidenceType, ...]] = (SGX_ENCLAVE, OPEN_ENCLAVE)
# Which type may build on which other's public functions (design, section 4); the architecture test holds it.
BUILDS_ON: Final = {"open_enclave": ("sgx_enclave",)}

_BY_NAME: Final = {kind.name.lower(): kind for kind in EVIDENCE_TYPES}


def find_evidence_type(name: str) -> AnyEvidenceType | None:
    """The evidence type of a wire name, case ignored (rest-api 2.1.1), or None."""
    return _BY_NAME.get(name.lower())

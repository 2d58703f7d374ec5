"""Arranges appraisals: evidence beside endorsements, its grounds, and who decided."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from assay.appraise import appraise, parse_evidence
from assay.endorsements.anchors import TrustAnchors, trust_anchors
from assay.endorsements.documents import Document, DocumentKind, Need
from assay.endorsements.intel.tcb import TcbStatus
from assay.errors import AssayError
from assay.evidence import find_evidence_type
from assay.evidence.base import (
    AnyEvidenceType,
    Endorsements,
    Grounds,
    HeldData,
    HeldDataType,
    PlatformRules,
    Submission,
)
from assay.policy import AppraisalPolicy, stored_policy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from assay.claims import Configuration
    from assay.result.attestation import AttestationResult
    from assay.simulator import Collateral, Simulated
    from assay.verdict import Entry

AT = datetime(2026, 3, 1, 12, 30, 15, tzinfo=UTC)
HELD = b'{"key":"value"}'
SIMULATED = trust_anchors(allow_simulator=True)
PRODUCTION = trust_anchors()
ANY_STATUS = PlatformRules(frozenset(TcbStatus))

FILES = {
    DocumentKind.INTEL_ROOT_CRL: "root_ca_crl.der",
    DocumentKind.INTEL_PCK_CRL: "pck_crl.der",
    DocumentKind.INTEL_TCB_INFO: "tcb_info.json",
    DocumentKind.INTEL_QE_IDENTITY: "qe_identity.json",
}


class Offered(Endorsements):
    """Answers a need with whatever document of its kind is at hand, right or wrong, as an attacker's cache would."""

    __slots__ = ("_by_kind",)

    def __init__(self, by_kind: Mapping[DocumentKind, Document]) -> None:
        super().__init__({})
        self._by_kind = dict(by_kind)

    def find(self, need: Need) -> Document | None:
        return self._by_kind.get(need.kind)


@dataclass(frozen=True)
class Case:
    """Evidence, what was sent with it, the documents at hand, and the instant."""

    kind: AnyEvidenceType
    submission: Submission
    documents: Mapping[DocumentKind, Document]
    at: datetime = AT
    anchors: TrustAnchors = SIMULATED

    def without(self, *kinds: DocumentKind) -> Case:
        return replace(self, documents={k: d for k, d in self.documents.items() if k not in kinds})

    def having(self, document: Document) -> Case:
        return replace(self, documents={**self.documents, document.kind: document})

    def of(self, evidence: bytes) -> Case:
        return replace(self, submission=replace(self.submission, evidence=evidence))


def evidence_type(name: str) -> AnyEvidenceType:
    kind = find_evidence_type(name)
    assert kind is not None
    return kind


def binary(content: bytes | None) -> HeldData | None:
    return None if content is None else HeldData(content, HeldDataType.BINARY, None)


def documents_of(collateral: Collateral) -> dict[DocumentKind, Document]:
    """The simulator's documents, as a collector would hand them over."""
    chain = collateral.tcb_signing_chain
    return {
        DocumentKind.INTEL_ROOT_CRL: Document(DocumentKind.INTEL_ROOT_CRL, collateral.root_ca_crl),
        DocumentKind.INTEL_PCK_CRL: Document(DocumentKind.INTEL_PCK_CRL, collateral.pck_crl),
        DocumentKind.INTEL_TCB_INFO: Document(DocumentKind.INTEL_TCB_INFO, collateral.tcb_info, chain),
        DocumentKind.INTEL_QE_IDENTITY: Document(DocumentKind.INTEL_QE_IDENTITY, collateral.qe_identity, chain),
    }


def documents_in(*directories: Path) -> dict[DocumentKind, Document]:
    """The documents of vector folders; a file in an earlier directory hides those in later ones."""
    chain = _first("tcb_signing_chain.pem", directories) or b""
    found = {}
    for kind, name in FILES.items():
        body = _first(name, directories)
        if body is not None:
            found[kind] = Document(kind, body, chain, name)
    return found


def _first(name: str, directories: tuple[Path, ...]) -> bytes | None:
    paths = (directory / "collateral" / name for directory in directories)
    return next((path.read_bytes() for path in paths if path.is_file()), None)


def simulated_case(simulated: Simulated, *, enveloped: bool = False) -> Case:
    kind = evidence_type("OpenEnclave" if enveloped else simulated.type_name)
    held = binary(simulated.runtime_data)
    submission = Submission(simulated.evidence, runtime_data=held, event_log=simulated.event_log)
    return Case(kind, submission, documents_of(simulated.collateral), simulated.at)


def policy_of(kind: AnyEvidenceType) -> AppraisalPolicy:
    """The type's default policy, or one that permits where a type has none."""
    return stored_policy(kind.default_policy or "version=1.2; authorizationrules { => permit(); };")


def default_policy(kind: AnyEvidenceType) -> AppraisalPolicy:
    assert kind.default_policy is not None
    return stored_policy(kind.default_policy)


def judge(
    case: Case,
    rules: PlatformRules | None = None,
    *,
    configuration: Configuration | None = None,
    unsafe_no_revocation: bool = False,
    policy: AppraisalPolicy | None = None,
) -> AttestationResult:
    """The whole line, from the submitted octets to the result; raises as `parse_evidence` and `appraise` do."""
    grounds = Grounds(
        case.at,
        case.anchors,
        Offered(case.documents),
        rules or PlatformRules(),
        configuration or {},
        unsafe_no_revocation,
    )
    evidence = parse_evidence(case.kind, case.submission)
    return appraise(case.kind, evidence, case.submission, grounds, policy or default_policy(case.kind))


def refusal(
    case: Case, rules: PlatformRules | None = None, *, policy: AppraisalPolicy | None = None
) -> tuple[AssayError, Entry]:
    """The error of a refusal, and the entry of the verdict that decided; fails when the case is accepted."""
    with pytest.raises(AssayError) as caught:
        judge(case, rules, policy=policy)
    verdict = caught.value.verdict
    assert verdict is not None
    assert verdict.decisive is not None
    return caught.value, verdict.decisive


def failing_check(case: Case, rules: PlatformRules | None = None) -> str:
    return refusal(case, rules)[1].check.name


def claim_values(result: AttestationResult, name: str) -> list[object]:
    return [claim.value for claim in result.statement.incoming if claim.type == name]


def tcb_status(result: AttestationResult) -> str:
    (status,) = claim_values(result, "attester_tcb_status")
    return str(status)


def read_json(path: Path) -> dict[str, object]:
    value = json.loads(path.read_bytes())
    assert isinstance(value, dict)
    return value

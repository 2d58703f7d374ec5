"""What is measured: quotes of the simulator, their collateral, and the grounds on which they are judged."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import cycle
from typing import TYPE_CHECKING

from assay.appraise import parse_evidence
from assay.endorsements.anchors import trust_anchors
from assay.endorsements.documents import Document, DocumentKind
from assay.evidence.base import Endorsements, Grounds, Submission
from assay.evidence.sgx_enclave import SGX_ENCLAVE
from assay.simulator import Collateral, Enclave, Machine, Platform, Simulated, mint_quote, simulate_sgx

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from assay.evidence.sgx_enclave.verify import VerifiedSgxQuote

AT = datetime(2026, 3, 1, 12, 30, 15, tzinfo=UTC)
KIND = SGX_ENCLAVE


@dataclass(frozen=True, slots=True)
class Case:
    """A platform's evidence and collateral, and the grounds with that collateral."""

    simulated: Simulated
    grounds: Grounds


def documents(collateral: Collateral) -> dict[DocumentKind, Document]:
    chain = collateral.tcb_signing_chain
    bodies = {
        DocumentKind.INTEL_ROOT_CRL: (collateral.root_ca_crl, b""),
        DocumentKind.INTEL_PCK_CRL: (collateral.pck_crl, b""),
        DocumentKind.INTEL_TCB_INFO: (collateral.tcb_info, chain),
        DocumentKind.INTEL_QE_IDENTITY: (collateral.qe_identity, chain),
    }
    return {kind: Document(kind, body, issuers) for kind, (body, issuers) in bodies.items()}


def arrange(machine: Machine | None = None) -> Case:
    """A simulated machine with the collateral that its quotes need, collected."""
    simulated = simulate_sgx(AT, machine=machine or Machine())
    grounds = Grounds(AT, trust_anchors(allow_simulator=True))
    needs = KIND.needs(KIND.parse(Submission(simulated.quote)), grounds)
    found = documents(simulated.collateral)
    return Case(simulated, replace(grounds, endorsements=Endorsements({need: found[need.kind] for need in needs})))


def quotes_of_one_platform(count: int) -> tuple[bytes, ...]:
    """Different quotes of the default machine: each enclave reports other data."""
    return tuple(mint_quote(Enclave(report_data=number.to_bytes(64, "big"))) for number in range(count))


def quotes_of_platforms(count: int) -> tuple[bytes, ...]:
    """One quote from each of many platforms of the same model: each with a PCK certificate of its own."""
    return tuple(mint_quote(machine=Machine(Platform(f"platform {number}"))) for number in range(count))


def verify(quote: bytes, grounds: Grounds) -> VerifiedSgxQuote:
    """Parse and verify, as the straight line does."""
    submission = Submission(quote)
    return KIND.verify(parse_evidence(KIND, submission), submission, grounds)


def each_in_turn(quotes: Sequence[bytes], work: Callable[[bytes], object]) -> Callable[[], object]:
    """A subject whose every call takes the next quote."""
    turn: Iterator[bytes] = cycle(quotes)
    return lambda: work(next(turn))

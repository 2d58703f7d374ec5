"""SEV-SNP: verification of reports whose VCEK was seen before, and of ones whose VCEK was not."""

from __future__ import annotations

import hashlib
import time
import warnings
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384

from assay.appraise import parse_evidence
from assay.endorsements.anchors import trust_anchors
from assay.endorsements.documents import OF_AMD, Document, DocumentKind
from assay.evidence.base import Endorsements, Grounds, Submission
from assay.evidence.sev_snp_vm import SEV_SNP_VM
from assay.simulator import Chip, SnpRecipe, SnpReport, simulate_snp
from assay.simulator.amd.signing import derive_p384_key
from bench.measure import interleaved
from bench.report import Line, Target, ratio_line, time_line
from bench.subjects import AT, each_in_turn

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.simulator import SimulatedSnp

REPORTS: Final = 200
CHIPS: Final = 60
_BATCH: Final = 5
ABSENT: Final = "omne-attest is not installed: nothing to compare with"


def arrange(simulated: SimulatedSnp) -> Grounds:
    """Grounds with the revocation list that the evidence needs, collected."""
    grounds = Grounds(AT, trust_anchors(allow_simulator=True))
    needs = SEV_SNP_VM.needs(SEV_SNP_VM.parse(Submission(simulated.evidence)), grounds)
    assert simulated.crl is not None
    crl = Document(DocumentKind.AMD_CRL, simulated.crl)
    return replace(grounds, endorsements=Endorsements({need: crl for need in needs if need.kind in OF_AMD}))


def verify(evidence: bytes, grounds: Grounds) -> object:
    """Parse and verify, as the straight line does."""
    submission = Submission(evidence)
    return SEV_SNP_VM.verify(parse_evidence(SEV_SNP_VM, submission), submission, grounds)


def p384_verify(simulated: SimulatedSnp, chip: Chip) -> Callable[[], object]:
    """One P-384 verification by `cryptography`, key and DER signature prepared: the signature of a report."""
    report = simulated.report
    r, s = (int.from_bytes(report[at : at + 72], "little") for at in (0x2A0, 0x2E8))
    key, signature, algorithm = derive_p384_key(chip.key).public_key(), encode_dss_signature(r, s), ec.ECDSA(SHA384())
    signed = report[:0x2A0]
    return lambda: key.verify(signature, signed, algorithm)


def peer(simulated: SimulatedSnp) -> Callable[[bytes], object]:
    """omne-attest from PyPI on the same octets: signature, chain by its pinned root, chip, TCB; no revocation list."""
    import omne_attest

    policy = omne_attest.Policy(max_vmpl=3, reject_debug=False)
    leaf, authority, root = simulated.chain
    pinned = hashlib.sha256(root).digest()
    # It lets the library read serial numbers of zero, which warns.
    warnings.filterwarnings("ignore", message="Parsed a serial number")
    return lambda report: omne_attest.verify(report, leaf, authority, root, pinned, policy)


def seen() -> tuple[Line, ...]:
    """Every call another report of a chip whose VCEK was seen."""
    recipe = SnpRecipe(AT)
    made = [simulate_snp(replace(recipe, report=SnpReport(report_data=n.to_bytes(64, "big")))) for n in range(REPORTS)]
    grounds = arrange(made[0])
    subjects = {
        "floor": p384_verify(made[0], recipe.chip),
        "ours": each_in_turn([one.evidence for one in made], lambda evidence: verify(evidence, grounds)),
    }
    is_here = find_spec("omne_attest") is not None
    if is_here:
        subjects["peer"] = each_in_turn([one.report for one in made], peer(made[0]))
    found = interleaved(subjects, 5)
    target = Target(1.1)
    lines = [
        time_line("one P-384 verify", found["floor"]),
        ratio_line("parse + verify, beside one P-384 verify", found["ours"], found["floor"], target),
    ]
    if not is_here:
        return (*lines, Line(ABSENT, ""))
    lines.append(time_line("omne-attest, the same reports and chain", found["peer"]))
    return (*lines, ratio_line("parse + verify, beside omne-attest", found["ours"], found["peer"]))


def new() -> tuple[Line, ...]:
    """Every call a VCEK certificate that was never seen; authorities and list are known."""
    first = simulate_snp(SnpRecipe(AT))
    grounds = arrange(first)
    verify(first.evidence, grounds)
    made = [simulate_snp(SnpRecipe(AT, chip=Chip(name=f"chip {number}"))) for number in range(CHIPS)]
    floor = p384_verify(first, Chip())
    ours, floors = [], []
    for start in range(0, CHIPS, _BATCH):
        batch = made[start : start + _BATCH]
        ours.append(_least([lambda one=one: verify(one.evidence, grounds) for one in batch]))  # type: ignore[misc]
        floors.append(_least([floor] * _BATCH))
    return (ratio_line("parse + verify, beside one P-384 verify", min(ours), min(floors), Target(1.6)),)


def _least(works: list[Callable[[], object]]) -> float:
    """Microseconds of one of these calls, each made once."""
    start = time.perf_counter()
    for work in works:
        work()
    return 1e6 * (time.perf_counter() - start) / len(works)

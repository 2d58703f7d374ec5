"""A real Milan report from a package of the public registry, whose verifier is the oracle of ours on the shared reports."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest
from demo.registry import registry_evidence

from assay.endorsements.documents import Document, DocumentKind
from assay.errors import AssayError, EndorsementUnavailable, VerificationFailed
from assay.evidence.base import PlatformRules, Submission
from assay.simulator import SNP_KNOBS, SnpKnob, SnpRecipe, simulate_snp
from assay.verdict import Outcome
from tests.appraisals import AT, HELD, PRODUCTION, Case, claim_values, evidence_type, judge, refusal
from tests.snp_cases import snp_case
from tests.snp_vectors import SnpVector, snp_vectors

pytestmark = [
    pytest.mark.optional("omne_attest"),
    # The other verifier lets the library read serial numbers of zero.
    pytest.mark.filterwarnings("ignore:Parsed a serial number"),
]
omne_attest = pytest.importorskip("omne_attest", reason="the package with a real report is not installed")

# Within the validity of the certificate that the package ships.
NOW = datetime(2026, 11, 1, tzinfo=UTC)
# What the package does not look at: its verifier judges the signature, the chain by its pinned root, chip and TCB.
_NOT_ITS_MATTER = (
    "ark_crl.",
    "vek_authority.",
    "vek_chain.validity",
    "vek_chain.form",
    "vek_chain.profile",
    "runtime_data.",
)


def real_case() -> Case:
    return Case(evidence_type("SevSnpVm"), Submission(registry_evidence()), {}, NOW, PRODUCTION)


def peer_accepts(report: bytes, chain: tuple[bytes, ...], pinned: bytes) -> bool:
    """The other verifier on the same octets; it takes exactly one chain, and no policy is asked of it."""
    try:
        omne_attest.verify(report, *chain, pinned, omne_attest.Policy(max_vmpl=3, reject_debug=False))
    except (omne_attest.Fail, ValueError, TypeError):
        return False
    return True


def test_everything_but_the_missing_list_passes() -> None:
    error, decisive = refusal(real_case())
    assert isinstance(error, EndorsementUnavailable)
    assert decisive.check.name == "ark_crl.available"
    assert error.documents == ("revocation list of the ARK of Milan (ark_crl.der)",)
    assert error.verdict is not None
    before = list(error.verdict)[: list(error.verdict).index(decisive)]
    assert {entry.outcome for entry in before} == {Outcome.PASSED}


def test_under_the_unsafe_switch_the_token_is_marked_and_says_that_it_may_be_debugged() -> None:
    result = judge(real_case(), unsafe_no_revocation=True)
    assert claim_values(result, "x-ms-sevsnpvm-is-debuggable") == [True]
    with pytest.raises(VerificationFailed) as caught:
        judge(real_case(), PlatformRules(strict=True), unsafe_no_revocation=True)
    assert caught.value.check == "report.debug"


def test_the_simulator_s_reports_are_accepted_by_the_other_verifier() -> None:
    simulated = simulate_snp(SnpRecipe(AT, HELD))
    pinned = hashlib.sha256(simulated.chain[2]).digest()
    assert peer_accepts(simulated.report, simulated.chain, pinned)


@pytest.mark.parametrize("knob", SNP_KNOBS, ids=lambda knob: knob.name)
def test_what_the_other_verifier_accepts_of_the_negatives_is_not_its_matter(knob: SnpKnob) -> None:
    """Each disagreement is of a check that the other verifier does not have, or of a rule."""
    simulated = knob.apply(SnpRecipe(AT, HELD))
    root = simulate_snp(SnpRecipe(AT, HELD)).chain[2]
    pinned = hashlib.sha256(root).digest()
    theirs = len(simulated.chain) == 3 and peer_accepts(simulated.report, simulated.chain, pinned)
    try:
        judge(snp_case(simulated))
        ours = True
    except AssayError:
        ours = False
    if theirs and not ours:
        assert knob.trips.startswith((*_NOT_ITS_MATTER, *_THEIRS_IS_LENIENT))
    elif ours:
        assert knob.rule


# Reserved fields, versions, the key that the report names, RSA parameters and extensions beyond those it compares: the
# vendor's text asks for these (quote-verification 8 and 9), the package does not look.
_THEIRS_IS_LENIENT = ("evidence.form", "vek_certificate.", "report.tcb_order", "vek_chain.signature")


def vcek_vectors() -> list[SnpVector]:
    """The shared reports of Milan and Genoa with the certificates of a chip: the other verifier knows these."""
    return [
        v for v in snp_vectors() if v.has_certificates and (v.base / "vcek.der").exists() and "turin" not in v.base.name
    ]


@pytest.mark.optional("shared")
@pytest.mark.parametrize("vector", vcek_vectors(), ids=lambda vector: vector.name)
def test_both_verifiers_agree_on_real_reports(vector: SnpVector) -> None:
    chain = tuple(
        next(f / name for f in (vector.folder, vector.base) if (f / name).exists()).read_bytes()
        for name in ("vcek.der", "ask.der", "ark.der")
    )
    pinned = hashlib.sha256((vector.base / "ark.der").read_bytes()).digest()
    documents = {
        DocumentKind.AMD_VCEK: Document(DocumentKind.AMD_VCEK, chain[0]),
        DocumentKind.AMD_AUTHORITY: Document(DocumentKind.AMD_AUTHORITY, chain[1], chain[2]),
    }
    case = Case(evidence_type("SevSnpVm"), Submission(vector.report()), documents, vector.at, PRODUCTION)
    try:
        judge(case, unsafe_no_revocation=True)
        ours = True
    except AssayError:
        ours = False
    assert ours is vector.is_valid
    assert peer_accepts(vector.report(), chain, pinned) is ours

"""Every negative of the simulator is refused by the check that its attack case names, and only by turning its knob."""

from __future__ import annotations

from dataclasses import replace

import pytest

from assay.endorsements.intel.tcb import TcbStatus
from assay.errors import Malformed, VerificationFailed
from assay.evidence.base import PlatformRules
from assay.simulator import KNOBS, VARIANTS, Knob, Machine, Platform, Recipe, find_knob, simulate
from tests.appraisals import ANY_STATUS, AT, HELD, Case, judge, refusal, simulated_case, tcb_status

from .table import ACCEPTED, ALWAYS, BY_STATUS, UNDER_A_RULE

BASES = {
    "processor": Recipe(AT, HELD),
    "platform": Recipe(AT, HELD, machine=Machine(Platform(name="other", ca="platform", fmspc="0011aabbccdd"))),
}
bases = pytest.mark.parametrize("base", BASES.values(), ids=BASES)
STRICT = PlatformRules(strict=True)


def turned(name: str, base: Recipe) -> Case:
    knob = find_knob(name)
    return simulated_case(knob.apply(base), enveloped=knob.enveloped)


def test_the_tables_name_every_negative_once() -> None:
    named = [*ALWAYS, *UNDER_A_RULE, *BY_STATUS, *ACCEPTED]
    assert sorted(named) == sorted(knob.name for knob in KNOBS)


@bases
@pytest.mark.parametrize("rules", [PlatformRules(), STRICT], ids=["defaults", "strict"])
def test_the_control_without_any_change_is_accepted(base: Recipe, rules: PlatformRules) -> None:
    assert tcb_status(judge(simulated_case(simulate(base)), rules)) == "UpToDate"


@bases
@pytest.mark.parametrize(("name", "check"), ALWAYS.items(), ids=ALWAYS)
def test_a_negative_is_refused_by_the_check_of_its_attack_case(name: str, check: str, base: Recipe) -> None:
    error, decisive = refusal(turned(name, base), ANY_STATUS)
    assert decisive.check.name == check
    assert error.code
    assert isinstance(error, VerificationFailed) or check == "evidence.form"
    if isinstance(error, VerificationFailed):
        assert (error.check, error.code) == (check, decisive.check.code)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("version-2", "UnsupportedQuoteVersion"),
        ("tee-type-tdx", "UnsupportedTeeType"),
        ("key-type-p384", "UnsupportedAttestationKeyType"),
        ("key-type-unknown", "UnsupportedAttestationKeyType"),
        *((f"certification-type-{number}", "PckCertificateUnavailable") for number in (1, 2, 3, 4)),
        *((f"certification-type-{number}", "UnsupportedCertificationDataType") for number in (0, 6, 7, 255)),
        ("chain-of-eleven", "LimitExceeded"),
        ("cut", "MalformedEvidence"),
        ("oe-report-local", "UnsupportedOpenEnclaveType"),
        ("oe-evidence-tdx", "UnsupportedEvidenceFormat"),
        ("oe-evidence-local", "UnsupportedEvidenceFormat"),
    ],
)
def test_what_is_not_supported_has_its_own_code(name: str, code: str) -> None:
    error, _ = refusal(turned(name, BASES["processor"]))
    assert error.code == code
    assert isinstance(error, Malformed) or code == "LimitExceeded"


@bases
@pytest.mark.parametrize(("name", "ruled"), UNDER_A_RULE.items(), ids=UNDER_A_RULE)
def test_a_negative_under_a_rule_is_refused_there_and_accepted_without_it(
    name: str, ruled: tuple[str, PlatformRules], base: Recipe
) -> None:
    check, rules = ruled
    case = turned(name, base)
    assert refusal(case, rules)[1].check.name == check
    assert refusal(case, STRICT)[1].check.name == check
    assert tcb_status(judge(case)) == "UpToDate"


@bases
@pytest.mark.parametrize(("name", "status"), BY_STATUS.items(), ids=BY_STATUS)
def test_a_bad_status_is_refused_by_default_and_is_a_claim_where_the_operator_accepts_it(
    name: str, status: str, base: Recipe
) -> None:
    case = turned(name, base)
    assert refusal(case)[1].check.name == "tcb.status"
    assert refusal(case, PlatformRules(ANY_STATUS.accepted_tcb - {TcbStatus(status)}))[1].check.name == "tcb.status"
    assert tcb_status(judge(case, PlatformRules(frozenset({TcbStatus(status)})))) == status


@bases
@pytest.mark.parametrize("name", ACCEPTED)
def test_a_decided_reading_accepts_a_chain_in_any_order(name: str, base: Recipe) -> None:
    assert tcb_status(judge(turned(name, base), STRICT)) == "UpToDate"


@bases
@pytest.mark.parametrize("knob", VARIANTS, ids=lambda knob: knob.name)
def test_a_variant_of_good_evidence_is_accepted(knob: Knob, base: Recipe) -> None:
    assert tcb_status(judge(simulated_case(knob.apply(base), enveloped=knob.enveloped))) == knob.status


@pytest.mark.parametrize("name", [n for n in ALWAYS if not find_knob(n).enveloped])
def test_a_negative_stays_one_inside_an_open_enclave_report(name: str) -> None:
    base = find_knob("oe-report").turn(BASES["processor"])
    case = simulated_case(find_knob(name).apply(base), enveloped=True)
    assert refusal(case, ANY_STATUS)[1].check.name == ALWAYS[name]


def test_a_status_that_the_operator_forbids_is_refused() -> None:
    case = simulated_case(simulate(replace(BASES["processor"])))
    assert refusal(case, PlatformRules(frozenset({TcbStatus.OUT_OF_DATE})))[1].check.name == "tcb.status"

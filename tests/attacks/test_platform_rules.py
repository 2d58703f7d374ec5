"""The operator's rules about platforms: each refuses what it is for, and admits its control (QV-21, CO-16, OK-03, OK-04)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from assay.endorsements.intel.tcb import TcbStatus
from assay.evidence.base import PlatformRules
from assay.evidence.platform_rules import GracePeriod, GraceStart, Listing, MinimumTcb
from assay.simulator import Machine, Platform, Recipe, find_knob, simulate, tdx_recipe
from assay.simulator.intel.tcb_info import LEVELS
from assay.verdict import NOT_APPLICABLE, Outcome, encode_entry
from tests.appraisals import AT, HELD, Case, failing_check, judge, refusal, simulated_case, tcb_status

SERVER = Platform(name="server", ca="platform", fmspc="00806f050000")
ENCLAVE = Recipe(AT, HELD, machine=Machine(SERVER))
DOMAIN = tdx_recipe(AT, HELD)
DOMAIN = replace(DOMAIN, machine=replace(DOMAIN.machine, platform=SERVER))
CASES = {"SGX": simulated_case(simulate(ENCLAVE)), "TDX": simulated_case(simulate(DOMAIN))}
cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
OTHER = bytes(16)
assert SERVER.ca == "platform"
INSTANCE = SERVER.raw_instance_id
LATE = datetime(2024, 3, 14, tzinfo=UTC)

# By check: rules that refuse the platform, and rules of the same kind that admit it.
RULES: dict[str, tuple[tuple[PlatformRules, ...], tuple[PlatformRules, ...]]] = {
    "platform.ppid": (
        (
            PlatformRules(ppids=Listing(denied=frozenset({SERVER.raw_ppid}))),
            PlatformRules(ppids=Listing(frozenset({OTHER}))),
            PlatformRules(ppids=Listing(frozenset())),
            PlatformRules(ppids=Listing(frozenset({SERVER.raw_ppid}), frozenset({SERVER.raw_ppid}))),
        ),
        (
            PlatformRules(ppids=Listing(frozenset({SERVER.raw_ppid, OTHER}))),
            PlatformRules(ppids=Listing(denied=frozenset({OTHER}))),
        ),
    ),
    "platform.instance": (
        (
            PlatformRules(platform_instances=Listing(denied=frozenset({INSTANCE}))),
            PlatformRules(platform_instances=Listing(frozenset({OTHER}))),
        ),
        (
            PlatformRules(platform_instances=Listing(frozenset({INSTANCE}))),
            PlatformRules(platform_instances=Listing(denied=frozenset({OTHER}))),
        ),
    ),
    "platform.generation": (
        (
            PlatformRules(generations=Listing(frozenset({"milan", "emeraldrapids"}))),
            PlatformRules(generations=Listing(denied=frozenset({"sapphirerapids"}))),
            PlatformRules(generations=Listing(denied=frozenset({"00806f050000"}))),
        ),
        (
            PlatformRules(generations=Listing(frozenset({"sapphirerapids"}))),
            PlatformRules(generations=Listing(frozenset({"00806f050000"}))),
            PlatformRules(generations=Listing(denied=frozenset({"emeraldrapids"}))),
        ),
    ),
    "tcb.minimum": (
        (
            PlatformRules(minimum_tcb=(MinimumTcb("sapphirerapids", (("pce", 14),)),)),
            PlatformRules(minimum_tcb=(MinimumTcb("00806f050000", (("qe", 11),)),)),
            PlatformRules(minimum_tcb=(MinimumTcb("sapphirerapids", tcb_date=LATE),)),
            PlatformRules(minimum_tcb=(MinimumTcb("sapphirerapids", evaluation_number=18),)),
            # A component that Intel's platforms do not have cannot be reached.
            PlatformRules(minimum_tcb=(MinimumTcb("sapphirerapids", (("snp", 0),)),)),
        ),
        (
            PlatformRules(minimum_tcb=(MinimumTcb("sapphirerapids", (("pce", 13), ("qe", 10))),)),
            PlatformRules(minimum_tcb=(MinimumTcb("sapphirerapids", (), LATE - timedelta(days=1), 17),)),
            PlatformRules(minimum_tcb=(MinimumTcb("milan", (("snp", 200),)),)),
        ),
    ),
}
REFUSING = [(check, rules) for check, (refusing, _) in RULES.items() for rules in refusing]
ADMITTING = [(check, rules) for check, (_, admitting) in RULES.items() for rules in admitting]


@cases
@pytest.mark.parametrize(("check", "rules"), REFUSING)
def test_a_platform_that_the_rule_does_not_admit_is_refused_by_its_check(
    check: str, rules: PlatformRules, case: Case
) -> None:
    assert failing_check(case, rules) == check


@cases
@pytest.mark.parametrize(("check", "rules"), ADMITTING)
def test_a_platform_that_the_rule_admits_is_accepted_and_the_rule_is_in_the_verdict(
    check: str, rules: PlatformRules, case: Case
) -> None:
    entries = {entry.check.name: entry for entry in judge(case, rules).verdict}
    is_of_another_product = rules.minimum_tcb and rules.minimum_tcb[0].product == "milan"
    assert entries[check].outcome is (Outcome.NOT_APPLICABLE if is_of_another_product else Outcome.PASSED)


@cases
def test_no_rule_is_in_force_unless_it_was_set(case: Case) -> None:
    ruled = {*RULES, "tcb.grace", "tcb.advisories", "runtime_data.present"}
    entries = {entry.check.name: entry for entry in judge(case).verdict}
    assert {entries[name].outcome for name in ruled} == {Outcome.NOT_APPLICABLE}
    assert {entries[name].seen for name in ruled} == {NOT_APPLICABLE}


def test_a_platform_without_an_instance_id_is_in_no_list_of_allowed_ones() -> None:
    case = simulated_case(simulate(Recipe(AT, HELD)))
    allowed = PlatformRules(platform_instances=Listing(frozenset({INSTANCE})))
    assert failing_check(case, allowed) == "platform.instance"
    denied = PlatformRules(platform_instances=Listing(denied=frozenset({INSTANCE})))
    assert tcb_status(judge(case, denied)) == "UpToDate"


def test_a_listed_identifier_is_never_shown() -> None:
    rules = PlatformRules(ppids=Listing(denied=frozenset({SERVER.raw_ppid})))
    error, _ = refusal(CASES["TDX"], rules)
    assert error.verdict is not None
    assert SERVER.raw_ppid.hex() not in str([encode_entry(entry) for entry in error.verdict]) + error.message


HARDENING = simulated_case(find_knob("hardening-needed").apply(DOMAIN))  # of ASSAY-SA-00001


@pytest.mark.parametrize(
    "advisories",
    [
        Listing(denied=frozenset({"ASSAY-SA-00001"})),
        Listing(frozenset({"ASSAY-SA-00002"})),
        Listing(frozenset[str]()),
    ],
)
def test_an_advisory_that_is_not_accepted_is_refused(advisories: Listing[str]) -> None:
    assert tcb_status(judge(HARDENING)) == "SWHardeningNeeded"
    assert failing_check(HARDENING, PlatformRules(advisories=advisories)) == "tcb.advisories"
    # A platform that no advisory is about has none to accept.
    assert tcb_status(judge(CASES["TDX"], PlatformRules(advisories=advisories))) == "UpToDate"


def test_an_advisory_that_is_accepted_is_no_reason_to_refuse() -> None:
    rules = PlatformRules(advisories=Listing(frozenset({"ASSAY-SA-00001"}), frozenset({"ASSAY-SA-00002"})))
    assert tcb_status(judge(HARDENING, rules)) == "SWHardeningNeeded"


OUT_OF_DATE = simulated_case(find_knob("platform-out-of-date").apply(DOMAIN))  # of 2024-03-13
BEHIND = simulated_case(find_knob("td-module-out-of-date").apply(DOMAIN))  # the module of 2023-08-09


def grace(days: int, start: GraceStart = GraceStart.TCB_DATE) -> PlatformRules:
    return PlatformRules(grace=(GracePeriod(TcbStatus.OUT_OF_DATE, days, start),))


def test_a_status_is_tolerated_in_its_grace_period_and_not_a_second_longer() -> None:
    dated = datetime.fromisoformat(LEVELS[0].date)
    days = (AT - dated).days + 1
    result = judge(OUT_OF_DATE, grace(days))
    until = (dated + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert result.statement.members["x-assay-tcb"] == {
        "status": "OutOfDate",
        "tcb_date": LEVELS[0].date,
        "grace_until": until,
    }
    assert result.statement.members["attester_tcb_status"] == "OutOfDate"
    assert failing_check(OUT_OF_DATE, grace(days - 1)) == "tcb.grace"
    edge = replace(OUT_OF_DATE, at=AT.replace(hour=0, minute=0, second=0))
    exactly = grace((edge.at - dated).days)
    assert tcb_status(judge(edge, exactly)) == "OutOfDate"
    assert failing_check(replace(edge, at=edge.at + timedelta(seconds=1)), exactly) == "tcb.grace"


def test_a_grace_period_may_count_from_the_recovery_event() -> None:
    """The module is of 2023-08-09; the first level that Intel published after that is of 2024-03-13."""
    days = (AT - datetime(2024, 3, 13, tzinfo=UTC)).days + 1
    assert failing_check(BEHIND, grace(days)) == "tcb.grace"
    assert tcb_status(judge(BEHIND, grace(days, GraceStart.RECOVERY_EVENT))) == "OutOfDate"
    assert failing_check(BEHIND, grace(days - 1, GraceStart.RECOVERY_EVENT)) == "tcb.grace"


def test_a_grace_period_is_for_its_status_only() -> None:
    configuration = simulated_case(find_knob("platform-out-of-date-configuration-needed").apply(DOMAIN))
    assert failing_check(configuration, grace(36_500)) == "tcb.status"
    revoked = simulated_case(find_knob("platform-revoked").apply(DOMAIN))
    assert failing_check(revoked, grace(36_500)) == "tcb.status"


def test_a_status_that_is_accepted_needs_no_grace() -> None:
    accepted = replace(grace(0), accepted_tcb=frozenset({TcbStatus.OUT_OF_DATE}))
    result = judge(OUT_OF_DATE, accepted)
    assert "x-assay-tcb" not in result.statement.members


def test_a_policy_cannot_write_what_a_rule_says() -> None:
    from assay.result.payload import is_service_owned  # beside its only use

    assert is_service_owned("x-assay-tcb")

"""Attack cases of trust domains: every negative refused by the check that its case names, beside its control."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from assay.endorsements.intel.tcb import TcbStatus
from assay.errors import LimitExceeded, Malformed, VerificationFailed
from assay.evidence.base import PlatformRules
from assay.simulator import TDX_KNOBS, TDX_VARIANTS, Knob, bind, find_knob, simulate, tdx_recipe
from assay.simulator.intel.trust_domain import TRUST_DOMAIN
from assay.simulator.knobs.trust_domain import BOOT
from tests.appraisals import (
    ANY_STATUS,
    AT,
    HELD,
    PRODUCTION,
    Case,
    binary,
    claim_values,
    failing_check,
    judge,
    refusal,
    simulated_case,
    tcb_status,
)

from .table_tdx import ALWAYS, BY_STATUS, OF_DOMAINS, STATUS_OF_DOMAINS, UNDER_A_RULE

BASES = {"version 4": tdx_recipe(AT, HELD), "TD 1.5": find_knob("td-1.5").turn(tdx_recipe(AT, HELD))}
BASE = BASES["version 4"]
STRICT = PlatformRules(strict=True)
bases = pytest.mark.parametrize("base", BASES.values(), ids=BASES)


def turned(name: str, base: object = BASE) -> Case:
    return simulated_case(find_knob(name).apply(base))  # type: ignore[arg-type]


def test_the_tables_name_every_negative_of_a_domain_once() -> None:
    named = [*OF_DOMAINS, *UNDER_A_RULE, *STATUS_OF_DOMAINS]
    assert sorted(named) == sorted(knob.name for knob in TDX_KNOBS)


@bases
@pytest.mark.parametrize("rules", [PlatformRules(), STRICT], ids=["defaults", "strict"])
def test_the_control_without_any_change_is_accepted(base: object, rules: PlatformRules) -> None:
    case = simulated_case(simulate(base))  # type: ignore[arg-type]
    assert case.kind.name == "TdxVm"
    assert tcb_status(judge(case, rules)) == "UpToDate"
    assert failing_check(replace(case, anchors=PRODUCTION)) == "pck_chain.root"


# Knobs of domains choose the quote's version themselves; those in common are turned in both.
NEGATIVES = [
    pytest.param(name, check, base, id=f"{name}-{label}")
    for name, check in ALWAYS.items()
    for label, base in BASES.items()
    if label == "version 4" or name not in OF_DOMAINS
]


@pytest.mark.parametrize(("name", "check", "base"), NEGATIVES)
def test_a_negative_is_refused_by_the_check_of_its_attack_case(name: str, check: str, base: object) -> None:
    error, decisive = refusal(turned(name, base), ANY_STATUS)
    assert decisive.check.name == check
    if isinstance(error, VerificationFailed):
        assert (error.check, error.code) == (check, decisive.check.code)
    else:
        assert check == "evidence.form"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("td-quote-of-sgx", "UnsupportedTeeType"),
        ("td-version-3", "UnsupportedQuoteVersion"),
        ("td-body-type-unknown", "UnsupportedBodyType"),
        ("td-1.5-with-size-of-1.0", "MalformedEvidence"),
        ("td-body-type-of-enclave", "MalformedEvidence"),
        ("td-outer-type-5", "UnsupportedCertificationDataType"),
        ("key-type-p384", "UnsupportedAttestationKeyType"),
        ("key-type-unknown", "UnsupportedAttestationKeyType"),
        *((f"certification-type-{number}", "PckCertificateUnavailable") for number in (1, 2, 3, 4)),
    ],
)
def test_what_is_not_supported_has_its_own_code(name: str, code: str) -> None:
    assert refusal(turned(name))[0].code == code


def test_a_td_report_in_place_of_a_quote_has_its_own_code() -> None:
    """QV-27: REPORTTYPE 0x81, then the MAC structure; only its own platform can verify it."""
    case = simulated_case(simulate(BASE))
    error, decisive = refusal(case.of(b"\x81\x00\x00\x00" + bytes(1020)))
    assert (error.code, decisive.check.name) == ("TdReportInsteadOfQuote", "evidence.form")


@bases
@pytest.mark.parametrize(("name", "ruled"), UNDER_A_RULE.items(), ids=UNDER_A_RULE)
def test_a_negative_under_a_rule_is_refused_there_and_accepted_without_it(
    name: str, ruled: tuple[str, PlatformRules], base: object
) -> None:
    check, rules = ruled
    case = turned(name, base)
    assert failing_check(case, rules) == check
    assert failing_check(case, STRICT) == check
    assert tcb_status(judge(case)) == "UpToDate"


@pytest.mark.parametrize(("name", "status"), BY_STATUS.items(), ids=BY_STATUS)
def test_a_bad_status_is_refused_by_default_and_is_a_claim_where_the_operator_accepts_it(
    name: str, status: str
) -> None:
    case = turned(name)
    assert failing_check(case) == "tcb.status"
    result = judge(case, PlatformRules(frozenset({TcbStatus(status)})))
    assert tcb_status(result) == status
    assert result.statement.members["attester_tcb_status"] == status


@pytest.mark.parametrize("knob", TDX_VARIANTS, ids=lambda knob: knob.name)
def test_a_variant_of_good_evidence_is_accepted(knob: Knob) -> None:
    assert tcb_status(judge(simulated_case(knob.apply(BASE)), STRICT)) == knob.status


@bases
def test_a_quote_cut_at_any_octet_is_refused(base: object) -> None:
    case = simulated_case(simulate(base))  # type: ignore[arg-type]
    evidence = case.submission.evidence
    for size in range(len(evidence)):
        with pytest.raises((Malformed, LimitExceeded)) as caught:
            judge(case.of(evidence[:size]))
        assert caught.value.verdict is not None
        assert caught.value.verdict.decisive is not None
        assert caught.value.verdict.decisive.check.name == "evidence.form"


def test_runtime_data_may_be_required_by_a_rule() -> None:
    """QV-25: absent although required is a refusal, not a missing claim."""
    required = PlatformRules(require_runtime_data=True)
    case = simulated_case(simulate(BASE))
    assert tcb_status(judge(case, required)) == "UpToDate"
    without = replace(case, submission=replace(case.submission, runtime_data=None))
    assert tcb_status(judge(without)) == "UpToDate"
    assert failing_check(without, required) == "runtime_data.present"


def test_runtime_data_that_the_domain_did_not_bind_is_refused() -> None:
    for name in ("runtime-data-other",):
        assert failing_check(turned(name)) == "runtime_data.binding"
    tail = replace(TRUST_DOMAIN, report_data=bind(HELD)[:63] + b"\x01")
    case = simulated_case(simulate(replace(BASE, domain=tail, runtime_data=None, submitted_runtime_data=HELD)))
    assert tcb_status(judge(case)) == "UpToDate"
    assert failing_check(case, STRICT) == "runtime_data.tail"


def test_init_time_data_must_be_what_mrconfigid_holds() -> None:
    configured = replace(TRUST_DOMAIN, mr_config_id=bind(b"configured")[:48])
    case = simulated_case(simulate(replace(BASE, domain=configured)))
    for content, accepted in ((b"configured", True), (b"other", False)):
        sent = replace(case, submission=replace(case.submission, init_time_data=binary(content)))
        if accepted:
            assert tcb_status(judge(sent)) == "UpToDate"
        else:
            assert failing_check(sent) == "init_time_data.binding"


def test_a_log_may_be_required_of_a_domain_that_measured_something() -> None:
    """QV-30: RTMRs that are not zero, and no log where a rule needs it."""
    required = PlatformRules(require_event_log=True)
    logged = simulated_case(find_knob("td-log").apply(BASE))
    assert tcb_status(judge(logged, required)) == "UpToDate"
    silent = replace(logged, submission=replace(logged.submission, event_log=None))
    assert tcb_status(judge(silent)) == "UpToDate"
    assert failing_check(silent, required) == "event_log.present"
    # Nothing was measured: there is nothing to explain.
    assert tcb_status(judge(simulated_case(simulate(BASE)), required)) == "UpToDate"


def test_the_events_of_a_log_are_claims_and_only_proven_ones_have_data() -> None:
    result = judge(simulated_case(find_knob("td-log").apply(BASE)))
    (text,) = claim_values(result, "events")
    events = json.loads(str(text))["Events"]
    assert [event["PcrIndex"] for event in events] == [1, *(event.pcr for event in BOOT)]
    assert "events" not in result.statement.members
    assert claim_values(judge(simulated_case(simulate(BASE))), "events") == []


def test_two_quotes_of_one_domain_differ_in_nothing_but_their_report_data() -> None:
    """QV-26: what was measured does not move with what was reported."""
    one, other = (judge(simulated_case(simulate(tdx_recipe(AT, held)))) for held in (b"one", b"other"))
    moved = {name for name, value in one.statement.members.items() if other.statement.members[name] != value}
    assert moved == {"tdx_report_data"}
    assert claim_values(one, "tdx_mrtd") == claim_values(other, "tdx_mrtd")

"""What must hold for every quote (attack case QV-26, method notes)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from assay.errors import EndorsementUnavailable
from assay.evidence import EVIDENCE_TYPES
from assay.simulator import Enclave, Recipe, find_knob, simulate
from assay.verdict import Outcome
from tests.appraisals import ANY_STATUS, AT, HELD, judge, policy_of, refusal, simulated_case, tcb_status
from tests.good_cases import good_case

ENCLAVE = Enclave()
_OF_REPORT_DATA = {"x-ms-sgx-report-data", "x-ms-sgx-collateral", "maa-attestationcollateral"}


@settings(max_examples=25, deadline=None)
@given(first=st.binary(min_size=64, max_size=64), second=st.binary(min_size=64, max_size=64))
def test_the_measurements_do_not_move_with_the_report_data(first: bytes, second: bytes) -> None:
    results = [
        judge(simulated_case(simulate(Recipe(AT, enclave=replace(ENCLAVE, report_data=data)))))
        for data in (first, second)
    ]
    one, other = (result.statement.members for result in results)
    assert (one["x-ms-sgx-report-data"], other["x-ms-sgx-report-data"]) == (first.hex(), second.hex())
    assert {k: v for k, v in one.items() if k not in _OF_REPORT_DATA} == {
        k: v for k, v in other.items() if k not in _OF_REPORT_DATA
    }
    verdicts = [[(entry.check.name, entry.outcome) for entry in result.verdict] for result in results]
    assert verdicts[0] == verdicts[1]


@settings(max_examples=25, deadline=None)
@given(
    mr_enclave=st.binary(min_size=32, max_size=32),
    mr_signer=st.binary(min_size=32, max_size=32),
    isv_prod_id=st.integers(0, 0xFFFF),
    isv_svn=st.integers(0, 0xFFFF),
    held=st.binary(min_size=1, max_size=200),
)
def test_what_was_minted_is_what_is_claimed(
    mr_enclave: bytes, mr_signer: bytes, isv_prod_id: int, isv_svn: int, held: bytes
) -> None:
    enclave = Enclave(mr_enclave, mr_signer, isv_prod_id, isv_svn)
    members = judge(simulated_case(simulate(Recipe(AT, held, enclave=enclave)))).statement.members
    assert members["x-ms-sgx-mrenclave"] == mr_enclave.hex()
    assert members["x-ms-sgx-mrsigner"] == mr_signer.hex()
    assert (members["x-ms-sgx-product-id"], members["x-ms-sgx-svn"]) == (isv_prod_id, isv_svn)


@settings(max_examples=40, deadline=None)
@given(order=st.permutations([-40, -2, -1, 0, 1, 28, 29, 30, 400]))
def test_the_verdict_depends_on_the_instant_and_not_on_what_was_judged_before(order: list[int]) -> None:
    case = simulated_case(simulate(Recipe(AT, HELD)))
    for days in order:
        moved = replace(case, at=AT + timedelta(days=days))
        if -1 <= days <= 29:
            assert tcb_status(judge(moved)) == "UpToDate"
        else:
            assert refusal(moved)[1].check.name == "root_crl.validity"


def test_an_accepted_verdict_lists_every_declared_check_in_its_order() -> None:
    for kind in EVIDENCE_TYPES:
        verdict = judge(good_case(kind), policy=policy_of(kind)).verdict
        declared = [check.name for check in kind.checks]
        assert [entry.check.name for entry in verdict] == [*declared, "policy.authorization"]
        assert {entry.outcome for entry in verdict} == {Outcome.PASSED, Outcome.NOT_APPLICABLE}


def test_a_refusing_verdict_has_passed_checks_one_decisive_and_the_rest_not_reached() -> None:
    case = simulated_case(find_knob("tcb-info-expired").apply(Recipe(AT, HELD)))
    error, decisive = refusal(case, ANY_STATUS)
    assert error.verdict is not None
    place = error.verdict.entries.index(decisive)
    before, after = error.verdict.entries[:place], error.verdict.entries[place + 1 :]
    assert {entry.outcome for entry in before} <= {Outcome.PASSED, Outcome.NOT_APPLICABLE}
    assert {entry.outcome for entry in after} == {Outcome.NOT_REACHED}
    names = [entry.check.name for entry in error.verdict]
    assert names == [*(check.name for check in case.kind.checks), "policy.authorization"][: len(names)]


def test_names_and_codes_of_checks_are_unique() -> None:
    for kind in EVIDENCE_TYPES:
        assert len({check.name for check in kind.checks}) == len(kind.checks)
        # Several checks may miss a document: that is one code for programs, which try again. The boot of a machine that
        # was resumed has the checks of its last moment once more, with their codes, under names of its own.
        own = [check for check in kind.checks if not check.name.startswith("boot_")]
        codes = [check.code for check in own if check.code != EndorsementUnavailable.code]
        assert len(set(codes)) == len(codes)
        assert all(check.reference and check.remedy for check in kind.checks)

"""Attack cases of Intel's documents that no single knob shows: missing, stale, mixed, and at the edges of their windows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from assay.endorsements.documents import Document, DocumentKind
from assay.errors import EndorsementUnavailable, OutsideValidity
from assay.evidence.base import PlatformRules
from assay.simulator import (
    HIERARCHY,
    Documents,
    EnclaveIdentity,
    Recipe,
    RevocationList,
    Signing,
    TcbInfo,
    TcbLevel,
    Window,
    find_knob,
    forge_hierarchy,
    mint_qe_identity,
    mint_root_crl,
    simulate,
)
from assay.simulator.intel.certificates import serial_number
from assay.simulator.intel.hierarchy import TCB_SIGNING
from assay.simulator.intel.tcb_info import LEVELS
from assay.simulator.knobs.tcb import short_by_one
from tests.appraisals import (
    ANY_STATUS,
    AT,
    FILES,
    HELD,
    Case,
    claim_values,
    failing_check,
    judge,
    refusal,
    simulated_case,
    tcb_status,
)

BASE = Recipe(AT, HELD)
SECOND = timedelta(seconds=1)


def case_of(documents: Documents) -> Case:
    return simulated_case(simulate(replace(BASE, documents=documents)))


@pytest.fixture
def control() -> Case:
    case = simulated_case(simulate(BASE))
    assert tcb_status(judge(case)) == "UpToDate"
    return case


def identity_under(tcb_signing: object, **changes: object) -> Document:
    """A good QE identity whose signer differs from that of the TCB info, under the same root."""
    hierarchy = replace(HIERARCHY, tcb_signing=tcb_signing)  # type: ignore[arg-type]
    body = mint_qe_identity(replace(EnclaveIdentity(), **changes), AT, hierarchy)  # type: ignore[arg-type]
    return Document(DocumentKind.INTEL_QE_IDENTITY, body, hierarchy.tcb_signing_chain())


OTHER_SIGNER = replace(TCB_SIGNING, key="second tcb signing")


def test_an_identity_under_another_good_signer_is_accepted(control: Case) -> None:
    assert tcb_status(judge(control.having(identity_under(OTHER_SIGNER)))) == "UpToDate"


def test_an_identity_whose_signer_alone_is_revoked_is_refused(control: Case) -> None:
    body = mint_root_crl(RevocationList(revoked=(serial_number(OTHER_SIGNER),)), AT, HIERARCHY)
    revoking = control.having(Document(DocumentKind.INTEL_ROOT_CRL, body))
    assert tcb_status(judge(revoking)) == "UpToDate"
    assert failing_check(revoking.having(identity_under(OTHER_SIGNER))) == "qe_identity_chain.revocation"


def test_an_identity_whose_signer_alone_expired_is_refused(control: Case) -> None:
    expired = replace(OTHER_SIGNER, not_after=AT - SECOND)
    assert failing_check(control.having(identity_under(expired))) == "qe_identity_chain.validity"


def test_an_identity_whose_chain_alone_is_forged_is_refused(control: Case) -> None:
    forged = forge_hierarchy()
    body = mint_qe_identity(EnclaveIdentity(), AT, forged)
    document = Document(DocumentKind.INTEL_QE_IDENTITY, body, forged.tcb_signing_chain())
    assert failing_check(control.having(document)) == "qe_identity_chain.trust"


def test_an_identity_whose_chain_alone_is_signed_by_another_key_is_refused(control: Case) -> None:
    document = identity_under(replace(OTHER_SIGNER, signed_by="another root"))
    assert failing_check(control.having(document)) == "qe_identity_chain.trust"


def test_a_better_status_written_into_a_signed_tcb_info_is_refused() -> None:
    levels = (replace(LEVELS[0], status="OutOfDate"), *LEVELS[1:])
    honest = TcbInfo(levels=levels)
    assert tcb_status(judge(case_of(Documents(honest)), ANY_STATUS)) == "OutOfDate"
    edited = replace(honest, signing=Signing(edits_after=(('"OutOfDate"', '"UpToDate"'),)))
    assert failing_check(case_of(Documents(edited)), ANY_STATUS) == "tcb_info.signature"


@pytest.mark.parametrize("kind", FILES, ids=lambda kind: kind.value)
def test_a_missing_document_is_named_and_nothing_is_decided(kind: DocumentKind, control: Case) -> None:
    error, decisive = refusal(control.without(kind), ANY_STATUS)
    assert isinstance(error, EndorsementUnavailable)
    assert decisive.check.name == "endorsements.available"
    assert len(error.documents) == 1
    assert FILES[kind] in error.documents[0]


def test_every_missing_document_is_named_at_once(control: Case) -> None:
    error, _ = refusal(control.without(*FILES))
    assert isinstance(error, EndorsementUnavailable)
    assert [name for name in FILES.values() if name in error.message] == list(FILES.values())


@pytest.mark.parametrize("kind", [DocumentKind.INTEL_ROOT_CRL, DocumentKind.INTEL_PCK_CRL], ids=lambda kind: kind.value)
def test_the_unsafe_option_tolerates_a_missing_revocation_list_and_never_a_bad_one(
    kind: DocumentKind, control: Case
) -> None:
    assert tcb_status(judge(control.without(kind), unsafe_no_revocation=True)) == "UpToDate"
    with pytest.raises(Exception, match="CRL") as caught:
        judge(control.having(Document(kind, b"not a list")), unsafe_no_revocation=True)
    assert caught.value.verdict.decisive.check.name.endswith("_crl.form")  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", [DocumentKind.INTEL_TCB_INFO, DocumentKind.INTEL_QE_IDENTITY], ids=lambda k: k.value)
def test_the_unsafe_option_tolerates_no_other_missing_document(kind: DocumentKind, control: Case) -> None:
    with pytest.raises(EndorsementUnavailable):
        judge(control.without(kind), unsafe_no_revocation=True)


_NARROW = Window(timedelta(hours=1), timedelta(hours=1))
_WINDOWED = {
    "tcb_info.validity": Documents(tcb_info=TcbInfo(window=_NARROW)),
    "qe_identity.validity": Documents(qe_identity=EnclaveIdentity(window=_NARROW)),
    "pck_crl.validity": Documents(pck_crl=RevocationList(window=_NARROW)),
    "root_crl.validity": Documents(root_ca_crl=RevocationList(window=_NARROW)),
}


@pytest.mark.parametrize(("check", "documents"), _WINDOWED.items(), ids=_WINDOWED)
def test_both_ends_of_a_window_are_inside_and_a_second_more_is_outside(check: str, documents: Documents) -> None:
    case = case_of(documents)
    for inside in (AT - _NARROW.before, AT, AT + _NARROW.after):
        assert tcb_status(judge(replace(case, at=inside))) == "UpToDate"
    # The same evidence and documents passed a moment ago: what is remembered must not outlive its window.
    for outside in (AT - _NARROW.before - SECOND, AT + _NARROW.after + SECOND):
        error, decisive = refusal(replace(case, at=outside))
        assert isinstance(error, OutsideValidity)
        assert decisive.check.name == check


@pytest.mark.parametrize("component", range(1, 17))
def test_one_short_component_is_enough_to_miss_a_level(component: int) -> None:
    platform = BASE.machine.platform
    components = list(platform.components)
    components[component - 1] -= 1
    lowered = replace(BASE, machine=replace(BASE.machine, platform=replace(platform, components=tuple(components))))
    levels = (LEVELS[0], TcbLevel((0,) * 16, 0, "OutOfDate"))
    recipe = replace(lowered, documents=Documents(TcbInfo(levels=levels)))
    if components[component - 1] < 0:
        recipe = short_by_one(component)(BASE)
    assert tcb_status(judge(simulated_case(simulate(recipe)), ANY_STATUS)) == "OutOfDate"


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1), (1, 3, 0, 2)])
def test_the_order_of_levels_in_the_document_does_not_choose_among_them(order: tuple[int, ...]) -> None:
    levels = tuple(LEVELS[place] for place in order)
    assert tcb_status(judge(case_of(Documents(TcbInfo(levels=levels))))) == "UpToDate"


def test_a_level_for_another_component_list_is_not_reached_by_a_high_sum() -> None:
    # One component asks for 255, the others for nothing: a platform with a higher sum does not reach it.
    levels = (TcbLevel((0,) * 15 + (255,), 0, "UpToDate"), TcbLevel((0,) * 16, 0, "OutOfDate"))
    assert tcb_status(judge(case_of(Documents(TcbInfo(levels=levels))), ANY_STATUS)) == "OutOfDate"


def test_the_worst_status_wins_and_the_advisories_are_joined() -> None:
    case = simulated_case(find_knob("qe-out-of-date-hardening").apply(BASE))
    result = judge(case, ANY_STATUS)
    assert tcb_status(result) == "OutOfDate"
    assert claim_values(result, "attester_advisory_ids") == ["ASSAY-SA-00001", "ASSAY-SA-00004"]


@pytest.mark.parametrize("status", ["SWHardeningNeeded", "ConfigurationNeeded", "ConfigurationAndSWHardeningNeeded"])
def test_a_status_that_the_defaults_name_is_accepted_with_its_advisories(status: str) -> None:
    levels = (replace(LEVELS[0], status=status, advisory_ids=("ASSAY-SA-00007",)), *LEVELS[1:])
    result = judge(case_of(Documents(TcbInfo(levels=levels))), PlatformRules(strict=True))
    assert tcb_status(result) == status
    assert claim_values(result, "attester_advisory_ids") == ["ASSAY-SA-00007"]

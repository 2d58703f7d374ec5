"""A fault inside any check is never an acceptance (attack case KR-14)."""

from __future__ import annotations

from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from assay.endorsements.anchors import trust_anchors
from assay.evidence import EVIDENCE_TYPES
from tests.appraisals import Case, judge, policy_of
from tests.good_cases import good_case

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assay.evidence.base import AnyEvidenceType
    from assay.verdict import AnyCheck, Seen


class Fault(RuntimeError):
    """What a bug inside a check would raise."""


def fail(*_: object) -> Seen:
    raise Fault


def unremembered_case(kind: AnyEvidenceType, check: str = "") -> Case:
    """Good evidence of the type, under anchors of its own so that nothing about it is remembered."""
    return replace(good_case(kind, check), anchors=trust_anchors(allow_simulator=True))


@contextmanager
def broken(check: AnyCheck) -> Iterator[None]:
    """Every check with this test fails to run: one type's checks stand in another under names of their own."""
    test = check.test
    same = {one for kind in EVIDENCE_TYPES for one in kind.checks if one.test is test}
    for one in same:
        object.__setattr__(one, "test", fail)
    try:
        yield
    finally:
        for one in same:
            object.__setattr__(one, "test", test)


DECLARED = [(kind, check) for kind in EVIDENCE_TYPES for check in kind.checks if check.name != "evidence.form"]


@pytest.mark.parametrize(("kind", "check"), DECLARED, ids=[f"{k.name}-{c.name}" for k, c in DECLARED])
def test_a_fault_inside_a_check_is_never_an_acceptance(kind: AnyEvidenceType, check: AnyCheck) -> None:
    case = unremembered_case(kind, check.name)
    with broken(check), pytest.raises(Fault):
        judge(case, policy=policy_of(kind))
    # Nothing half-written is remembered: the same grounds accept the evidence once the fault is gone.
    assert judge(case, policy=policy_of(kind)).verdict.decisive is None


@pytest.mark.parametrize("step", ["parse", "verify", "claims"])
@pytest.mark.parametrize("kind", EVIDENCE_TYPES, ids=lambda kind: kind.name)
def test_a_fault_inside_a_step_is_never_an_acceptance(kind: AnyEvidenceType, step: str) -> None:
    case = unremembered_case(kind)
    faulty = copy(kind)
    object.__setattr__(faulty, step, fail)
    with pytest.raises(Fault):
        judge(replace(case, kind=faulty), policy=policy_of(kind))

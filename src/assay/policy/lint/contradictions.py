"""Conditions that contradict themselves, whatever claims there are."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Final

from assay.claims import Issuer, ValueType, value_type
from assay.policy.lint import findings
from assay.policy.lint.domains import is_satisfiable, literal_of, satisfies
from assay.policy.lint.findings import Finding
from assay.policy.lint.wording import consequence, nearest, of_types, shown, spelled
from assay.policy.syntax import Property

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assay.policy.lint.knowledge import StudiedRule
    from assay.policy.lint.places import ConditionPlace
    from assay.policy.lint.study import Study
    from assay.policy.syntax import Condition

_APART: Final = "tests in one pair of brackets are about one claim: for two claims write two conditions joined with &&"
_TYPED: Final = "compare it with a string in quotes"


def find_contradictions(study: Study) -> Iterator[Finding]:
    """Conditions whose tests no claim passes, and negations that an earlier rule defeats."""
    for studied in study.rules:
        for condition, place in zip(studied.rule.conditions, studied.place.conditions, strict=True):
            if not is_satisfiable(condition.tests):
                yield _contradiction(studied, condition, place)
            elif condition.negated:
                yield from _defeated(studied, condition, place)


def _contradiction(studied: StudiedRule, condition: Condition, place: ConditionPlace) -> Finding:
    tests, end = condition.tests, consequence(studied.rule, condition)
    for index, test in enumerate(tests):
        if not is_satisfiable([test]):
            return _impossible(studied, condition, index, place)
    for (_, left), (index, right) in combinations(enumerate(tests), 2):
        if not is_satisfiable([left, right]):
            message = f"'{spelled(left)}' and '{spelled(right)}' never hold for one claim{end}"
            return Finding(findings.NEVER_HOLDS, place.tests[index].span, message, _APART)
    return Finding(findings.NEVER_HOLDS, place.span, f"no claim passes all of these tests{end}", _APART)


def _impossible(studied: StudiedRule, condition: Condition, index: int, place: ConditionPlace) -> Finding:
    """A test that fails by itself: of a property other than the value, or an order beyond 64 bits."""
    test, span, end = condition.tests[index], place.tests[index].span, consequence(studied.rule, condition)
    literal = literal_of(test)
    if test.property is Property.VALUE or literal is None:
        message = f"'{spelled(test)}' never holds{end}"
        return Finding(findings.NEVER_HOLDS, span, message, "claims hold 64-bit Integers; state a bound within them")
    if not isinstance(literal, str):
        found = of_types([value_type(literal)])
        message = f"a claim's {test.property.value} is a String and is compared with {found}{end}"
        return Finding(findings.TYPE_MISMATCH, span, message, _TYPED)
    choices = [kind.value for kind in (Issuer if test.property is Property.ISSUER else ValueType)]
    message = f"no claim has the {test.property.value} {shown(literal)}{end}"
    return Finding(findings.NEVER_HOLDS, span, message, f"write one of {', '.join(choices)}{nearest(literal, choices)}")


def _defeated(studied: StudiedRule, condition: Condition, place: ConditionPlace) -> Iterator[Finding]:
    for claim in studied.before.certain:
        if satisfies(claim, condition.tests):
            message = f"an earlier rule always makes the claim {claim.type}, so this negation never holds"
            remedy = "put this rule before the one that makes the claim, or leave it out"
            yield Finding(findings.NEVER_HOLDS, place.span, message, remedy)
            return

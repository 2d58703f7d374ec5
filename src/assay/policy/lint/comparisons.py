"""Comparisons that the named claim can never pass, or always passes, for its type and form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assay.claims import ValueType, value_type
from assay.policy.lint import findings
from assay.policy.lint.domains import Domain, is_satisfiable, literal_of, name_of
from assay.policy.lint.findings import Finding
from assay.policy.lint.knowledge import domains_of
from assay.policy.lint.wording import consequence, nearest, of_types, shown, spelled
from assay.policy.syntax import ORDERINGS, Comparison, Property, PropertyTest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from assay.claims import ClaimValue
    from assay.policy.lint.knowledge import StudiedRule
    from assay.policy.lint.places import ConditionPlace, TestPlace
    from assay.policy.lint.study import Study
    from assay.policy.syntax import Condition

_OPPOSITE: Final = {
    Comparison.EQUAL: Comparison.NOT_EQUAL,
    Comparison.NOT_EQUAL: Comparison.EQUAL,
    Comparison.LESS: Comparison.GREATER_OR_EQUAL,
    Comparison.LESS_OR_EQUAL: Comparison.GREATER,
    Comparison.GREATER: Comparison.LESS_OR_EQUAL,
    Comparison.GREATER_OR_EQUAL: Comparison.LESS,
}
_WRITTEN: Final = {
    ValueType.STRING: "write a string in quotes",
    ValueType.INTEGER: "write an integer without quotes",
    ValueType.BOOLEAN: "write true or false without quotes",
}


def find_comparisons(study: Study) -> Iterator[Finding]:
    """Comparisons across types, with values in a form that the claim never has, and tests that exclude nothing."""
    for studied in study.rules:
        for condition, place in zip(studied.rule.conditions, studied.place.conditions, strict=True):
            domains = domains_of(condition, studied.before, study.vocabulary)
            if domains and is_satisfiable(condition.tests):
                of_service = name_of(condition.tests) in study.vocabulary.claims
                yield from _Compared(studied, condition, place, domains, of_service=of_service).findings()


class _Compared:
    """One condition on a claim whose possible values are known."""

    __slots__ = ("_condition", "_domains", "_end", "_name", "_of_service", "_place", "_types")

    def __init__(
        self,
        studied: StudiedRule,
        condition: Condition,
        place: ConditionPlace,
        domains: Sequence[Domain],
        *,
        of_service: bool,
    ) -> None:
        self._condition, self._place, self._domains = condition, place, domains
        self._name, self._of_service = name_of(condition.tests) or "", of_service
        self._end = consequence(studied.rule, condition)
        self._types = frozenset(kind for domain in domains for kind in domain.types)

    def findings(self) -> Iterator[Finding]:
        """Findings test by test, else one for the tests together."""
        failing = False
        for test, place in zip(self._condition.tests, self._place.tests, strict=True):
            literal = literal_of(test)
            if test.property not in {Property.VALUE, Property.VALUE_TYPE} or literal is None:
                continue
            finding = self._of_test(test, literal, place)
            if finding is not None:
                failing = failing or finding.kind is not findings.ALWAYS_HOLDS
                yield finding
        if not failing and not self._is_possible(self._condition.tests):
            message = f"no value of {self._name} passes all of these tests{self._end}"
            yield Finding(findings.NEVER_HOLDS, self._place.span, message, "loosen one of the tests")

    def _of_test(self, test: PropertyTest, literal: ClaimValue, place: TestPlace) -> Finding | None:
        if test.property is Property.VALUE and not self._is_comparable(test, literal):
            return self._mismatch(test, literal, place)
        if not self._is_possible([test]):
            return self._impossible(test, literal, place)
        opposite = PropertyTest(test.property, _OPPOSITE[test.comparison], test.expression)
        if test.comparison is not Comparison.EQUAL and not self._is_possible([opposite]):
            message = f"'{spelled(test)}' holds for every {self._name}"
            remedy = "state the value that is really required, or leave the test out"
            return Finding(findings.ALWAYS_HOLDS, place.span, message, remedy)
        return None

    def _is_possible(self, tests: Sequence[PropertyTest]) -> bool:
        return any(is_satisfiable(tests, domain) for domain in self._domains)

    def _is_comparable(self, test: PropertyTest, literal: ClaimValue) -> bool:
        needed = ValueType.INTEGER if test.comparison in ORDERINGS else value_type(literal)
        return needed in self._types

    def _mismatch(self, test: PropertyTest, literal: ClaimValue, place: TestPlace) -> Finding:
        found = of_types([value_type(literal)])
        end = ", so the test always holds" if test.comparison is Comparison.NOT_EQUAL else self._end
        message = f"{self._name} is {of_types(self._types)} and is compared with {found}{end}"
        remedy = " or ".join(_WRITTEN[kind] for kind in ValueType if kind in self._types)
        return Finding(findings.TYPE_MISMATCH, place.expression.span, message, remedy)

    def _impossible(self, test: PropertyTest, literal: ClaimValue, place: TestPlace) -> Finding:
        digits = {domain.hex_digits for domain in self._domains}
        known = [str(value) for domain in self._domains for _, value in sorted(domain.values or (), key=str)]
        span = place.expression.span
        if isinstance(literal, str) and None not in digits:
            form = " or ".join(f"{count} lower-case hexadecimal digits" for count in sorted(digits, key=str))
            message = f"{self._name} is {form}, never {shown(literal)}{self._end}"
            is_case = any(domain.admits(literal.lower()) for domain in self._domains)
            return Finding(findings.VALUE_FORM, span, message, _of_hex(literal, is_case=is_case))
        if known:
            kind = findings.VALUE_FORM if self._of_service else findings.NEVER_HOLDS
            message = f"{self._name} is never {shown(literal)}{self._end}"
            remedy = f"it is one of {', '.join(known)}{nearest(str(literal), known)}"
            return Finding(kind, span, message, remedy)
        message = f"no value of {self._name} passes '{spelled(test)}'{self._end}"
        return Finding(findings.NEVER_HOLDS, place.span, message, "loosen the test")


def _of_hex(literal: str, *, is_case: bool) -> str:
    if is_case:
        return "write the digits in lower case"
    return f"copy the value from evidence that verified; this one has {len(literal)} characters"

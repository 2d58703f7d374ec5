"""Claims whose type or value type is computed too (policy-language section 5.3).

Assignments that use the identifier of `value=` are taken claim by claim; any other must denote exactly one value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NoReturn

from assay.claims import Claim, ClaimValue, Issuer, value_type
from assay.errors import PolicyEvaluationError
from assay.policy.matching import Matched
from assay.policy.syntax import Expression, Literal, MadeClaim, Reference
from assay.policy.values import READ

if TYPE_CHECKING:
    from assay.policy.working_set import Run

# An assignment's values, one for each claim to make, given what the rule matched and how many there are.
_Column = Callable[[Matched, int], Sequence[ClaimValue]]


def compile_making(
    made: MadeClaim, positions: Mapping[str, int], place: str
) -> Callable[[Run, Matched], Iterable[Claim]]:
    """A function that makes the claims of one action; it raises `PolicyEvaluationError`, which names `place`."""
    driver = made.value.identifier if isinstance(made.value, Reference) else None
    names_of, values_of = (_compile_column(part, driver, positions, place) for part in (made.type, made.value))
    stated_of = None if made.value_type is None else _compile_column(made.value_type, driver, positions, place)

    def make(run: Run, matched: Matched) -> Iterable[Claim]:
        run.spend(sum(map(len, matched)))
        count = 1 if driver is None else len(matched[positions[driver]])
        names, values = names_of(matched, count), values_of(matched, count)
        found = [value_type(value).value for value in values]
        if stated_of is not None and list(stated_of(matched, count)) != found:
            _fail("'valueType=' does not agree with the value", place)
        return [Claim(_string(name, place), value, Issuer.POLICY) for name, value in zip(names, values, strict=True)]

    return make


def _compile_column(expression: Expression, driver: str | None, positions: Mapping[str, int], place: str) -> _Column:
    if isinstance(expression, Literal):
        return lambda _matched, count: (expression.value,) * count
    position, read = positions[expression.identifier], READ[expression.property]
    if expression.identifier == driver:
        return lambda matched, _count: [read(claim) for claim in matched[position]]

    def scalar(matched: Matched, count: int) -> Sequence[ClaimValue]:
        values = {(value.__class__, value): value for value in map(read, matched[position])}
        if len(values) != 1:
            _fail(f"'{expression.identifier}.{expression.property.value}' is {len(values)} values, not one", place)
        return tuple(values.values()) * count

    return scalar


def _string(value: ClaimValue, place: str) -> str:
    if not isinstance(value, str):
        _fail("'type=' is not a String", place)
    return value


def _fail(problem: str, place: str) -> NoReturn:
    raise PolicyEvaluationError(f"Policy Engine Exception: {problem}. Rule at {place}")

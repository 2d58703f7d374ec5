"""Claims whose parts are computed (policy-language section 5.3).

An action makes one claim for each value of `value=`, and none when there is none. Assignments that use the identifier
of `value=` itself are taken claim by claim; any other must denote exactly one value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from assay.claims import Claim, ClaimValue, Issuer, value_type
from assay.policy.computing import Bound, Compute, Matched, compile_expression
from assay.policy.rule_failed import RuleFailed
from assay.policy.syntax import Call, Expression, Literal, MadeClaim, Property, Reference
from assay.policy.values import READ, ValueSet
from assay.policy.working_set import Run

# An assignment's values, one for each claim to make, given how many those are.
_Column = Callable[[Run, Matched, int], ValueSet]


def compile_making(made: MadeClaim, positions: Mapping[str, int]) -> Callable[[Run, Matched], Sequence[Claim]]:
    """A function that makes the claims of one action; it raises `RuleFailed`."""
    driver = made.value if isinstance(made.value, Reference) else None
    values_of = compile_expression(made.value, positions) if driver is None else _compile_pairs(driver, positions)
    names_of = _compile_column(made.type, driver, positions)
    stated_of = None if made.value_type is None else _compile_column(made.value_type, driver, positions)

    def make(run: Run, matched: Matched) -> Sequence[Claim]:
        run.spend(sum(map(len, matched)))
        values, read_only = values_of(run, matched)
        if not values:
            return ()
        names, is_name_read_only = names_of(run, matched, len(values))
        if stated_of is not None:
            _check_value_types(stated_of(run, matched, len(values)).elements, values)
        claims = [Claim(_string(name), value, Issuer.POLICY) for name, value in zip(names, values, strict=True)]
        if read_only or is_name_read_only:
            run.mark_read_only(claims)
        return claims

    return make


def _compile_pairs(reference: Reference, positions: Mapping[str, int]) -> Compute:
    """The values of a reference claim by claim, so that equal ones repeat."""
    position, read = positions[reference.identifier], READ[reference.property]
    is_value = reference.property is Property.VALUE

    def pairs(run: Run, bound: Bound) -> ValueSet:
        claims = bound[position]
        return ValueSet(tuple(map(read, claims)), is_value and run.is_read_only(claims))

    return pairs


def _compile_column(expression: Expression, driver: Reference | None, positions: Mapping[str, int]) -> _Column:
    if driver is not None and isinstance(expression, Reference) and expression.identifier == driver.identifier:
        pairs = _compile_pairs(expression, positions)
        return lambda run, matched, _count: pairs(run, matched)
    compute = compile_expression(expression, positions)

    def scalar(run: Run, matched: Matched, count: int) -> ValueSet:
        values, read_only = compute(run, matched)
        if len(values) != 1:
            raise RuleFailed(f"'{_shown(expression)}' is {len(values)} values, not one")
        return ValueSet(values * count, read_only)

    return scalar


def _shown(expression: Expression) -> str:
    match expression:
        case Reference(identifier, property_of):
            return f"{identifier}.{property_of.value}"
        case Call(function):
            return f"{function.value}(...)"
        case Literal(value):
            return str(value)


def _check_value_types(stated: Iterable[ClaimValue], values: Iterable[ClaimValue]) -> None:
    if list(stated) != [value_type(value).value for value in values]:
        raise RuleFailed("'valueType=' does not agree with the value")


def _string(value: ClaimValue) -> str:
    if not isinstance(value, str):
        raise RuleFailed("'type=' is not a String")
    return value

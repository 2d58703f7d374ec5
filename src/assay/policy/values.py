"""Values of the language: value sets, how claims are read, how two values compare (policy-language 4, 5.2)."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from assay.claims import Claim, ClaimValue
from assay.policy.syntax import Comparison, Property


class ValueSet(NamedTuple):
    """What an expression denotes: values in order, without duplicates by type and value.

    `read_only` values may be tested, and must not be issued.
    """

    elements: tuple[ClaimValue, ...]
    read_only: bool = False


def distinct(values: Iterable[ClaimValue]) -> tuple[ClaimValue, ...]:
    """The values without duplicates; `1`, `true` and `"1"` are three."""
    return tuple({(value.__class__, value): value for value in values}.values())


Read = Callable[[Claim], ClaimValue]
Compare = Callable[[ClaimValue, ClaimValue], bool]


def is_same(left: ClaimValue, right: ClaimValue) -> bool:
    """Equal and of one type: in Python `True == 1`, in the language not."""
    return left == right and left.__class__ is right.__class__


def _differs(left: ClaimValue, right: ClaimValue) -> bool:
    return not is_same(left, right)


def _ordering(compare: Callable[[int, int], bool]) -> Compare:
    """An order of Integers that is false where either side is not an Integer (reading Q7)."""

    def ordered(left: ClaimValue, right: ClaimValue) -> bool:
        if isinstance(left, int) and isinstance(right, int) and bool not in (left.__class__, right.__class__):
            return compare(left, right)
        return False

    return ordered


READ: Final[dict[Property, Read]] = {
    Property.TYPE: operator.attrgetter("type"),
    Property.VALUE: operator.attrgetter("value"),
    Property.VALUE_TYPE: lambda claim: claim.value_type.value,
    Property.ISSUER: lambda claim: claim.issuer.value,
}

COMPARE: Final[dict[Comparison, Compare]] = {
    Comparison.EQUAL: is_same,
    Comparison.NOT_EQUAL: _differs,
    Comparison.LESS: _ordering(operator.lt),
    Comparison.LESS_OR_EQUAL: _ordering(operator.le),
    Comparison.GREATER: _ordering(operator.gt),
    Comparison.GREATER_OR_EQUAL: _ordering(operator.ge),
}

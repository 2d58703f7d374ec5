"""Whether any claim can satisfy tests: decided exactly, on the few claims that could tell the tests apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from assay.claims import Claim, ClaimValue, Issuer, ValueType, value_type
from assay.policy.lint.vocabulary import KnownClaim
from assay.policy.syntax import Literal, Property, PropertyTest
from assay.policy.values import COMPARE, READ

_ALL_TYPES: Final = frozenset(ValueType)
_LEAST, _MOST = -(1 << 63), (1 << 63) - 1
# A text that no policy has: it stands for every text that the tests do not name.
_OTHER: Final = "\0other"
_HEX: Final = re.compile(r"[0-9a-f]+\Z")


@dataclass(frozen=True, slots=True)
class Domain:
    """What values a claim may have: of these types, and only `values` where they are known."""

    types: frozenset[ValueType] = _ALL_TYPES
    values: frozenset[tuple[ValueType, ClaimValue]] | None = None
    hex_digits: int | None = None
    least: int = _LEAST

    @classmethod
    def of(cls, known: KnownClaim) -> Domain:
        """The values of a service's claim."""
        values = frozenset((ValueType.STRING, value) for value in known.values) or None
        least = 0 if known.value_type is ValueType.INTEGER else _LEAST
        return cls(frozenset({known.value_type}), values, known.hex_digits, least)

    def admits(self, value: ClaimValue) -> bool:
        """Whether a claim of this domain may have the value."""
        kind = value_type(value)
        if kind not in self.types or (self.values is not None and (kind, value) not in self.values):
            return False
        if kind is ValueType.STRING and self.hex_digits is not None:
            return value == _OTHER or (len(str(value)) == self.hex_digits and bool(_HEX.match(str(value))))
        return kind is not ValueType.INTEGER or value >= self.least  # type: ignore[operator]  # an Integer is an int

    def candidates(self, literals: Iterable[ClaimValue]) -> list[ClaimValue]:
        """Values among which, if any value satisfies tests against these literals, one does.

        Beside the literals: both Booleans, a text not named, and the neighbours of each Integer, since the Integers
        that satisfy orders and inequalities, if there are any, include a neighbour of a bound or of an exception.
        """
        known = [value for _, value in self.values or ()]
        near = [n for one in literals if type(one) is int for n in (one - 1, one + 1) if _LEAST <= n <= _MOST]
        found = [*literals, *known, *near, True, False, _OTHER, max(0, self.least)]
        return [value for value in found if self.admits(value)]


ANYTHING: Final = Domain()


def literal_of(test: PropertyTest) -> ClaimValue | None:
    """The constant of a test against one."""
    return test.expression.value if isinstance(test.expression, Literal) else None


def is_satisfiable(tests: Sequence[PropertyTest], domain: Domain = ANYTHING) -> bool:
    """Whether some claim with a value of the domain satisfies all tests; tests against other claims are left open."""
    constant = [test for test in tests if isinstance(test.expression, Literal)]
    types = [
        value for test in constant if test.property is Property.TYPE and isinstance(value := literal_of(test), str)
    ]
    values = [value for test in constant if test.property is Property.VALUE and (value := literal_of(test)) is not None]
    return (
        any(_satisfies(Claim(name, ""), constant, {Property.TYPE}) for name in (*types, _OTHER))
        and any(_satisfies(Claim("", "", issuer), constant, {Property.ISSUER}) for issuer in Issuer)
        and any(
            _satisfies(Claim("", value), constant, {Property.VALUE, Property.VALUE_TYPE})
            for value in domain.candidates(values)
        )
    )


def satisfies(claim: Claim, tests: Iterable[PropertyTest]) -> bool:
    """Whether a claim satisfies tests, all of them against constants."""
    return all(isinstance(test.expression, Literal) and _holds(claim, test) for test in tests)


def _satisfies(claim: Claim, tests: Iterable[PropertyTest], about: set[Property]) -> bool:
    return all(_holds(claim, test) for test in tests if test.property in about)


def _holds(claim: Claim, test: PropertyTest) -> bool:
    literal = literal_of(test)
    return literal is None or COMPARE[test.comparison](READ[test.property](claim), literal)


def issuers_of(tests: Iterable[PropertyTest]) -> frozenset[Issuer]:
    """The issuers whose claims the tests let through."""
    about = [test for test in tests if test.property is Property.ISSUER]
    return frozenset(issuer for issuer in Issuer if _satisfies(Claim("", "", issuer), about, {Property.ISSUER}))


def name_of(tests: Iterable[PropertyTest]) -> str | None:
    """The claim's name that the tests demand."""
    for test in tests:
        literal = literal_of(test)
        if test.property is Property.TYPE and test.comparison.value == "==" and isinstance(literal, str):
            return literal
    return None

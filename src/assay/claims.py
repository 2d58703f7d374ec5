"""Claims, the values a policy reads and issues (policy-language section 4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import NamedTuple

type_ = type
ClaimValue = str | int | bool


class Issuer(str, Enum):
    """Who made a claim."""

    SERVICE = "AttestationService"
    POLICY = "AttestationPolicy"
    CUSTOM = "CustomClaim"


class ValueType(str, Enum):
    """The type of a claim's value; in Python `True == 1`, so the type is part of a claim's identity."""

    STRING = "String"
    INTEGER = "Integer"
    BOOLEAN = "Boolean"


def value_type(value: ClaimValue) -> ValueType:
    """The language's type of a Python value; a bool is a Boolean, never an Integer."""
    if isinstance(value, bool):
        return ValueType.BOOLEAN
    return ValueType.INTEGER if isinstance(value, int) else ValueType.STRING


class Claim(NamedTuple):
    """One statement: type, value (String, 64-bit Integer or Boolean) and issuer.

    Two claims are equal when all four fields are, the value type among them. A named tuple, since every appraisal makes
    a score of them.
    """

    type: str
    value: ClaimValue
    issuer: Issuer = Issuer.SERVICE

    @property
    def value_type(self) -> ValueType:
        return value_type(self.value)

    @property
    def key(self) -> tuple[str, str, ClaimValue, str]:
        """What makes two claims the same claim."""
        return (self.type, type_(self.value).__name__, self.value, self.issuer)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Claim) and self.key == other.key

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.key)


# `Claim(...)` without the call of a Python function.
_new = tuple.__new__


class ClaimSet:
    """An insertion-ordered set of claims, immutable; adding a claim twice changes nothing (policy-language 4)."""

    __slots__ = ("_claims",)

    def __init__(self, claims: Iterable[Claim] = ()) -> None:
        self._claims: tuple[Claim, ...] = tuple(dict.fromkeys(claims))

    @classmethod
    def of_service(cls, values: Iterable[tuple[str, ClaimValue]]) -> ClaimSet:
        """Claims made by the service from evidence, given as (type, value) pairs without duplicates."""
        made = cls()
        made._claims = tuple([_new(Claim, (name, value, Issuer.SERVICE)) for name, value in values])
        return made

    def __iter__(self) -> Iterator[Claim]:
        return iter(self._claims)

    def __len__(self) -> int:
        return len(self._claims)

    def __contains__(self, claim: object) -> bool:
        return claim in self._claims

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ClaimSet) and self._claims == other._claims

    def __hash__(self) -> int:
        return hash(self._claims)

    def __repr__(self) -> str:
        return f"ClaimSet({list(self._claims)!r})"


# The properties that a policy's unconditional configuration rules set, by name (policy-language section 9).
Configuration = Mapping[str, ClaimValue]

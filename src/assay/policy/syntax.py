"""The syntax tree of a policy (policy-language section 3): frozen nodes, checked when they exist.

Version 1.2 adds one node to `Expression` (a function call) and one field to `Condition` (negation).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from assay.claims import ClaimValue


class Property(str, Enum):
    """A field of a claim."""

    TYPE = "type"
    VALUE = "value"
    VALUE_TYPE = "valueType"
    ISSUER = "issuer"


class Comparison(str, Enum):
    """An operator of a property test."""

    EQUAL = "=="
    NOT_EQUAL = "!="
    LESS = "<"
    LESS_OR_EQUAL = "<="
    GREATER = ">"
    GREATER_OR_EQUAL = ">="


ORDERINGS: Final = frozenset(
    {Comparison.LESS, Comparison.LESS_OR_EQUAL, Comparison.GREATER, Comparison.GREATER_OR_EQUAL}
)


class Section(str, Enum):
    """A section of a policy, by its keyword."""

    CONFIGURATION = "configurationrules"
    AUTHORIZATION = "authorizationrules"
    ISSUANCE = "issuancerules"


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant; integers are 64-bit signed."""

    value: ClaimValue


@dataclass(frozen=True, slots=True)
class Reference:
    """`identifier.property`; the identifier is bound by a condition of the same rule."""

    identifier: str
    property: Property


Expression = Literal | Reference


@dataclass(frozen=True, slots=True)
class PropertyTest:
    """`property comparison expression`; an order comparison never has a String or Boolean literal."""

    property: Property
    comparison: Comparison
    expression: Expression


@dataclass(frozen=True, slots=True)
class Condition:
    """`identifier:[tests]`, at least one test; the identifier may be absent."""

    identifier: str | None
    tests: tuple[PropertyTest, ...]


@dataclass(frozen=True, slots=True)
class CopiedClaim:
    """`claim = identifier`."""

    identifier: str


@dataclass(frozen=True, slots=True)
class MadeClaim:
    """`type = ..., value = ...`; a literal type is a String, a literal `value_type` names a value type."""

    type: Expression
    value: Expression
    value_type: Expression | None


ClaimArgument = CopiedClaim | MadeClaim


class Destination(str, Enum):
    """Where a claim goes, beside the incoming set; by the action's name."""

    INCOMING = "add"
    ISSUED = "issue"
    PROPERTIES = "issueproperty"


@dataclass(frozen=True, slots=True)
class Permit:
    """`permit()`."""


@dataclass(frozen=True, slots=True)
class Deny:
    """`deny()`."""


@dataclass(frozen=True, slots=True)
class Emit:
    """`add(...)`, `issue(...)` or `issueproperty(...)`."""

    destination: Destination
    claim: ClaimArgument


Action = Permit | Deny | Emit


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule with the place and the text it was read from."""

    section: Section
    conditions: tuple[Condition, ...]
    action: Action
    line: int
    source: str


@dataclass(frozen=True, slots=True)
class PolicySyntax:
    """A whole policy."""

    version: str
    configuration: tuple[Rule, ...]
    authorization: tuple[Rule, ...]
    issuance: tuple[Rule, ...]

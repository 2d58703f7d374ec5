"""The syntax tree of a policy (policy-language section 3): frozen nodes, checked when they exist."""

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


class Function(str, Enum):
    """A function of version 1.2, by its name; each takes `FUNCTION_ARGUMENTS` of its own."""

    JMES_PATH = "JmesPath"
    JSON_TO_CLAIM_VALUE = "JsonToClaimValue"
    IS_SUBSET_OF = "IsSubsetOf"
    APPEND_STRING = "AppendString"
    NEGATE_BOOL = "NegateBool"
    CONTAINS_ONLY_VALUE = "ContainsOnlyValue"


FUNCTION_ARGUMENTS: Final = {
    Function.JMES_PATH: 2,
    Function.JSON_TO_CLAIM_VALUE: 1,
    Function.IS_SUBSET_OF: 2,
    Function.APPEND_STRING: 2,
    Function.NEGATE_BOOL: 1,
    Function.CONTAINS_ONLY_VALUE: 2,
}


@dataclass(frozen=True, slots=True)
class Call:
    """`function(argument, ...)`, with as many arguments as the function takes; version 1.2."""

    function: Function
    arguments: tuple[Expression, ...]


Expression = Literal | Reference | Call


@dataclass(frozen=True, slots=True)
class PropertyTest:
    """`property comparison expression`; an order comparison never has a String or Boolean literal."""

    property: Property
    comparison: Comparison
    expression: Expression


@dataclass(frozen=True, slots=True)
class Condition:
    """`identifier:[tests]`, at least one test; the identifier may be absent.

    A negated one (`!`, version 1.2) holds when no claim satisfies it, and its identifier binds nothing. `source` is its
    text.
    """

    identifier: str | None
    tests: tuple[PropertyTest, ...]
    negated: bool = False
    source: str = ""


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


def has_functions(version: str) -> bool:
    """Whether a version has function calls, negated conditions and read-only claims (policy-language 14)."""
    return version == "1.2"


@dataclass(frozen=True, slots=True)
class PolicySyntax:
    """A whole policy."""

    version: str
    configuration: tuple[Rule, ...]
    authorization: tuple[Rule, ...]
    issuance: tuple[Rule, ...]

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rules in the order in which they run."""
        return (*self.configuration, *self.authorization, *self.issuance)

    @property
    def has_functions(self) -> bool:
        """As the function of this name, for this policy."""
        return has_functions(self.version)

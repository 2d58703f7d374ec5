"""What lint reports: kinds of findings, and findings at their place."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assay.policy.lint.places import Span


class Level(str, Enum):
    """A warning is probably a mistake; information is what a reviewer wants to know."""

    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of finding: its stable code, its level, and why it matters."""

    code: str
    level: Level
    explanation: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding: its kind, where it stands, what was seen there, and what to do about it."""

    kind: Kind
    span: Span
    message: str
    remedy: str


def _warning(code: str, explanation: str) -> Kind:
    return Kind(code, Level.WARNING, explanation)


def _info(code: str, explanation: str) -> Kind:
    return Kind(code, Level.INFO, explanation)


NEVER_HOLDS = _warning("never-holds", "A condition that no claim can satisfy keeps its rule from ever firing.")
TYPE_MISMATCH = _warning(
    "type-mismatch", "Values of different types are never equal and have no order (policy-language 5.2)."
)
VALUE_FORM = _warning(
    "value-form", "The service writes this claim in one form only; a value in another never equals it."
)
UNKNOWN_NAME = _warning(
    "unknown-name", "A condition on a claim that nobody makes does not hold; that is no error when the policy runs."
)
NOT_IN_VERSION = _warning(
    "not-in-version", "Some claims are there only under some versions of the language (policy-language 14)."
)
ALWAYS_HOLDS = _info("always-holds", "A test that excludes nothing protects from nothing.")
NO_TYPE = _warning(
    "no-type", "Each condition stands for itself: one without `type==` is satisfied by any claim, of any name."
)
ANY_ISSUER = _warning(
    "any-issuer",
    "Callers of this type send claims of their own (issuer CustomClaim), under any name, the service's names too.",
)
UNREACHABLE = _warning("unreachable", "The first deny that fires ends the evaluation (policy-language 5).")
NO_EFFECT = _warning("no-effect", "The result is the same without this rule.")
NEVER_PERMITS = _warning("never-permits", "Without a permit() that fires, attestation fails (policy-language 5).")
ALWAYS_PERMITS = _warning(
    "always-permits", "Every attester whose evidence verifies gets a token, debuggable and unknown ones among them."
)
DEBUG_PERMITTED = _info(
    "debug-permitted", "Anyone who runs a debuggable environment can read and change what is inside."
)
ISSUE_IN_AUTHORIZATION = _warning(
    "issue-in-authorization",
    "In authorizationrules, issue() adds a claim for later rules; it does not reach the token (reading Q2).",
)
SERVICE_OWNED = _warning(
    "service-owned",
    "This name at the top level of a token is the service's own (reading Q11): what a policy issues under it stands "
    "only in x-ms-policy, and nowhere in tokens that have no such member.",
)
READ_ONLY = _warning(
    "read-only-issued",
    "A read-only claim, and what is computed from one, may be tested but never issued: the call fails (reading Q5).",
)
EMPTY_FILTER = _warning(
    "empty-filter",
    "In JMESPath a filter that finds nothing gives the empty list, which is not null: the comparison comes out the "
    "same whether something was found or not (reading Q23).",
)
BAD_QUERY = _warning("bad-query", "A query that is not JMESPath fails the call when the rule runs (policy-language 7).")
BARE_WORD = _warning(
    "bare-word", "In JMESPath a bare word is the name of a field, mostly a missing one (policy-language 7.1)."
)
NUMBER_AS_TEXT = _warning("number-as-text", "In JMESPath a number never equals a text (policy-language 7.1).")
UNKNOWN_PROPERTY = _warning(
    "unknown-property", "A property that the service does not know is ignored (policy-language 9)."
)
PROPERTY_VALUE = _warning(
    "property-value", "A property with a value that it cannot have fails every call (policy-language 9)."
)
CONDITIONAL_PROPERTY = _warning(
    "conditional-property", "Only configuration rules without conditions steer verification (policy-language 5)."
)
OVERRIDDEN = _warning("overridden", "The last rule that sets a property decides its value.")
DEPRECATED = _info("deprecated-name", "Names of 2020 stay supported; today's are the ones that tokens carry.")

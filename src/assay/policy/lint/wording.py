"""How findings spell parts of a policy."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Final

from assay.claims import ValueType
from assay.policy.syntax import Deny, Literal, Permit, PropertyTest, Reference

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assay.claims import ClaimValue
    from assay.policy.syntax import Condition, Rule

_SHOWN: Final = 40
# Names of one family share many letters: nearer than this, or nothing.
_NEAR: Final = 0.6
# No longer list is searched; the service has some two hundred names.
_SEARCHED: Final = 300
_ARTICLE: Final = {ValueType.STRING: "a String", ValueType.INTEGER: "an Integer", ValueType.BOOLEAN: "a Boolean"}


def shown(value: ClaimValue | None) -> str:
    """A literal as a policy writes it, cut when long."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        cut = value if len(value) <= _SHOWN else f"{value[:_SHOWN]}..."
        return f'"{cut}"'
    return str(value)


def spelled(test: PropertyTest) -> str:
    """A test as a policy writes it."""
    match test.expression:
        case Literal(value):
            right = shown(value)
        case Reference(identifier, referred):
            right = f"{identifier}.{referred.value}"
        case _:
            right = "..."
    return f"{test.property.value}{test.comparison.value}{right}"


def of_types(types: Iterable[ValueType]) -> str:
    """Value types with their articles."""
    return " or ".join(_ARTICLE[kind] for kind in ValueType if kind in types)


def consequence(rule: Rule, condition: Condition) -> str:
    """What follows for the rule from a condition whose tests no claim passes."""
    if condition.negated:
        return ", so the negation always holds"
    match rule.action:
        case Permit():
            return ", so this rule never permits"
        case Deny():
            return ", so this rule never denies"
        case _:
            return ", so this rule never fires"


def nearest(name: str, names: Iterable[str]) -> str:
    """`; did you mean ...?` with the nearest name, or nothing; prefixes of families and case do not count."""
    by_core: dict[str, str] = {}
    for other in sorted(names)[:_SEARCHED]:
        by_core.setdefault(_core(other), other)
    close = difflib.get_close_matches(_core(name), by_core, 1, _NEAR)
    return f"; did you mean {by_core[close[0]]}?" if close else ""


def _core(name: str) -> str:
    return name.lower().replace("_", "-").removeprefix("x-ms-").removeprefix("$")

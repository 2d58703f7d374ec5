"""What is known before each rule: the claims that earlier rules may have made (policy-language 4, 5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from assay.claims import Claim, ClaimValue, Issuer, ValueType, value_type
from assay.policy.functions import DROPS_READ_ONLY
from assay.policy.lint.domains import ANYTHING, Domain, issuers_of, name_of
from assay.policy.syntax import (
    Call,
    Condition,
    CopiedClaim,
    Emit,
    Expression,
    Function,
    Literal,
    MadeClaim,
    Property,
    Reference,
    Rule,
)

if TYPE_CHECKING:
    from assay.policy.lint.places import RulePlace
    from assay.policy.lint.vocabulary import Vocabulary

# Beyond this many values of one name, what the policy means is not in doubt because of one of them.
_MANY: Final = 64
_RESULTS: Final = {
    Function.JMES_PATH: frozenset({ValueType.STRING}),
    Function.JSON_TO_CLAIM_VALUE: frozenset(ValueType),
    Function.IS_SUBSET_OF: frozenset({ValueType.BOOLEAN}),
    Function.APPEND_STRING: frozenset({ValueType.STRING}),
    Function.NEGATE_BOOL: frozenset({ValueType.BOOLEAN}),
    Function.CONTAINS_ONLY_VALUE: frozenset({ValueType.BOOLEAN}),
}


@dataclass(frozen=True, slots=True)
class Made:
    """What earlier rules make under one name: the values it may have, and whether some are read-only."""

    domain: Domain
    read_only: bool


@dataclass(frozen=True, slots=True)
class Knowledge:
    """The claims that rules before a place may have made.

    `certain` are literal claims made by rules without conditions; `unnamed` says that some rule computes its names;
    `read_only` are the service's claims that must not be issued.
    """

    made: Mapping[str, Made] = field(default_factory=dict)
    certain: frozenset[Claim] = frozenset()
    unnamed: bool = False
    read_only: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class StudiedRule:
    """A rule, where its parts stand, and what is known before it runs."""

    index: int
    rule: Rule
    place: RulePlace
    before: Knowledge


def study_rules(
    rules: Iterable[Rule], places: Iterable[RulePlace], knowledge: Knowledge, vocabulary: Vocabulary
) -> tuple[StudiedRule, ...]:
    """Each rule with what is known before it; `knowledge` is what is known before all."""
    studied: list[StudiedRule] = []
    for index, (rule, place) in enumerate(zip(rules, places, strict=True)):
        studied.append(StudiedRule(index, rule, place, knowledge))
        knowledge = _after(rule, knowledge, vocabulary)
    return tuple(studied)


def _after(rule: Rule, before: Knowledge, vocabulary: Vocabulary) -> Knowledge:
    if not isinstance(rule.action, Emit) or not isinstance(rule.action.claim, MadeClaim):
        return before
    made = rule.action.claim
    if not isinstance(made.type, Literal):
        return replace(before, unnamed=True)
    name = str(made.type.value)
    new = Made(_domain_of(made.value, rule, before, vocabulary), is_read_only(made.value, rule, before))
    old = before.made.get(name)
    merged = new if old is None else Made(_union(old.domain, new.domain), old.read_only or new.read_only)
    certain = before.certain
    if not rule.conditions and isinstance(made.value, Literal) and len(certain) < _MANY:
        certain |= {Claim(name, made.value.value, Issuer.POLICY)}
    return replace(before, made={**before.made, name: merged}, certain=certain)


def _union(left: Domain, right: Domain) -> Domain:
    both = None if left.values is None or right.values is None else left.values | right.values
    if both is not None and len(both) > _MANY:
        both = None
    digits = left.hex_digits if left.hex_digits == right.hex_digits else None
    return Domain(left.types | right.types, both, digits, min(left.least, right.least))


def _domain_of(expression: Expression, rule: Rule, before: Knowledge, vocabulary: Vocabulary) -> Domain:
    match expression:
        case Literal(value):
            return _of_values(value)
        case Reference(identifier, Property.VALUE):
            condition = binding(rule, identifier)
            domains = None if condition is None else domains_of(condition, before, vocabulary)
            return _join(domains) if domains else ANYTHING
        case Reference():
            return Domain(frozenset({ValueType.STRING}))
        case Call(function, _):
            return Domain(_RESULTS[function])


def _of_values(value: ClaimValue) -> Domain:
    return Domain(frozenset({value_type(value)}), frozenset({(value_type(value), value)}))


def _join(domains: Iterable[Domain]) -> Domain:
    first, *others = domains
    for other in others:
        first = _union(first, other)
    return first


def binding(rule: Rule, identifier: str) -> Condition | None:
    """The condition that an identifier means in the rule's action: the last that binds it."""
    found = [one for one in rule.conditions if one.identifier == identifier and not one.negated]
    return found[-1] if found else None


def domains_of(condition: Condition, before: Knowledge, vocabulary: Vocabulary) -> tuple[Domain, ...] | None:
    """The domains of the claims that a condition can be about; None when any claim may be meant.

    An empty tuple means that nobody makes such a claim. What callers send as custom claims counts only where the
    condition asks for it by its issuer, or for no name that is known.
    """
    name, issuers = name_of(condition.tests), issuers_of(condition.tests)
    if name is None or issuers == {Issuer.CUSTOM} or (Issuer.POLICY in issuers and before.unnamed):
        return None
    domains: list[Domain] = []
    if Issuer.SERVICE in issuers:
        domains += [Domain.of(known) for known in vocabulary.claims.get(name, ())]
    if Issuer.POLICY in issuers and name in before.made:
        domains.append(before.made[name].domain)
    return tuple(domains)


def is_read_only(expression: Expression, rule: Rule, before: Knowledge) -> bool:
    """Whether a value carries the mark of a read-only claim (policy-language 4)."""
    match expression:
        case Literal():
            return False
        case Reference(identifier, Property.VALUE):
            condition = binding(rule, identifier)
            return condition is not None and reads_read_only(condition, before)
        case Reference():
            return False
        case Call(function, arguments):
            return function not in DROPS_READ_ONLY and any(
                is_read_only(argument, rule, before) for argument in arguments
            )


def reads_read_only(condition: Condition, before: Knowledge) -> bool:
    """Whether the claims that a condition binds are read-only, as far as their name tells."""
    name, issuers = name_of(condition.tests), issuers_of(condition.tests)
    if name is None:
        return False
    made = before.made.get(name)
    of_service = Issuer.SERVICE in issuers and name in before.read_only
    return of_service or (Issuer.POLICY in issuers and made is not None and made.read_only)


def made_name(rule: Rule) -> str | None:
    """The name of the claims that a rule makes, when it states one."""
    match rule.action:
        case Emit(_, MadeClaim(Literal(str() as name))):
            return name
        case _:
            return None


def copied_condition(rule: Rule) -> Condition | None:
    """The condition whose claims the rule's action copies, if it copies."""
    match rule.action:
        case Emit(_, CopiedClaim(identifier)):
            return binding(rule, identifier)
        case _:
            return None

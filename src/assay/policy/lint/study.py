"""A policy under study: its rules with their places, and which of them can fire."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.claims import Issuer
from assay.policy.lint.domains import ANYTHING, is_satisfiable, issuers_of, name_of, satisfies
from assay.policy.lint.knowledge import Knowledge, StudiedRule, domains_of, study_rules
from assay.policy.lint.places import place_rules
from assay.policy.parser import parse_policy
from assay.policy.syntax import Condition, Deny, Permit, PolicySyntax, Rule, Section

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assay.policy.lint.vocabulary import Vocabulary
    from assay.policy.readings import Readings


@dataclass(frozen=True, slots=True)
class Study:
    """A policy that parses, read with a vocabulary; `names_read` are the service's claims that conditions ask for."""

    syntax: PolicySyntax
    rules: tuple[StudiedRule, ...]
    vocabulary: Vocabulary
    names_read: frozenset[str]

    def section(self, section: Section) -> tuple[StudiedRule, ...]:
        """The rules of a section."""
        return tuple(one for one in self.rules if one.rule.section is section)

    def permits(self) -> tuple[StudiedRule, ...]:
        """The permit rules."""
        return tuple(one for one in self.rules if isinstance(one.rule.action, Permit))

    def denials(self) -> tuple[StudiedRule, ...]:
        """The deny rules."""
        return tuple(one for one in self.rules if isinstance(one.rule.action, Deny))

    @property
    def takes_custom_claims(self) -> bool:
        """Whether the policy is for a type whose callers send claims of their own, as far as one can tell."""
        imitable = self.vocabulary.imitable
        return bool(imitable) and (self.vocabulary.is_one_type or not imitable.isdisjoint(self.names_read))

    def can_fire(self, studied: StudiedRule) -> bool:
        """Whether some evidence lets the rule fire, as far as one condition at a time tells."""
        return all(self.can_hold(condition, studied) for condition in studied.rule.conditions)

    def can_hold(self, condition: Condition, studied: StudiedRule) -> bool:
        """Whether a condition can hold in its rule."""
        if condition.negated:
            return not any(satisfies(claim, condition.tests) for claim in studied.before.certain)
        if not is_satisfiable(condition.tests, ANYTHING):
            return False
        domains = domains_of(condition, studied.before, self.vocabulary)
        if domains is None:
            return True
        name = name_of(condition.tests)
        if name in self.vocabulary.imitable and Issuer.CUSTOM in issuers_of(condition.tests):
            return True
        return any(is_satisfiable(condition.tests, domain) for domain in domains)


def study_policy(text: str, readings: Readings, vocabulary: Vocabulary) -> Study:
    """A study of a policy text; raises `PolicyParsingError`."""
    syntax = parse_policy(text, readings)
    rules = (*syntax.configuration, *syntax.authorization, *syntax.issuance)
    known = Knowledge(read_only=readings.read_only if syntax.has_functions else frozenset())
    studied = study_rules(rules, place_rules(text), known, vocabulary)
    return Study(syntax, studied, vocabulary, _names_read(rules) & vocabulary.claims.keys())


def _names_read(rules: Iterable[Rule]) -> frozenset[str]:
    conditions = (condition for rule in rules for condition in rule.conditions)
    read = (name_of(one.tests) for one in conditions if Issuer.SERVICE in issuers_of(one.tests))
    return frozenset(name for name in read if name is not None)

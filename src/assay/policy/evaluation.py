"""A policy that runs: its rules compiled once, evaluated over any incoming claims (policy-language section 5)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from assay import limits
from assay.claims import ClaimSet
from assay.errors import PolicyDenied
from assay.policy.actions import Act, compile_act
from assay.policy.matching import Match, Matched, compile_match
from assay.policy.parser import parse_policy
from assay.policy.readings import DEFAULT, Readings
from assay.policy.syntax import PolicySyntax, Rule
from assay.policy.working_set import DistinctClaims, Run

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assay.claims import Claim, Configuration

_NO_PERMIT: Final = (
    "Policy Engine Exception: No Permit claim was issued in the authorizationrules section, authorization failed."
)


class _Compiled(NamedTuple):
    """One rule and its two compiled halves."""

    rule: Rule
    match: Match
    act: Act


_Fired = list[tuple[Rule, Matched]]


@dataclass(frozen=True, slots=True)
class FiredRule:
    """A rule whose conditions held: its section's keyword, its line from 1, its text, and the claims it matched."""

    section: str
    line: int
    source: str
    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class PolicyOutcome:
    """What a policy that permitted gave: claims for the token, property claims, and which rules fired, in order."""

    issued: ClaimSet
    properties: ClaimSet
    _fired: tuple[tuple[Rule, Matched], ...] = field(repr=False)

    @property
    def fired(self) -> tuple[FiredRule, ...]:
        """Made when asked for: nobody asks on the way to a token."""
        return tuple(
            FiredRule(rule.section.value, rule.line, rule.source, tuple(dict.fromkeys(chain.from_iterable(matched))))
            for rule, matched in self._fired
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy text that parses. Two policies are equal when their texts and readings are.

    `configuration` holds the properties set by unconditional configuration rules.
    """

    text: str = field(repr=False)
    version: str
    readings: Readings
    configuration: Configuration = field(compare=False)
    _before: tuple[_Compiled, ...] = field(compare=False, repr=False)
    _issuance: tuple[_Compiled, ...] = field(compare=False, repr=False)

    def evaluate(self, incoming: ClaimSet) -> PolicyOutcome:
        """What the policy issues for these claims.

        Raises `PolicyDenied` when a deny rule fires or no permit rule does, `PolicyEvaluationError` for an error or a
        limit while the rules run.
        """
        run = Run(incoming)
        fired: _Fired = []
        _run(self._before, run, fired)
        if not run.permitted:
            raise PolicyDenied(_NO_PERMIT)
        _run(self._issuance, run, fired)
        return PolicyOutcome(DistinctClaims(run.issued.claims), DistinctClaims(run.properties.claims), tuple(fired))


def _run(rules: Iterable[_Compiled], run: Run, fired: _Fired) -> None:
    for rule, match, act in rules:
        matched = match(run)
        if matched is not None:
            fired.append((rule, matched))
            act(run, matched)


def compile_policy(text: str, readings: Readings = DEFAULT) -> Policy:
    """The policy of a text, remembered by text; raises `PolicyParsingError` and nothing else, whatever the text."""
    return _remembered(text, readings)


def compile_afresh(text: str, readings: Readings = DEFAULT) -> Policy:
    """Like `compile_policy`, but remembers nothing: for texts that strangers choose."""
    syntax = parse_policy(text, readings)
    before = _compile((*syntax.configuration, *syntax.authorization))
    return Policy(text, syntax.version, readings, _configuration(syntax), before, _compile(syntax.issuance))


_remembered = lru_cache(maxsize=limits.POLICY_COMPILED)(compile_afresh)


def _compile(rules: Iterable[Rule]) -> tuple[_Compiled, ...]:
    return tuple(_Compiled(rule, compile_match(rule), compile_act(rule)) for rule in rules)


def _configuration(syntax: PolicySyntax) -> Configuration:
    run = Run(ClaimSet())
    _run(_compile(rule for rule in syntax.configuration if not rule.conditions), run, [])
    return MappingProxyType({claim.type: claim.value for claim in run.properties.claims})

"""A policy that runs: its rules compiled once, evaluated over any incoming claims (policy-language section 5)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from assay import limits
from assay.claims import ClaimSet
from assay.errors import PolicyDenied, PolicyEvaluationError
from assay.policy.actions import Act, compile_act, place
from assay.policy.computing import Matched
from assay.policy.matching import Match, compile_match
from assay.policy.parser import parse_policy
from assay.policy.readings import DEFAULT, Readings
from assay.policy.rule_failed import RuleFailed
from assay.policy.syntax import PolicySyntax, Rule
from assay.policy.tracing import Fired, PolicyTrace, Stop
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


@dataclass(frozen=True, slots=True)
class FiredRule:
    """A rule whose conditions held: its section's keyword, its line from 1, its text, and the claims it matched."""

    section: str
    line: int
    source: str
    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class PolicyOutcome:
    """What a policy that permitted gave: claims for the token, property claims, and how it came to that."""

    issued: ClaimSet
    properties: ClaimSet
    _syntax: PolicySyntax = field(compare=False, repr=False)
    _incoming: ClaimSet = field(compare=False, repr=False)
    _fired: tuple[Fired, ...] = field(compare=False, repr=False)

    @property
    def trace(self) -> PolicyTrace:
        """Rule by rule; made when asked for, like `fired`: nobody asks on the way to a token."""
        return PolicyTrace(self._syntax, self._incoming, self._fired)

    @property
    def fired(self) -> tuple[FiredRule, ...]:
        """The rules that fired, in order."""
        return tuple(
            FiredRule(rule.section.value, rule.line, rule.source, tuple(dict.fromkeys(chain.from_iterable(matched))))
            for rule, matched, _ in self._fired
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy text that parses. Two policies are equal when their texts and readings are.

    `syntax` is its tree; `configuration` holds the properties set by unconditional configuration rules.
    """

    text: str = field(repr=False)
    version: str
    readings: Readings
    syntax: PolicySyntax = field(compare=False, repr=False)
    configuration: Configuration = field(compare=False)
    _before: tuple[_Compiled, ...] = field(compare=False, repr=False)
    _issuance: tuple[_Compiled, ...] = field(compare=False, repr=False)
    _read_only: frozenset[str] | None = field(compare=False, repr=False)

    def evaluate(self, incoming: ClaimSet) -> PolicyOutcome:
        """What the policy issues for these claims.

        Raises `PolicyDenied` when a deny rule fires or no permit rule does, `PolicyEvaluationError` for an error or a
        limit while the rules run; both carry a `trace`.
        """
        run = Run(incoming, self._read_only)
        fired: list[Fired] = []
        try:
            _run(self._before, run, fired)
            if not run.permitted:
                raise PolicyDenied(_NO_PERMIT)
            _run(self._issuance, run, fired)
        except PolicyEvaluationError as error:
            stop = error.trace if isinstance(error.trace, Stop) else None
            error.trace = PolicyTrace(self.syntax, incoming, fired, stop, is_refused=True)
            raise
        issued, properties = DistinctClaims(run.issued.claims), DistinctClaims(run.properties.claims)
        return PolicyOutcome(issued, properties, self.syntax, incoming, tuple(fired))


def _run(rules: Iterable[_Compiled], run: Run, fired: list[Fired]) -> None:
    """Runs rules in order; what it raises says in its `trace` at which rule it stopped."""
    matched: Matched | None = None
    try:
        for rule, match, act in rules:
            matched = None
            matched = match(run)
            if matched is not None:
                fired.append((rule, matched, act(run, matched)))
    except PolicyDenied as denied:
        denied.trace = Stop(rule, matched)
        raise
    except RuleFailed as failure:
        raise _failed(Stop(rule, matched, failure.problem)) from None


def _failed(stop: Stop) -> PolicyEvaluationError:
    error = PolicyEvaluationError(f"Policy Engine Exception: {stop.problem}. Rule at {place(stop.rule)}")
    error.trace = stop
    return error


def compile_policy(text: str, readings: Readings = DEFAULT) -> Policy:
    """The policy of a text, remembered by text; raises `PolicyParsingError` and nothing else, whatever the text."""
    return _remembered(text, readings)


def compile_afresh(text: str, readings: Readings = DEFAULT) -> Policy:
    """Like `compile_policy`, but remembers nothing: for texts that strangers choose."""
    syntax = parse_policy(text, readings)
    configuration = _compile(syntax.configuration)
    return Policy(
        text,
        syntax.version,
        readings,
        syntax,
        _configuration(configuration),
        (*configuration, *_compile(syntax.authorization)),
        _compile(syntax.issuance),
        readings.read_only if syntax.has_functions else None,
    )


_remembered = lru_cache(maxsize=limits.POLICY_COMPILED)(compile_afresh)


def _compile(rules: Iterable[Rule]) -> tuple[_Compiled, ...]:
    return tuple(_Compiled(rule, compile_match(rule), compile_act(rule)) for rule in rules)


def _configuration(rules: Iterable[_Compiled]) -> Configuration:
    """What unconditional rules set, up to one that fails; such a policy then fails whenever it is evaluated."""
    run = Run(ClaimSet())
    with suppress(PolicyEvaluationError):
        _run((compiled for compiled in rules if not compiled.rule.conditions), run, [])
    return MappingProxyType({claim.type: claim.value for claim in run.properties.claims})

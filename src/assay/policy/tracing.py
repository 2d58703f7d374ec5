"""How a policy came to its decision, rule by rule; worked out only when somebody asks (policy-language section 5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import chain
from typing import Final, NamedTuple

from assay.claims import Claim, ClaimSet
from assay.errors import PolicyError
from assay.policy.computing import Matched
from assay.policy.matching import compile_finds, indexed
from assay.policy.rule_failed import RuleFailed
from assay.policy.syntax import Deny, Emit, Permit, PolicySyntax, Rule, Section
from assay.policy.working_set import Run

_NOT_TOGETHER: Final = "each condition holds by itself, but not with what it computes or refers to"
# A rule that fired, the claims that each of its conditions matched, and the claims that it made.
Fired = tuple[Rule, Matched, Sequence[Claim]]


class RuleOutcome(str, Enum):
    """How one rule ended."""

    FIRED = "fired"
    NOT_FIRED = "not fired"
    FAILED = "failed"
    NOT_REACHED = "not reached"


class Stop(NamedTuple):
    """The rule that ended an evaluation: a deny that fired, or one that failed with a `problem`.

    `matched` is None when it failed before its conditions held.
    """

    rule: Rule
    matched: Matched | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class TracedCondition:
    """A condition of a rule.

    `claims` are those that it matched. Where the rule did not fire, they are those that pass the condition's tests
    without calls and other conditions, and `near` those that have at least the type which it names.
    """

    source: str
    identifier: str | None
    negated: bool
    claims: tuple[Claim, ...]
    near: tuple[Claim, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether it holds, as far as `claims` tell."""
        return bool(self.claims) is not self.negated


@dataclass(frozen=True, slots=True)
class TracedRule:
    """A rule and what became of it. `action` is its name; `made` are the claims that it added, issued or set.

    `problem` says why a rule failed, or did not fire although each of its conditions holds by itself. `is_decisive`
    marks the rule that decided: the deny that fired, the rule that failed, or the first permit of a policy that
    permitted. When no permit fired, no rule is decisive.
    """

    section: str
    line: int
    source: str
    outcome: RuleOutcome
    action: str
    conditions: tuple[TracedCondition, ...] = ()
    made: tuple[Claim, ...] = ()
    problem: str = ""
    is_decisive: bool = False

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The claims that its conditions matched, each once."""
        return tuple(dict.fromkeys(chain.from_iterable(condition.claims for condition in self.conditions)))


class PolicyTrace:
    """What one evaluation did; holds what was recorded on the way, and works the rest out when asked."""

    __slots__ = ("_incoming", "_is_refused", "_stop", "_syntax", "fired")

    def __init__(
        self,
        syntax: PolicySyntax,
        incoming: ClaimSet,
        fired: Sequence[Fired],
        stop: Stop | None = None,
        *,
        is_refused: bool = False,
    ) -> None:
        self._syntax, self._incoming, self.fired, self._stop = syntax, incoming, fired, stop
        self._is_refused = is_refused

    @property
    def rules(self) -> tuple[TracedRule, ...]:
        """Every rule of the policy, in order."""
        return tuple(self._walk())

    def _walk(self) -> Iterator[TracedRule]:
        """The claims before each rule are those of the evidence and those that the rules before it made."""
        run, fired, is_over = Run(self._incoming), iter(self.fired), False
        now = next(fired, None)
        permits = not self._is_refused
        for rule in self._syntax.rules:
            if is_over or (self._is_refused and self._stop is None and rule.section is Section.ISSUANCE):
                yield _traced(rule, RuleOutcome.NOT_REACHED)
            elif self._stop is not None and self._stop.rule is rule:
                yield _stopped(self._stop, run)
                is_over = True
            elif now is not None and now[0] is rule:
                decides = permits and isinstance(rule.action, Permit)
                permits = permits and not decides
                yield _traced(rule, RuleOutcome.FIRED, _matched(rule, now[1]), made=now[2], is_decisive=decides)
                for claim in now[2]:
                    run.incoming.add(claim)
                now = next(fired, None)
            else:
                conditions = _explain(rule, run)
                problem = _NOT_TOGETHER if all(condition.holds for condition in conditions) else ""
                yield _traced(rule, RuleOutcome.NOT_FIRED, conditions, problem=problem)


def trace_of(error: PolicyError) -> PolicyTrace | None:
    """The trace of a refusal; None when no policy ran."""
    return error.trace if isinstance(error.trace, PolicyTrace) else None


def _traced(
    rule: Rule,
    outcome: RuleOutcome,
    conditions: tuple[TracedCondition, ...] = (),
    *,
    made: Sequence[Claim] = (),
    problem: str = "",
    is_decisive: bool = False,
) -> TracedRule:
    distinct = tuple(dict.fromkeys(made))
    place = rule.section.value, rule.line, rule.source
    return TracedRule(*place, outcome, _action(rule), conditions, distinct, problem, is_decisive)


def _action(rule: Rule) -> str:
    match rule.action:
        case Permit():
            return "permit"
        case Deny():
            return "deny"
        case Emit(destination):
            return destination.value


def _stopped(stop: Stop, run: Run) -> TracedRule:
    conditions = _explain(stop.rule, run) if stop.matched is None else _matched(stop.rule, stop.matched)
    outcome = RuleOutcome.FAILED if stop.problem else RuleOutcome.FIRED
    return _traced(stop.rule, outcome, conditions, problem=stop.problem, is_decisive=True)


def _matched(rule: Rule, matched: Matched) -> tuple[TracedCondition, ...]:
    return tuple(
        TracedCondition(condition.source, condition.identifier, condition.negated, tuple(claims))
        for condition, claims in zip(rule.conditions, matched, strict=True)
    )


def _explain(rule: Rule, run: Run) -> tuple[TracedCondition, ...]:
    """What each condition finds by itself; nothing more once this took as much work as an evaluation may."""
    conditions = []
    for condition, find in zip(rule.conditions, compile_finds(rule), strict=True):
        try:
            claims = tuple(find(run))
        except RuleFailed:
            claims = ()
        name, _ = indexed(condition)
        near = () if name is None else tuple(run.incoming.by_type.get(name, ()))
        conditions.append(TracedCondition(condition.source, condition.identifier, condition.negated, claims, near))
    return tuple(conditions)

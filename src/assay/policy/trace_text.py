"""A trace as JSON and in words; what claims hold is cut short, so that an event log does not fill an answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from assay import limits
from assay.policy.tracing import PolicyTrace, RuleOutcome, TracedCondition, TracedRule

if TYPE_CHECKING:
    from assay.claims import Claim, ClaimValue
    from assay.formats.strict_json import JsonValue


def encode_trace(trace: PolicyTrace) -> list[JsonValue]:
    """Every rule, in order, for programs; each list of claims is cut after some, its `..._count` is of all."""
    return [_encode_rule(rule) for rule in trace.rules]


def _encode_rule(rule: TracedRule) -> dict[str, JsonValue]:
    encoded: dict[str, JsonValue] = {
        "section": rule.section,
        "line": rule.line,
        "rule": rule.source,
        "action": rule.action,
        "outcome": rule.outcome.value,
        "fired": rule.outcome is RuleOutcome.FIRED,
        "decisive": rule.is_decisive,
        "conditions": [_encode_condition(condition) for condition in rule.conditions],
        **_encode_claims("claims", rule.claims if rule.outcome is RuleOutcome.FIRED else ()),
        **_encode_claims("made", rule.made),
    }
    if rule.problem:
        encoded["problem"] = rule.problem
    return encoded


def _encode_condition(condition: TracedCondition) -> dict[str, JsonValue]:
    return {
        "condition": condition.source,
        "identifier": condition.identifier,
        "negated": condition.negated,
        "holds": condition.holds,
        **_encode_claims("claims", condition.claims),
        **_encode_claims("near", condition.near),
    }


def _encode_claims(name: str, claims: Sequence[Claim]) -> dict[str, JsonValue]:
    return {name: [_encode_claim(claim) for claim in claims[: limits.TRACE_CLAIMS]], f"{name}_count": len(claims)}


def _encode_claim(claim: Claim) -> dict[str, JsonValue]:
    return {
        "type": cut(claim.type),
        "value": cut(claim.value) if isinstance(claim.value, str) else claim.value,
        "issuer": claim.issuer.value,
        "valueType": claim.value_type.value,
    }


def cut(text: str, most: int = limits.TRACE_VALUE) -> str:
    """A text, or as much of it as an explanation shows."""
    return text if len(text) <= most else f"{text[:most]}..."


def describe_claims(claims: Sequence[Claim]) -> str:
    """Claims as `type=value`, the first ones if they are many; "no claim" for none."""
    shown = [f"{cut(claim.type)}={_describe_value(claim.value)}" for claim in claims[: limits.TRACE_CLAIMS]]
    if len(claims) > len(shown):
        shown.append(f"{len(claims) - len(shown)} more")
    return ", ".join(shown) or "no claim"


def _describe_value(value: ClaimValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return cut(value) if isinstance(value, str) else str(value)


def describe_observed(rule: TracedRule) -> str:
    """What a rule saw: its claims when it fired, why it failed, or what its conditions found when it did not fire."""
    match rule.outcome:
        case RuleOutcome.FIRED:
            return describe_claims(rule.claims)
        case RuleOutcome.FAILED:
            return rule.problem
        case RuleOutcome.NOT_FIRED | RuleOutcome.NOT_REACHED:
            found = describe_conditions(rule.conditions)
            return f"{found}; {rule.problem}" if rule.problem else found


def describe_conditions(conditions: Iterable[TracedCondition]) -> str:
    """What the conditions of a rule that did not fire found, and what would have been near."""
    return cut("; ".join(_describe_condition(condition) for condition in conditions), limits.TRACE_TEXT)


def _describe_condition(condition: TracedCondition) -> str:
    if condition.claims or not condition.near:
        return f"{cut(condition.source)}: {describe_claims(condition.claims)}"
    return f"{cut(condition.source)}: no claim, but {describe_claims(condition.near)}"


def describe_rule(rule: TracedRule) -> str:
    """A rule that fired or failed, with its line, its text, and the claims that it was about."""
    about = f" on {describe_claims(rule.claims)}" if rule.claims else ""
    return f"line {rule.line}: {cut(rule.source)}{about}"


def describe_decision(trace: PolicyTrace) -> str:
    """The rules that decided, with the claims they were about, and the lines of the other rules that fired."""
    said = [
        describe_rule(rule) if rule.is_decisive or rule.action == "permit" else f"line {rule.line} ({rule.section})"
        for rule in trace.rules
        if rule.outcome is RuleOutcome.FIRED
    ]
    return cut("; ".join(said), limits.TRACE_TEXT) or "no rule fired"

"""`assay policy eval`: a policy run over claims, rule by rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import click

from assay.claims import Claim, ClaimSet, Issuer, ValueType, value_type
from assay.cli.failures import ACCEPTED, REJECTED, UNDECIDED, complain
from assay.cli.files import read_option_file, read_text
from assay.cli.terminal import Node, Span, node, say, show_json, show_tree
from assay.errors import InvalidOperation, PolicyError, PolicyParsingError
from assay.formats import strict_json
from assay.formats.strict_json import JsonError
from assay.policy import (
    PolicyTrace,
    RuleOutcome,
    TracedCondition,
    TracedRule,
    cut,
    describe_claims,
    draft_policy,
    encode_trace,
    trace_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assay.claims import ClaimValue
    from assay.formats.strict_json import JsonValue

_HELP: Final = """Run a policy over claims and show for each rule whether it fires, on which claims, and what it makes.

The claims file is a JSON list of {"type","value","issuer"?,"valueType"?}; the issuer is AttestationService where it is
left out. The `claims` object of  assay verify --json  works too.

\b
Examples:
  assay policy eval my.policy --claims claims.json
  assay verify quote.bin --type SgxEnclave --endorsements collateral --json \\
    | python3 -c 'import json,sys; print(json.dumps(json.load(sys.stdin)["claims"]))' > claims.json

\b
Exit codes: 0 permitted; 1 denied, or failed while it ran; 2 policy or claims cannot be read.
"""
_MARKS: Final = {
    RuleOutcome.FIRED: ("fired", "good"),
    RuleOutcome.NOT_FIRED: ("not fired", "dim"),
    RuleOutcome.FAILED: ("FAILED", "bad"),
    RuleOutcome.NOT_REACHED: ("not reached", "dim"),
}
_LEAST, _MOST = -(1 << 63), (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class _Evaluation:
    exit_code: int
    code: str | None
    message: str = ""
    issued: tuple[Claim, ...] = ()
    properties: tuple[Claim, ...] = ()
    trace: PolicyTrace | None = None


@click.command("eval", help=_HELP)
@click.argument("file", metavar="FILE")
@click.option(
    "--claims", "claims_file", metavar="F", required=True, help="The incoming claims, or - for standard input."
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_context
def evaluate(ctx: click.Context, file: str, claims_file: str, as_json: bool) -> None:
    evaluation = _evaluate(read_text(file), read_claims(claims_file))
    if as_json:
        show_json(_encode(evaluation))
    else:
        _show(evaluation)
    ctx.exit(evaluation.exit_code)


def _evaluate(text: str, claims: ClaimSet) -> _Evaluation:
    try:
        outcome = draft_policy(text).evaluate(claims)
    except (PolicyParsingError, InvalidOperation) as error:
        return _Evaluation(UNDECIDED, error.code, error.message)
    except PolicyError as error:
        return _Evaluation(REJECTED, error.code, error.message, trace=trace_of(error))
    return _Evaluation(ACCEPTED, None, "", tuple(outcome.issued), tuple(outcome.properties), outcome.trace)


def _encode(evaluation: _Evaluation) -> dict[str, JsonValue]:
    return {
        "permitted": evaluation.exit_code == ACCEPTED,
        "code": evaluation.code,
        "issued": encode_claims(evaluation.issued),
        "properties": encode_claims(evaluation.properties),
        "trace": [] if evaluation.trace is None else encode_trace(evaluation.trace),
    }


def encode_claims(claims: Iterable[Claim]) -> list[JsonValue]:
    """Claims as members of a claims file."""
    return [
        {"type": claim.type, "value": claim.value, "issuer": claim.issuer.value, "valueType": claim.value_type.value}
        for claim in claims
    ]


def read_claims(name: str) -> ClaimSet:
    """The claims in a file; raises `click.UsageError` that names the wrong one."""
    try:
        value = strict_json.decode(read_option_file(name))
    except JsonError as error:
        raise click.UsageError(f"{name}: {error}") from error
    if isinstance(value, dict):
        pairs = ((key, one) for key, many in value.items() for one in (many if isinstance(many, list) else [many]))
        value = [{"type": key, "value": one} for key, one in pairs]
    if not isinstance(value, list):
        raise click.UsageError(f"{name}: neither a list of claims nor an object of them")
    return ClaimSet(_read_claim(name, index, one) for index, one in enumerate(value))


def _read_claim(name: str, index: int, value: JsonValue) -> Claim:
    place = f"{name}: claim {index}"
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        raise click.UsageError(f"{place}: not an object with a type")
    unknown = value.keys() - {"type", "value", "issuer", "valueType"}
    if unknown:
        raise click.UsageError(f"{place}: unknown member {min(unknown)!r}")
    found = _read_value(place, value.get("value"))
    stated = value.get("valueType")
    if stated is not None and stated != value_type(found).value:
        known = ", ".join(kind.value for kind in ValueType)
        raise click.UsageError(f"{place}: valueType {stated!r} is not that of the value ({known})")
    issuer = value.get("issuer", Issuer.SERVICE.value)
    if issuer not in [known.value for known in Issuer]:
        raise click.UsageError(f"{place}: issuer {issuer!r} is none of {', '.join(known.value for known in Issuer)}")
    return Claim(str(value["type"]), found, Issuer(issuer))


def _read_value(place: str, value: JsonValue) -> ClaimValue:
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int) and _LEAST <= value <= _MOST:
        return value
    raise click.UsageError(f"{place}: the value is neither a string, a 64-bit integer nor a boolean")


def _show(evaluation: _Evaluation) -> None:
    if evaluation.exit_code == UNDECIDED:
        complain(evaluation.message)
        return
    if evaluation.exit_code == ACCEPTED:
        say("permitted", "good")
    else:
        say(f"not permitted ({evaluation.code}): {evaluation.message}", "bad")
    for title, claims in (("issued", evaluation.issued), ("properties", evaluation.properties)):
        if claims:
            show_tree(node(title, "strong", map(_claim, claims)))
    if evaluation.trace is not None:
        show_tree(node("rules", "strong", map(_rule, evaluation.trace.rules)))


def _rule(rule: TracedRule) -> Node:
    mark, style = _MARKS[rule.outcome]
    if rule.is_decisive and rule.action != "permit":
        style = "bad"
    line = (Span(f"{mark} ", style), Span(f"line {rule.line}: ", "dim"), Span(" ".join(cut(rule.source).split())))
    children = [_condition(condition, rule.outcome) for condition in rule.conditions]
    if rule.made:
        children.append(Node((Span(f"{rule.action}: ", "dim"), Span(describe_claims(rule.made)))))
    if rule.problem:
        children.append(node(rule.problem, "bad"))
    return Node(line, tuple(children))


def _condition(condition: TracedCondition, outcome: RuleOutcome) -> Node:
    """The claims that a condition matched; of one that kept a rule from firing, those that were near."""
    found = describe_claims(condition.claims)
    if outcome is not RuleOutcome.FIRED and not condition.holds and condition.near and not condition.negated:
        found = f"no such claim, but {describe_claims(condition.near)}"
    style = "" if condition.holds else "warn"
    return Node((Span(f"{' '.join(cut(condition.source).split())}: ", "dim"), Span(found, style)))


def _claim(claim: Claim) -> Node:
    value = str(claim.value).lower() if isinstance(claim.value, bool) else str(claim.value)
    return Node((Span(f"{claim.type}: ", "dim"), Span(value)))

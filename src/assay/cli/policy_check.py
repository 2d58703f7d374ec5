"""`assay policy check`: syntax errors with the place, and what a policy that parses probably does not mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from assay.cli.failures import ACCEPTED, REJECTED
from assay.cli.files import read_text
from assay.cli.policy_vocabulary import POLICY_TYPE, vocabulary_of
from assay.cli.source_line import show_place
from assay.cli.terminal import say, show_json
from assay.errors import AssayError, PolicyParsingError
from assay.policy import draft_policy
from assay.policy.hints import hint
from assay.policy.lint import Level, lint_policy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assay.formats.strict_json import JsonValue
    from assay.policy import AppraisalPolicy
    from assay.policy.lint import Finding

_HELP: Final = """Check that policies parse, and that they mean what they seem to.

FILE holds policy text, or a policy JWS around it; - is standard input. Where a policy does not parse, the place is
shown. Where it does, what it probably does not mean is: conditions that can never hold, comparisons across types, names
that no evidence has, rules that change nothing, policies that permit everything or nothing.

--type checks against the claims of one attestation type; without it a name is known when any type has it.

\b
Examples:
  assay policy check my.policy --type SgxEnclave
  assay policy check policies/*.policy --strict --json

\b
Exit codes: 0 every policy parses; 1 one does not, or with --strict has a warning; 2 a file cannot be read.
"""


@click.command(help=_HELP)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--type", "kind", type=POLICY_TYPE, help="The attestation type that the policies are for.")
@click.option("--strict", is_flag=True, help="Warnings fail the check.")
@click.option("--json", "as_json", is_flag=True, help="For programs: one object, or results for several files.")
@click.pass_context
def check(ctx: click.Context, files: tuple[str, ...], kind: str | None, strict: bool, as_json: bool) -> None:
    vocabulary = vocabulary_of(kind)
    results: list[JsonValue] = []
    code = ACCEPTED
    for name in files:
        text = read_text(name)
        try:
            policy = draft_policy(text)
            findings = lint_policy(policy.policy.text, vocabulary)
        except AssayError as error:
            code = REJECTED
            results.append({"file": name, "valid": False, "code": error.code, "error": _encode(error, text)})
            if not as_json:
                _show_error(name, text, error)
            continue
        if strict and _warnings(findings):
            code = REJECTED
        results.append(_encode_valid(name, policy, findings))
        if not as_json:
            _show_valid(name, policy, findings)
    if as_json:
        show_json(results[0] if len(files) == 1 else {"results": results})
    ctx.exit(code)


def _warnings(findings: Sequence[Finding]) -> int:
    return sum(finding.kind.level is Level.WARNING for finding in findings)


def _encode(error: AssayError, text: str) -> dict[str, JsonValue]:
    if not isinstance(error, PolicyParsingError):
        return {"message": error.message}
    return {
        "message": error.failure,
        "line": error.line,
        "column": error.column,
        "symbol": error.symbol,
        "rule": error.rule,
        "hint": hint(error, text),
    }


def _encode_valid(name: str, policy: AppraisalPolicy, findings: Sequence[Finding]) -> dict[str, JsonValue]:
    return {
        "file": name,
        "valid": True,
        "code": None,
        "version": policy.policy.version,
        "hash": policy.identity.hash,
        "findings": [
            {
                "code": finding.kind.code,
                "level": finding.kind.level.value,
                "line": finding.span.line,
                "column": finding.span.column,
                "message": finding.message,
                "explanation": finding.kind.explanation,
                "remedy": finding.remedy,
            }
            for finding in findings
        ],
    }


def _show_error(name: str, text: str, error: AssayError) -> None:
    if not isinstance(error, PolicyParsingError):
        say(f"{name}: {error.message}", "bad")
        return
    say(f"{name}:{error.line}:{error.column}: {error.failure}", "bad")
    show_place(text, error.line, error.column)
    say(f"  rule of the grammar: {error.rule}", "dim")
    advice = hint(error, text)
    if advice is not None:
        say(f"  hint: {advice}")


def _show_valid(name: str, policy: AppraisalPolicy, findings: Sequence[Finding]) -> None:
    well_formed = f"{name}: well-formed, version {policy.policy.version}, x-ms-policy-hash {policy.identity.hash}"
    say(well_formed, "good")
    for finding in findings:
        level = finding.kind.level
        place = f"{name}:{finding.span.line}:{finding.span.column}"
        style = "warn" if level is Level.WARNING else "strong"
        say(f"{place}: {level.value} {finding.kind.code}: {finding.message}", style)
        show_place(policy.policy.text, *finding.span)
        say(f"  why:  {finding.kind.explanation}", "dim")
        say(f"  then: {finding.remedy}")
    if findings:
        warnings = _warnings(findings)
        say(f"{name}: {_count(warnings, 'warning')}, {_count(len(findings) - warnings, 'remark')}")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

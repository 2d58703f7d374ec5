"""`assay policy check`: syntax errors, with the place and the rule of the grammar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from assay.cli.failures import ACCEPTED, REJECTED
from assay.cli.files import read_text
from assay.cli.terminal import say, show_json
from assay.errors import AssayError, PolicyParsingError
from assay.policy import draft_policy

if TYPE_CHECKING:
    from assay.formats.strict_json import JsonValue

_HELP: Final = """Check that policies parse, and show the place where they do not.

FILE holds policy text (version 1.0 or 1.1), or a policy JWS around it.

\b
Examples:
  assay policy check my.policy
  assay policy check policies/*.policy --json

\b
Exit codes: 0 every policy parses; 1 one does not; 2 a file cannot be read.
"""


@click.command(help=_HELP)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="For programs: one object, or results for several files.")
@click.pass_context
def check(ctx: click.Context, files: tuple[str, ...], as_json: bool) -> None:
    results: list[JsonValue] = []
    code = ACCEPTED
    for name in files:
        text = read_text(name)
        try:
            found = draft_policy(text)
        except AssayError as error:
            code = REJECTED
            results.append({"file": name, "valid": False, "code": error.code, "error": _encode(error)})
            if not as_json:
                _show_error(name, text, error)
            continue
        version = found.policy.version
        results.append({"file": name, "valid": True, "code": None, "version": version, "hash": found.identity.hash})
        if not as_json:
            say(f"{name}: well-formed, version {version}, x-ms-policy-hash {found.identity.hash}", "good")
    if as_json:
        show_json(results[0] if len(files) == 1 else {"results": results})
    ctx.exit(code)


def _encode(error: AssayError) -> dict[str, JsonValue]:
    if not isinstance(error, PolicyParsingError):
        return {"message": error.message}
    return {
        "message": error.failure,
        "line": error.line,
        "column": error.column,
        "symbol": error.symbol,
        "rule": error.rule,
    }


def _show_error(name: str, text: str, error: AssayError) -> None:
    if not isinstance(error, PolicyParsingError):
        say(f"{name}: {error.message}", "bad")
        return
    say(f"{name}:{error.line}:{error.column}: {error.failure}", "bad")
    lines = text.splitlines()
    if 1 <= error.line <= len(lines):
        # Tabs stay tabs under tabs, so that the caret stands below the symbol.
        line = lines[error.line - 1]
        lead = "".join("\t" if character == "\t" else " " for character in line[: error.column])
        say(f"  {line}".replace("\t", "    "))
        say(f"  {lead}^".replace("\t", "    "), "warn")
    say(f"  rule of the grammar: {error.rule}", "dim")

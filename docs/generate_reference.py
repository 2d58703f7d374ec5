# ruff: noqa: INP001  # a script beside the pages, not a package
"""Writes the reference pages that follow from the source: the declared checks and the command line.

Run it after a change of either; `tests/test_docs.py` fails while a page is out of date.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from assay.appraise import POLICY_CHECK
from assay.cli import root
from assay.evidence import EVIDENCE_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from assay.evidence.base import AnyEvidenceType
    from assay.verdict import AnyCheck

_REFERENCE: Final = Path(__file__).parent / "reference"
_WIDTH: Final = 100
_GENERATED: Final = "<!-- Written by docs/generate_reference.py; do not edit. -->\n"

_CHECKS_HEAD: Final = """# Checks

Every check that an appraisal runs, in the order in which it runs. The first one that fails decides, and those after it
are not reached. The same names stand in `error.details[].target`, in `assay verify --json` and in the verdict of
`?explain=true`.

An outcome is `passed`, `failed`, `missing` (a document that the check needs cannot be had: not decided, HTTP 503),
`not applicable`, or `not reached`. Clauses refer to the specification that the check implements.

`evidence.form` may carry a more exact code than the one below: `UnsupportedQuoteVersion`,
`UnsupportedAttestationKeyType`, `UnsupportedTeeType`, `PckCertificateUnavailable`, `UnsupportedCertificationDataType`,
`UnsupportedOpenEnclaveType`, `UnsupportedEvidenceFormat`, or `LimitExceeded`. `policy.authorization` is decided by the
policy, not by a test.
"""

_CLI_HEAD: Final = """# Command line

What each command says of itself with `--help`.
"""


def render_checks() -> str:
    """The page of checks, one table for each evidence type; a check of an earlier type is only named again."""
    parts = [_GENERATED, _CHECKS_HEAD]
    described: set[str] = set()
    for kind in EVIDENCE_TYPES:
        parts += _kind_section(kind, described)
    return "\n".join(parts)


def _kind_section(kind: AnyEvidenceType, described: set[str]) -> Iterator[str]:
    checks = (*kind.checks, POLICY_CHECK)
    inside = [check for check in checks if _is_of_hardware(check)]
    new = [check for check in checks if check.name not in described and check not in inside]
    known = [check.name for check in checks if check.name in described]
    described.update(check.name for check in new)
    yield f"## {kind.name}\n"
    yield f"{kind.summary[0].upper()}{kind.summary[1:]}: {len(checks)} checks.\n"
    if known:
        yield f"These {len(known)} are the same as above: {', '.join(f'`{name}`' for name in known)}.\n"
        yield "In addition, before the policy:\n"
    yield _table(new)
    if inside:
        yield (
            f"Then {len(inside)} checks of the hardware's own type, described in its section, where the evidence has a "
            "hardware report; before their codes stands `Snp` or `Tdx`: "
            f"{', '.join(f'`{check.name}`' for check in inside)}.\n"
        )


def _is_of_hardware(check: AnyCheck) -> bool:
    """Whether a check is of another type, inside this one's evidence."""
    return check.name.startswith(("isolation.snp.", "isolation.tdx."))


def _table(checks: Iterable[AnyCheck]) -> str:
    lines = ["| # | check | code | clause | what to do |", "| --- | --- | --- | --- | --- |"]
    for number, check in enumerate(checks, start=1):
        cells = (str(number), f"`{check.name}`", f"`{check.code}`", check.reference, check.remedy)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def render_cli() -> str:
    """The page of commands: the help text of each."""
    parts = [_GENERATED, _CLI_HEAD]
    for title, command, context in _commands(root, "assay", None):
        help_text = "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
        parts += [f"## {title}\n", f"```text\n{help_text}\n```\n"]
    return "\n".join(parts)


def _commands(
    command: click.Command, name: str, parent: click.Context | None
) -> Iterator[tuple[str, click.Command, click.Context]]:
    settings = {"terminal_width": _WIDTH, "max_content_width": _WIDTH, **command.context_settings}
    context = click.Context(command, parent, info_name=name, **settings)
    yield context.command_path, command, context
    if isinstance(command, click.Group):
        for word in command.list_commands(context):
            found = command.get_command(context, word)
            if found is not None:
                yield from _commands(found, word, context)


def render_pages() -> dict[Path, str]:
    """The text of every generated page, by where it belongs."""
    pages = {"checks.md": render_checks(), "cli.md": render_cli()}
    return {_REFERENCE / name: re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n" for name, text in pages.items()}


if __name__ == "__main__":
    for page, content in render_pages().items():
        page.write_text(content, encoding="utf-8")

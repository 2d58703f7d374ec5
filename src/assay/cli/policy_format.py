"""`assay policy format`: policy texts in one fixed layout."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from assay.cli.failures import ACCEPTED, REJECTED, complain
from assay.cli.files import read_text
from assay.cli.terminal import note, say
from assay.errors import PolicyParsingError
from assay.policy import policy_hash
from assay.policy.layout import format_policy

if TYPE_CHECKING:
    from collections.abc import Iterable

_HELP: Final = """Print a policy in one fixed layout; comments stay.

The meaning stays the same, but the octets do not: x-ms-policy-hash changes with them. Format before you set or sign a
policy, not after, and tell relying parties that compare the hash.

\b
Examples:
  assay policy format my.policy
  assay policy format --in-place policies/*.policy
  assay policy format --check policies/*.policy

\b
Exit codes: 0 done, or with --check nothing would change; 1 a policy does not parse, or with --check would change; 2 a
file cannot be read or written.
"""


@click.command("format", help=_HELP)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--check", "only_check", is_flag=True, help="Write nothing; say which files would change.")
@click.option("--in-place", is_flag=True, help="Write the files, in place of standard output.")
@click.pass_context
def format_files(ctx: click.Context, files: tuple[str, ...], only_check: bool, in_place: bool) -> None:
    if only_check and in_place:
        raise click.UsageError("--check and --in-place exclude each other")
    if in_place and "-" in files:
        raise click.UsageError("standard input cannot be formatted in place")
    ctx.exit(max(_format_each(files, only_check=only_check, in_place=in_place)))


def _format_each(files: Iterable[str], *, only_check: bool, in_place: bool) -> Iterable[int]:
    for name in files:
        text = read_text(name)
        try:
            formatted = format_policy(text)
        except PolicyParsingError as error:
            complain(f"{name}:{error.line}:{error.column}: {error.failure}")
            yield REJECTED
            continue
        changed = formatted != text
        if only_check and changed:
            say(f"would change: {name}", "warn")
        elif in_place and changed:
            Path(name).write_bytes(formatted.encode("utf-8"))
            say(f"formatted: {name}", "good")
        elif not only_check and not in_place:
            click.echo(formatted, nl=False)
        if changed:
            verb = "would change" if only_check else "changes"
            note(f"{name}: x-ms-policy-hash {verb} from {policy_hash(text)} to {policy_hash(formatted)}")
        yield REJECTED if only_check and changed else ACCEPTED

"""`assay audit heads`: the ends of the chains, to be kept where nobody who writes the database can write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from assay import clock
from assay.cli.audit_database import audit_store, database_options
from assay.cli.files import read_option_file
from assay.cli.terminal import show_json
from assay.formats import strict_json
from assay.formats.strict_json import JsonError
from assay.store.audit_chain import Head
from assay.store.audit_event import encode_time
from assay.store.audit_reading import encode_heads, one_moment, read_heads
from assay.store.audit_verification import decode_heads

if TYPE_CHECKING:
    from collections.abc import Mapping

_HELP: Final = """Print the number and hash of the last record of every chain, as JSON.

Keep the output where nobody who can write the database can write: on another machine, in a ticket, on paper. A hash
chain alone shows every change in its middle. That its end was cut off, or that somebody computed all of it anew, only
shows against a head kept elsewhere:

\b
Examples:
  assay audit heads --state-dir state > heads.json
  assay audit verify --state-dir state --anchor heads.json
"""
_ANCHOR: Final = 16 << 20


@click.command(help=_HELP)
@database_options
def heads(state_dir: Path | None, database_url: str | None) -> None:
    with audit_store(state_dir, database_url) as store, one_moment(store) as connection:
        found = read_heads(connection)
    show_json({"at": encode_time(clock.now()), "heads": encode_heads(found, len(found))})


def read_anchor(name: str) -> Mapping[str, Head]:
    """The heads of a file that `assay audit heads` wrote; raises `click.UsageError`, also when one cannot be read."""
    try:
        members = strict_json.decode_object(read_option_file(name, _ANCHOR))
    except JsonError as error:
        raise click.UsageError(f"{name}: {error}") from error
    listed = members.get("heads")
    found = dict(decode_heads(members, "heads"))
    if not isinstance(listed, list) or not listed or len(found) != len(listed):
        raise click.UsageError(f"{name}: not the output of `assay audit heads`")
    return found

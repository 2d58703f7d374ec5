"""`assay audit purge`: records older than an instant give way to checkpoints."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from assay import clock
from assay._version import __version__
from assay.cli.arguments import TIME
from assay.cli.audit_database import audit_store, database_options
from assay.cli.terminal import say
from assay.store.audit import AuditChain

if TYPE_CHECKING:
    from assay.formats.strict_json import JsonValue

_HELP: Final = """Remove the records older than an instant, and keep the rest provable.

Whole commits are removed from the beginning of each chain. A checkpoint keeps the number and hash of the last record
removed, and the purge is a record itself. May be done while the service runs. The embedded database keeps the room for
new records and does not shrink.

\b
Example:
  assay audit purge --before 2026-01-01
"""


@click.command(help=_HELP)
@database_options
@click.option("--before", required=True, type=TIME, help="Records older than this: ISO 8601 or seconds since 1970.")
def purge(state_dir: Path | None, database_url: str | None, before: datetime) -> None:
    if before > clock.now():
        raise click.UsageError("--before lies in the future")
    details: dict[str, JsonValue] = {"version": __version__, "command": "assay audit purge"}
    with audit_store(state_dir, database_url) as store:
        chain = AuditChain(store)
        chain.open(details)
        removed = 0
        while count := chain.purge(before):
            removed += count
        chain.close()
    say(f"{removed} records removed")

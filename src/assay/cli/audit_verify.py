"""`assay audit verify`: every chain recomputed, the first bad record of each named."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from assay.cli.audit_database import audit_store, database_options
from assay.cli.audit_heads import read_anchor
from assay.cli.failures import ACCEPTED, REJECTED
from assay.cli.terminal import note, say, show_json
from assay.store.audit_verification import Fault, Verification, verify_audit

if TYPE_CHECKING:
    from assay.formats.strict_json import JsonValue

_HELP: Final = """Recompute every hash chain of the audit and name the first bad record of each.

Found are records altered, removed, inserted or moved, rows that say something else than their records, checkpoints of
purged records that no purge left, and chains removed or cut off behind what a later process has seen. What is cut off
at the very end shows only against heads kept elsewhere (--anchor, see `assay audit heads`). Verifying reads everything
and may be done while the service runs.

\b
Examples:
  assay audit verify
  assay audit verify --database-url postgresql://auditor@db.example.org/assay --anchor heads.json

\b
Exit codes: 0 everything is proven; 1 something is not; 2 the audit or the anchor cannot be read.
"""


@click.command(help=_HELP)
@database_options
@click.option("--anchor", metavar="FILE", help="Heads kept elsewhere, from `assay audit heads`; - for standard input.")
@click.option("--json", "as_json", is_flag=True, help="For programs: one object.")
@click.pass_context
def verify(
    ctx: click.Context, state_dir: Path | None, database_url: str | None, anchor: str | None, as_json: bool
) -> None:
    heads = None if anchor is None else read_anchor(anchor)
    with audit_store(state_dir, database_url) as store:
        found = verify_audit(store, heads)
    if as_json:
        show_json(_encode(found))
    else:
        _show(found)
        if anchor is None:
            note("without --anchor, records cut off at the end of a chain are not missed")
    ctx.exit(REJECTED if found.faults else ACCEPTED)


def _encode(found: Verification) -> dict[str, JsonValue]:
    faults: list[JsonValue] = [
        {"writer": fault.writer, "number": fault.number, "problem": fault.problem} for fault in found.faults
    ]
    return {
        "verified": not found.faults,
        "chains": found.chains,
        "records": found.records,
        "purged": found.purged,
        "unfinished": found.unfinished,
        "faults": faults,
    }


def _show(found: Verification) -> None:
    for fault in found.faults:
        say(f"{_place(fault)}: {fault.problem}", "bad")
    counted = f"{found.records} records in {found.chains} chains, {found.purged} purged before them"
    if found.faults:
        say(f"not proven: {len(found.faults)} faults; {counted} were recomputed up to there")
        return
    say(f"proven: {counted}", "good")
    if found.unfinished:
        say(f"{found.unfinished} chains have no last record: their processes run, were killed, or the end was cut off")


def _place(fault: Fault) -> str:
    if not fault.writer:
        return "checkpoints"
    return f"writer {fault.writer}, record {fault.number}"

"""`assay audit show`: records of the audit, filtered, one line each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from assay.cli.arguments import TIME
from assay.cli.audit_database import audit_store, database_options
from assay.cli.failures import ACCEPTED, UNDECIDED, complain
from assay.cli.terminal import say
from assay.formats import strict_json
from assay.store.audit_chain import ChainBroken, Record
from assay.store.audit_event import AuditOutcome
from assay.store.audit_reading import Period, one_moment, read_records

if TYPE_CHECKING:
    from assay.formats.strict_json import JsonValue

_HELP: Final = """Show records of the audit, in the order in which they were committed.

Reading proves nothing: `assay audit verify` does. With --json every line is a record with its writer, as it is stored.

\b
Examples:
  assay audit show --newest-first --limit 20
  assay audit show --since 2026-03-01T08:00Z --until 2026-03-01T09:00Z --outcome refused
  assay audit show --evidence-digest $(sha256sum quote.bin | cut -c 1-64) --json
"""
_STYLES: Final = {
    AuditOutcome.ISSUED.value: "good",
    AuditOutcome.REFUSED.value: "bad",
    AuditOutcome.UNAUTHORIZED.value: "bad",
    AuditOutcome.UNDECIDED.value: "warn",
    AuditOutcome.CHANGED.value: "strong",
    AuditOutcome.NOTED.value: "dim",
}
# The option's name, the member of a record that it selects by, and the help.
_SELECTORS: Final = (
    ("provider", "provider", "Of this provider."),
    ("operation", "operation", "Of this operation: SetPolicy, say."),
    ("code", "code", "Refused with this code."),
    ("caller", "caller", "Asked by this caller."),
    ("evidence-digest", "evidence", "About the evidence of this SHA-256, in hex."),
    ("policy-hash", "policy", "Under the policy of this x-ms-policy-hash."),
    ("token-id", "token", "The issue of the token of this jti."),
    ("request-id", "request", "Of the request of this x-ms-request-id."),
)
_Command = Callable[..., None]


def _selectors(command: _Command) -> _Command:
    for name, member, text in reversed(_SELECTORS):
        command = click.option(f"--{name}", member, metavar="TEXT", help=text)(command)
    return command


@click.command(help=_HELP)
@database_options
@click.option("--since", type=TIME, help="Not before this instant: ISO 8601 or seconds since 1970.")
@click.option("--until", type=TIME, help="Not after this instant.")
@click.option("--outcome", type=click.Choice([outcome.value for outcome in AuditOutcome]), help="That ended so.")
@_selectors
@click.option("--limit", type=click.IntRange(min=1), help="At most so many.")
@click.option("--newest-first", is_flag=True, help="Begin with the last.")
@click.option("--json", "as_json", is_flag=True, help="For programs: one object a line.")
@click.pass_context
def show(
    ctx: click.Context,
    /,
    *,
    state_dir: Path | None,
    database_url: str | None,
    since: datetime | None,
    until: datetime | None,
    limit: int | None,
    newest_first: bool,
    as_json: bool,
    **selected: str | None,
) -> None:
    print_record = _print_json if as_json else _print_line
    wanted = {member: value for member, value in selected.items() if value is not None}
    code = ACCEPTED
    with audit_store(state_dir, database_url) as store, one_moment(store) as connection:
        records = read_records(connection, Period(since, until, newest_first))
        try:
            for record in islice(_matching(records, wanted), limit):
                print_record(record)
        except ChainBroken as broken:
            complain(f"record {broken.number}: {broken.problem}; `assay audit verify` says more")
            code = UNDECIDED
    ctx.exit(code)


def _matching(records: Iterator[Record], wanted: Mapping[str, str]) -> Iterator[Record]:
    texts = [value.encode("utf-8") for name, value in wanted.items() if value.isascii() and value.isalnum()]
    for record in records:
        # Octets are compared before members: most records are not the ones that are looked for.
        if all(text in record.octets for text in texts) and all(
            record.members.get(name) == value for name, value in wanted.items()
        ):
            yield record


def _print_json(record: Record) -> None:
    members: dict[str, JsonValue] = {"writer": record.writer, **record.members}
    click.echo(strict_json.encode_ordered(members).decode("utf-8"))


def _print_line(record: Record) -> None:
    outcome = str(record.members.get("outcome"))
    words = [record.time, outcome, *_words(record.members)]
    say("  ".join(words), _STYLES.get(outcome, ""))


def _words(members: Mapping[str, JsonValue]) -> Iterator[str]:
    """What a person reads of a record: long digests are cut, the rest is there with --json."""
    yield str(members.get("operation"))
    if members.get("provider"):
        yield str(members["provider"])
    if members.get("status"):
        yield f"{members['status']} {members.get('code', '')}".rstrip()
    for name in ("caller", "remote", "evidence", "policy", "token", "request"):
        if name in members:
            yield f"{name} {_cut(str(members[name]))}"
    verdict = members.get("verdict")
    failed = verdict.get("failed") or verdict.get("missing") if isinstance(verdict, dict) else None
    if isinstance(failed, dict):
        yield f"check {failed.get('check')}"
    details = members.get("details")
    if isinstance(details, dict):
        yield from (
            f"{name} {_cut(str(value))}" for name, value in details.items() if not isinstance(value, dict | list)
        )


def _cut(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:16]}…"

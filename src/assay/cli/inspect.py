"""`assay inspect`: anything decoded, nothing believed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import click

from assay.cli.decoding import Unknown, decode_anything
from assay.cli.failures import ACCEPTED, UNDECIDED, complain
from assay.cli.files import FileUnreadable, decode_spelling, read_file, read_option_file
from assay.cli.log_view import compare_pcrs, compare_quote, is_event_log, view_event_log
from assay.cli.pcr_values import parse_pcr_values
from assay.cli.terminal import Node, Span, node, note, show_json, show_tree
from assay.errors import LimitExceeded, MalformedEvidence

if TYPE_CHECKING:
    from assay.formats.strict_json import JsonObject, JsonValue

_HELP: Final = """Decode a file and show its fields. Nothing is verified: a decoded file can be forged.

FILE is a quote, a report or evidence, endorsements, a certificate or PEM chain, TCB info, an enclave identity, a
revocation list, a token, a key set, a request body, an event log or an IMA list; raw, hex or base64; - is standard
input. An event log is compared with the quote or the PCR values of the same machine when they are given.

\b
Examples:
  assay inspect quote.bin
  assay inspect token.jwt --json
  assay inspect boot.log --pcrs pcrs.txt
  curl -s https://attest.example/certs | assay inspect -

Exit codes: 0 decoded; 2 not known, or the file cannot be read.
"""


@click.command(help=_HELP)
@click.argument("file", metavar="FILE")
@click.option("--pcrs", metavar="FILE", help="PCR values to compare an event log with (JSON, or of tpm2_pcrread).")
@click.option("--quote", metavar="FILE", help="A TPM's quote (TPMS_ATTEST) to compare an event log with.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_context
def inspect(ctx: click.Context, file: str, pcrs: str | None, quote: str | None, as_json: bool) -> None:
    try:
        content = read_file(file)
        found = decode_anything(content)
        if pcrs is not None or quote is not None:
            found = replace(found, fields={**_compared(content, pcrs, quote), **found.fields})
    except (FileUnreadable, LimitExceeded) as error:
        complain(str(error))
        ctx.exit(UNDECIDED)
    except Unknown as error:
        complain(f"{file}: not known here: {error}")
        ctx.exit(UNDECIDED)
    if as_json:
        show_json({"kind": found.kind, "verified": False, "fields": dict(found.fields)})
    else:
        show_tree(Node((Span(f"{file}: ", "strong"), Span(found.kind)), _nodes(dict(found.fields))))
        note("decoded only: nothing here was verified, it proves nothing (assay verify, assay token verify)")
    ctx.exit(ACCEPTED)


def _compared(content: bytes, pcrs: str | None, quote: str | None) -> JsonObject:
    """What differs between an event log and PCR values or a quote; raises `click.UsageError` for other files."""
    for octets in (content, decode_spelling(content)):
        if is_event_log(octets):
            log = view_event_log(octets).log
            break
    else:
        raise click.UsageError("--pcrs and --quote belong to an event log")
    compared: dict[str, JsonValue] = {}
    if pcrs is not None:
        try:
            compared["differs"] = compare_pcrs(log, parse_pcr_values(read_option_file(pcrs)))
        except MalformedEvidence as error:
            raise click.UsageError(f"{pcrs}: {error.message}") from error
    if quote is not None:
        compared["quote"] = compare_quote(log, decode_spelling(read_option_file(quote)))
    return compared


def _nodes(value: JsonValue) -> tuple[Node, ...]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return tuple(_node(str(name), member) for name, member in members)


def _node(name: str, value: JsonValue) -> Node:
    if isinstance(value, list) and not any(isinstance(member, dict | list) for member in value):
        return Node((Span(f"{name}: ", "dim"), Span(", ".join(map(str, value)) or "none")))
    if isinstance(value, dict | list):
        return node(name, "dim", _nodes(value))
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return Node((Span(f"{name}: ", "dim"), Span(text)))

"""`assay inspect`: anything decoded, nothing believed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from assay.cli.decoding import Unknown, decode_anything
from assay.cli.failures import ACCEPTED, UNDECIDED, complain
from assay.cli.files import FileUnreadable, read_file
from assay.cli.terminal import Node, Span, node, note, show_json, show_tree
from assay.errors import LimitExceeded

if TYPE_CHECKING:
    from assay.formats.strict_json import JsonValue

_HELP: Final = """Decode a file and show its fields. Nothing is verified: a decoded file can be forged.

FILE is a quote, a report or evidence, endorsements, a certificate or PEM chain, TCB info, an enclave identity, a
revocation list, a token, a key set, or a request body; raw, hex or base64; - is standard input.

\b
Examples:
  assay inspect quote.bin
  assay inspect token.jwt --json
  curl -s https://attest.example/certs | assay inspect -

Exit codes: 0 decoded; 2 not known, or the file cannot be read.
"""


@click.command(help=_HELP)
@click.argument("file", metavar="FILE")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_context
def inspect(ctx: click.Context, file: str, as_json: bool) -> None:
    try:
        found = decode_anything(read_file(file))
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

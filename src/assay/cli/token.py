"""`assay token`: the relying party's side of the command line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypedDict, Unpack

import click

from assay import clock, limits
from assay.cli.arguments import MARKS, TIME
from assay.cli.failures import ACCEPTED, REJECTED
from assay.cli.files import read_option_file
from assay.cli.lazy import Entry, LazyGroup
from assay.cli.terminal import node, say, show_json, show_tree
from assay.cli.verdict_view import claim_nodes
from assay.client.relying_party import verify_token
from assay.errors import MalformedToken, TokenRejected
from assay.formats.key_set import parse_key_set

if TYPE_CHECKING:
    from datetime import datetime

    from assay.client.relying_party import VerifiedToken
    from assay.formats.key_set import KeySet

_HELP: Final = """Verify an attestation token as a relying party.

TOKEN is the token itself, the name of a file that holds it, or - for standard input. The keys come from --keys, else
from URL/certs of the issuer; never from anything in the token. Refused: unsigned tokens, answers to draft policies,
tokens of another issuer, expired ones (30 seconds of skew), and tokens made under unsafe options unless each
is named with --allow-unsafe.

\b
Examples:
  assay token verify - --issuer https://attest.example < token
  assay token verify token.jwt --issuer https://localhost:8443 --ca dev/ca.pem --allow-unsafe simulator
  assay token verify token.jwt --issuer https://attest.example --keys certs.json --at 2025-06-01T00:00:00Z

\b
Exit codes: 0 accepted; 1 rejected; 2 the keys cannot be had, or wrong usage.
"""


class _Options(TypedDict):
    """What click reads for `token verify`."""

    token: str
    issuer: str
    keys: str | None
    ca: str | None
    at: datetime | None
    audience: str | None
    allow_unsafe: frozenset[str]
    as_json: bool


@click.command(help=_HELP)
@click.argument("token")
@click.option("--issuer", metavar="URL", required=True, help="Whose tokens are believed; compared octet by octet.")
@click.option("--keys", metavar="F", help="The issuer's key set (the answer of /certs) in a file: nothing is fetched.")
@click.option("--ca", metavar="F", help="CA certificates (PEM) for the issuer's TLS, in place of the system's.")
@click.option("--at", type=TIME, help="Verify as of this time (ISO 8601 or Unix time); now, when left out.")
@click.option("--audience", metavar="TEXT", help="Who we are, for tokens that name whom they are for.")
@click.option("--allow-unsafe", type=MARKS, default=frozenset(), help="Unsafe marks to tolerate, by name.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_context
def verify(ctx: click.Context, **options: Unpack[_Options]) -> None:
    token = _read_token(options["token"])
    keys = _read_keys(options["keys"], options["issuer"], options["ca"])
    try:
        verified = verify_token(
            token,
            issuer=options["issuer"],
            keys=keys,
            at=options["at"] or clock.now(),
            audience=options["audience"],
            allow_unsafe=options["allow_unsafe"],
        )
    except TokenRejected as error:
        _show_rejected(error, as_json=options["as_json"])
        ctx.exit(REJECTED)
    _show_accepted(verified, as_json=options["as_json"])
    ctx.exit(ACCEPTED)


def _read_token(given: str) -> str:
    if given == "-":
        text = sys.stdin.buffer.read(limits.TOKEN + 1)
    elif given.count(".") == 2 and given.startswith("ey"):
        text = given.encode()
    else:
        text = read_option_file(given, limits.TOKEN + 1)
    # Bytes beyond ASCII stay wrong characters, which no token has.
    return text.decode("ascii", "replace").strip()


def _read_keys(file: str | None, issuer: str, ca: str | None) -> KeySet:
    if file is not None:
        try:
            return parse_key_set(read_option_file(file, limits.KEY_SET_BODY))
        except MalformedToken as error:
            raise click.UsageError(f"{file}: {error.message}") from error
    try:
        from assay.client.shells import Client
    except ModuleNotFoundError as error:
        raise click.UsageError(f"--keys F is needed, or: pip install 'assay[client]' ({error})") from error
    with Client(issuer, ca_file=None if ca is None else Path(ca)) as client:
        return client.key_set()


def _show_rejected(error: TokenRejected, *, as_json: bool) -> None:
    if as_json:
        show_json({"accepted": False, "code": error.reason, "message": error.message, "claims": {}})
    else:
        say(f"rejected ({error.reason}): {error.message}", "bad")


def _show_accepted(verified: VerifiedToken, *, as_json: bool) -> None:
    if as_json:
        marks = list(verified.unsafe_marks)
        show_json(
            {
                "accepted": True,
                "code": None,
                "unsafe": [*marks],
                "header": dict(verified.header),
                "claims": dict(verified.claims),
            }
        )
        return
    say(f"accepted: issued by {verified.issuer}, valid until {verified.expires_at:%Y-%m-%dT%H:%M:%SZ}", "good")
    if verified.unsafe_marks:
        say(f"made under unsafe conditions: {', '.join(verified.unsafe_marks)}", "warn")
    show_tree(node("claims", "strong", claim_nodes(verified.claims)))


token: Final = LazyGroup(
    "token",
    {"verify": Entry("assay.cli.token", "verify", "Verify a token as a relying party.")},
    "Verify attestation tokens.\n\n\b\nExample:\n  assay token verify token.jwt --issuer https://attest.example",
)

"""`assay policy get`, `set`, `reset`, `history`, `rollback`: the policies of a provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypedDict, Unpack

import click

from assay.cli.connection import connected, connection_options
from assay.cli.files import read_option_file, read_text
from assay.cli.terminal import Span, note, say, show_json, show_table
from assay.client import administration
from assay.client.administration import read_author
from assay.evidence import POLICY_TYPES, find_policy_type
from assay.policy.signed import parse_management_jws, policy_text

if TYPE_CHECKING:
    from assay.client.administration import PolicyAuthor
    from assay.formats.strict_json import JsonObject

_TYPES: Final = ", ".join(POLICY_TYPES)
_WHERE: Final = "--url https://localhost:8443 --ca dev/ca.pem --token-file dev/contributor.token"


class PolicyTypeType(click.ParamType[str]):
    """The wire name of a policy's type, case ignored."""

    name = "type"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        found = find_policy_type(str(value))
        if found is None:
            self.fail(f"{str(value)!r} is not a type of policy; known: {_TYPES}", param, ctx)
        return found


_TYPE: Final = PolicyTypeType()


class _Where(TypedDict):
    """What click reads for every one of these commands."""

    url: str
    token_file: str | None
    ca: str | None


def _signer_options(command: click.decorators.FC) -> click.decorators.FC:
    key = click.option("--signer-key", metavar="F", help="Sign with this key (PEM); isolated providers ask for it.")
    chain = click.option("--signer-certificate", metavar="F", help="Its certificate chain (PEM), the signer's first.")
    return key(chain(command))


def _author(key: str | None, certificate: str | None) -> PolicyAuthor | None:
    if (key is None) != (certificate is None):
        raise click.UsageError("--signer-key and --signer-certificate belong together")
    if key is None or certificate is None:
        return None
    return read_author(read_option_file(key), read_option_file(certificate))


@click.command(
    help=f"""Print the policy of TYPE ({_TYPES}) as it is in force.

\b
Examples:
  assay policy get SgxEnclave {_WHERE}
  assay policy get SgxEnclave --jws …        the JWS that was set, signature included
"""
)
@click.argument("policy_type", metavar="TYPE", type=_TYPE)
@click.option("--jws", "as_jws", is_flag=True, help="The JWS as it was set, not the text in it.")
@connection_options
def get(policy_type: str, *, as_jws: bool, **where: Unpack[_Where]) -> None:
    with connected(**where) as connection:
        jws = administration.read_stored_policy(
            connection.result(administration.policy_call(connection.url, policy_type))
        )
    if as_jws:
        say(jws)
        return
    parsed = parse_management_jws(jws)
    if not parsed.payload:
        note(f"no {policy_type} policy is set, and there is no default")
        return
    note("unsigned" if parsed.is_unsecured else f"signed ({parsed.algorithm})")
    say(policy_text(parsed))


@click.command(
    "set",
    help=f"""Put the policy in FILE in force for TYPE; the next attest call is appraised by it.

It is refused whole if it does not parse; `assay policy check` says more about it. What was in force stays in
`assay policy history`.

\b
Examples:
  assay policy set SgxEnclave my.policy {_WHERE}
  assay policy set SgxEnclave my.policy --signer-key signer.key --signer-certificate signer.pem …
""",
)
@click.argument("policy_type", metavar="TYPE", type=_TYPE)
@click.argument("file", metavar="FILE")
@click.option("--allow-replay", is_flag=True, help="Admit an older signed policy again (operators only).")
@_signer_options
@connection_options
def set_(
    policy_type: str,
    file: str,
    *,
    allow_replay: bool,
    signer_key: str | None,
    signer_certificate: str | None,
    **where: Unpack[_Where],
) -> None:
    jws = administration.encode_policy(read_text(file), _author(signer_key, signer_certificate))
    with connected(**where) as connection:
        call = administration.set_policy_call(connection.url, policy_type, jws, allow_replay=allow_replay)
        result = connection.result(call)
    say(f"{policy_type}: {_text(result, 'x-ms-policy-result')}")
    note(f"hash of the JWS: {_text(result, 'x-ms-policy-token-hash')}")


@click.command(
    help=f"""Put the default policy of TYPE in force again.

\b
Example:
  assay policy reset SgxEnclave {_WHERE}
"""
)
@click.argument("policy_type", metavar="TYPE", type=_TYPE)
@_signer_options
@connection_options
def reset(policy_type: str, *, signer_key: str | None, signer_certificate: str | None, **where: Unpack[_Where]) -> None:
    jws = administration.encode_reset(_author(signer_key, signer_certificate))
    with connected(**where) as connection:
        result = connection.result(administration.reset_policy_call(connection.url, policy_type, jws))
    say(f"{policy_type}: {_text(result, 'x-ms-policy-result')}")


@click.command(
    help=f"""List every version of the policy of TYPE: number, how it came, when, by whom, its hash.

\b
Example:
  assay policy history SgxEnclave {_WHERE}
"""
)
@click.argument("policy_type", metavar="TYPE", type=_TYPE)
@click.option("--json", "as_json", is_flag=True, help="For programs, with each JWS.")
@connection_options
def history(policy_type: str, *, as_json: bool, **where: Unpack[_Where]) -> None:
    with connected(**where) as connection:
        answer = connection.do(administration.history_call(connection.url, policy_type), administration.read_plain)
    if as_json:
        show_json(answer)
        return
    versions = answer.get("versions")
    rows = [
        [Span(_text(version, name)) for name in ("number", "action", "restores", "setAt", "setBy", "policyHash")]
        for version in (versions if isinstance(versions, list) else ())
        if isinstance(version, dict)
    ]
    show_table(("number", "action", "restores", "set at", "set by", "x-ms-policy-hash"), rows)


@click.command(
    help=f"""Put version NUMBER of the policy of TYPE in force again, under a new number.

\b
Example:
  assay policy rollback SgxEnclave 3 {_WHERE}
"""
)
@click.argument("policy_type", metavar="TYPE", type=_TYPE)
@click.argument("number", type=click.IntRange(min=1))
@connection_options
def rollback(policy_type: str, number: int, **where: Unpack[_Where]) -> None:
    with connected(**where) as connection:
        call = administration.roll_back_call(connection.url, policy_type, number)
        answer = connection.do(call, administration.read_plain)
    say(f"{policy_type}: version {number} is in force again, as version {_text(answer, 'number')}")


def _text(members: JsonObject, name: str) -> str:
    value = members.get(name)
    return "" if value is None else str(value)

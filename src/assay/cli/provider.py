"""`assay provider`: providers (tenants) of an installation, over its control plane."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypedDict, Unpack

import click

from assay.cli.connection import Connection, connected, connection_options
from assay.cli.files import read_option_file
from assay.cli.provider_import import import_from
from assay.cli.terminal import Span, note, say, show_json, show_table
from assay.client import administration
from assay.client.administration import ResourceGroup, read_chain
from assay.errors import ConfigurationError, ServiceRefused
from assay.service.rules_file import read_rules_document

if TYPE_CHECKING:
    from assay.formats.strict_json import JsonObject, JsonValue

_WHERE: Final = "--url https://localhost:8443 --ca dev/ca.pem --token-file dev/operator.token"
_EPILOG: Final = f"""\b
Examples:
  assay provider create acme {_WHERE}
  assay provider create vault --signer signer.pem …       an isolated provider
  assay provider set acme --strict --token-lifetime 60 …
  assay provider list …
  assay provider import https://mine.weu.attest.azure.net --name acme --from-token-file azure.token …
"""


class _Where(TypedDict):
    """What click reads for every one of these commands."""

    url: str
    token_file: str | None
    ca: str | None


class _Settings(TypedDict):
    """What click reads of a provider's settings."""

    public_network_access: bool | None
    tpm_authentication: bool | None
    token_lifetime: int | None
    algorithm: str | None
    accept_tcb: str | None
    allow_debug: bool | None
    strict: bool | None
    platform_rules: Path | None
    allow_policy_replay: bool | None
    own_url: str | None


@dataclass(frozen=True, slots=True)
class _Control:
    """The control plane of one resource group."""

    connection: Connection
    group: ResourceGroup

    def call(self, method: str, name: str = "", body: JsonObject | None = None) -> JsonObject:
        made = self.group.provider_call(self.connection.url, method, name, body)
        return self.connection.do(made, administration.read_resource)

    def require_absent(self, name: str) -> None:
        """Raises `ConfigurationError` when there is such a provider in the group."""
        try:
            self.call("GET", name)
        except ServiceRefused as error:
            if error.status == 404:
                return
            raise
        raise ConfigurationError(f"there is a provider {name!r} already; delete it first, or choose another name")


@click.group(epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--subscription", default="local", show_default=True, help="As in Azure; any word will do.")
@click.option("--group", default="local", show_default=True, help="Resource group; any word will do.")
@click.pass_context
def provider(ctx: click.Context, subscription: str, group: str) -> None:
    """Make, show, change and delete providers; an operator's token is needed.

    Each has its own address, policies, signers, signing keys and settings.
    """
    ctx.obj = ResourceGroup(subscription, group)


def _settings_options(command: click.decorators.FC) -> click.decorators.FC:
    for option in (
        click.option("--own-url", metavar="URL", help="Its base URL, with a host name of its own."),
        click.option("--allow-policy-replay/--refuse-policy-replay", default=None, help="Older signed policies again."),
        click.option("--strict/--no-strict", default=None, help="The safe set of platform rules."),
        click.option("--allow-debug/--deny-debug", default=None, help="Debug enclaves and machines."),
        click.option(
            "--platform-rules",
            metavar="F",
            type=click.Path(path_type=Path, dir_okay=False),
            help="TOML file of its rules about platforms.",
        ),
        click.option("--accept-tcb", metavar="STATUS[,STATUS...]|any", help="TCB statuses accepted."),
        click.option("--algorithm", type=click.Choice(["RS256", "ES256"]), help="Signature of its tokens."),
        click.option("--token-lifetime", type=click.IntRange(1, 525600), help="Minutes."),
        click.option(
            "--tpm-authentication/--no-tpm-authentication", default=None, help="A bearer for TPM attestation."
        ),
        click.option("--public-network-access/--no-public-network-access", default=None, help="Callers from anywhere."),
    ):
        command = option(command)
    return command


def _properties(settings: _Settings, *, shared: bool = False) -> dict[str, JsonValue]:
    switches = {
        "publicNetworkAccess": settings["public_network_access"],
        "tpmAttestationAuthentication": settings["tpm_authentication"],
    }
    properties: dict[str, JsonValue] = {
        name: "Enabled" if on else "Disabled" for name, on in switches.items() if on is not None
    }
    accepted, file = settings["accept_tcb"], settings["platform_rules"]
    own: dict[str, JsonValue] = {
        "tokenLifetimeInMinutes": settings["token_lifetime"],
        "signingAlgorithm": settings["algorithm"],
        "acceptedTcbStatuses": None if accepted is None else [*accepted.split(",")],
        "allowDebug": settings["allow_debug"],
        "strict": settings["strict"],
        "platformRules": None if file is None else read_rules_document(file),
        "allowPolicyReplay": settings["allow_policy_replay"],
        "baseUrl": settings["own_url"],
        "shared": shared or None,
    }
    named = {name: value for name, value in own.items() if value is not None}
    if named:
        properties["assay"] = dict(named)
    return properties


@provider.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@connection_options
@click.pass_obj
def list_(group: ResourceGroup, *, as_json: bool, **where: Unpack[_Where]) -> None:
    """List the providers of the resource group that the token may read."""
    with connected(**where) as connection:
        answer = _Control(connection, group).call("GET")
    if as_json:
        show_json(answer)
        return
    found = answer.get("value")
    rows = [_row(each) for each in (found if isinstance(found, list) else ()) if isinstance(each, dict)]
    show_table(("name", "trust model", "location", "base URL"), rows)


def _row(resource: JsonObject) -> list[Span]:
    properties = resource.get("properties")
    own = properties if isinstance(properties, dict) else {}
    parts = (resource.get("name"), own.get("trustModel"), resource.get("location"), own.get("attestUri"))
    return [Span(str(part)) for part in parts]


@provider.command()
@click.argument("name")
@connection_options
@click.pass_obj
def show(group: ResourceGroup, name: str, **where: Unpack[_Where]) -> None:
    """Show the provider NAME as JSON."""
    with connected(**where) as connection:
        show_json(_Control(connection, group).call("GET", name))


@provider.command()
@click.argument("name")
@click.option("--location", default="local", show_default=True, help="Any word; of a shared provider, its region.")
@click.option("--signer", "signers", multiple=True, metavar="F", help="Certificate (PEM) that may sign its policies.")
@click.option("--shared", is_flag=True, help="Default policies only, readable by every authenticated caller.")
@_settings_options
@connection_options
@click.pass_obj
def create(
    group: ResourceGroup,
    name: str,
    *,
    location: str,
    signers: tuple[str, ...],
    shared: bool,
    url: str,
    token_file: str | None,
    ca: str | None,
    **settings: Unpack[_Settings],
) -> None:
    """Make the provider NAME: 3 to 24 letters, digits and hyphens. With --signer it is isolated, for good."""
    properties = _properties(settings, shared=shared)
    if signers:
        chains = (read_chain(read_option_file(file)) for file in signers)
        properties["policySigningCertificates"] = {"keys": [{"kty": "RSA", "x5c": list(chain)} for chain in chains]}
    with connected(url, token_file, ca) as connection:
        made = _Control(connection, group).call("PUT", name, {"location": location, "properties": properties})
    _say_address(made)


@provider.command("set")
@click.argument("name")
@_settings_options
@connection_options
@click.pass_obj
def set_(
    group: ResourceGroup,
    name: str,
    *,
    url: str,
    token_file: str | None,
    ca: str | None,
    **settings: Unpack[_Settings],
) -> None:
    """Change settings of the provider NAME; what is not named stays."""
    properties = _properties(settings)
    if not properties:
        raise click.UsageError("nothing to change: name a setting")
    with connected(url, token_file, ca) as connection:
        show_json(_Control(connection, group).call("PATCH", name, {"properties": properties}))


@provider.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@connection_options
@click.pass_obj
def delete(group: ResourceGroup, name: str, *, yes: bool, **where: Unpack[_Where]) -> None:
    """Delete the provider NAME with its policies, their history, its signers and its signing keys."""
    if not yes:
        click.confirm(f"Delete provider {name!r} and everything it has?", abort=True, err=True)
    with connected(**where) as connection:
        made = group.provider_call(connection.url, "DELETE", name)
        existed = connection.do(made, administration.read_deletion)
    note(f"{name}: deleted" if existed else f"{name}: there was none")


@provider.command("import")
@click.argument("source", metavar="SOURCE")
@click.option("--name", required=True, help="Of the provider to make here.")
@click.option("--from-token-file", metavar="F", required=True, help="Bearer token that may read policies at SOURCE.")
@click.option("--from-ca", metavar="F", help="CA certificates (PEM) for the TLS of SOURCE.")
@click.option("--location", default="local", show_default=True, help="Any word.")
@connection_options
@click.pass_obj
def import_(
    group: ResourceGroup,
    source: str,
    *,
    name: str,
    from_token_file: str,
    from_ca: str | None,
    location: str,
    **where: Unpack[_Where],
) -> None:
    """Read policies and signers out of the live provider at the URL SOURCE, and set them up as NAME here.

    Its answers are verified with its own keys. A provider with policy management certificates becomes an isolated one
    here, with the same; signed policies keep their signatures. What is there already under NAME is not overwritten.
    """
    with connected(source, from_token_file, from_ca) as theirs, connected(**where) as here:
        control = _Control(here, group)
        control.require_absent(name)
        made = import_from(
            theirs, lambda properties: control.call("PUT", name, {"location": location, "properties": properties})
        )
        address = _say_address(made.resource)
        with connected(address, where["token_file"], where["ca"]) as provider_here:
            made.set_policies(provider_here, note)


def _say_address(resource: JsonObject) -> str:
    properties = resource.get("properties")
    address = str(properties.get("attestUri")) if isinstance(properties, dict) else ""
    say(address)
    return address

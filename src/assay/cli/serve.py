"""`assay serve`: the attestation service."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

_EPILOG = """\b
Examples:
  assay serve --dev
      on a laptop: self-signed TLS, simulator evidence allowed, nothing to configure
  ASSAY_SEALING_KEY=$(openssl rand -base64 32) assay serve \\
      --base-url https://attest.example.org --tls-cert server.pem --tls-key server.key
      in production: keep the sealing key, the signing keys in the database are encrypted under it;
      add --authentication FILE, or nobody can manage policies
  assay serve --dev --collateral ./collateral --offline
      without any network: endorsements from a directory only
"""

_TOKENS = ("reader.token", "contributor.token", "operator.token")
_IGNORED = ("ASSAY_SERVE_DEV", "ASSAY_SERVE_UNSAFE_VERIFY_AT", "ASSAY_SERVE_UNSAFE_NO_REVOCATION", "ASSAY_DEV")


def _unsafe_option(*names: str, **settings: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """An option that no environment variable can switch on (attack case IN-11)."""
    return click.option(*names, allow_from_autoenv=False, **settings)


@click.command(epilog=_EPILOG, context_settings={"show_default": True, "auto_envvar_prefix": "ASSAY_SERVE"})
@click.option("--host", default="127.0.0.1", help="Address to listen on.")
@click.option("--port", default=8443, type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one.")
@click.option("--base-url", help="What clients call and tokens name as issuer  [default: https://localhost:PORT]")
@click.option("--provider-url", metavar="PATTERN", help="Base URLs of providers  [default: BASE-URL/provider/{name}]")
@click.option(
    "--authentication",
    type=click.Path(path_type=Path, dir_okay=False),
    help="TOML file: which issuers' bearer tokens grant which roles.",
)
@click.option("--database-url", help="sqlite:///PATH or postgresql://USER@HOST/NAME  [default: SQLite in --state-dir]")
@click.option("--state-dir", type=click.Path(path_type=Path), help="Embedded database and development files.")
@click.option("--workers", default=1, type=click.IntRange(1, 64), help="Processes, each with a socket of its own.")
@click.option("--tls-cert", type=click.Path(path_type=Path, dir_okay=False), help="Server certificate chain, PEM.")
@click.option("--tls-key", type=click.Path(path_type=Path, dir_okay=False), help="Its private key, PEM.")
@click.option("--trusted-proxy", multiple=True, metavar="ADDRESS", help="Proxy whose X-Forwarded-* headers count.")
@click.option("--trust", multiple=True, type=click.Path(path_type=Path), help="Directory of more trust anchors.")
@click.option("--collateral", multiple=True, type=click.Path(path_type=Path), help="Directory of endorsements.")
@click.option("--offline", is_flag=True, help="Never ask the vendors' services.")
@click.option("--amd-url", metavar="URL", help="AMD's key distribution service or a copy of it  [default: AMD's]")
@click.option("--vendor-url", metavar="URL", help="Intel's service or a PCCS  [default: Intel's]")
@click.option("--vendor-ca", type=click.Path(path_type=Path, dir_okay=False), help="CA of the vendor's TLS, PEM.")
@click.option("--vendor-proxy", metavar="URL", help="HTTP proxy towards the vendor.")
@click.option(
    "--channel", type=click.Choice(["standard", "early"]), default="standard", help="What azuredefault means."
)
@click.option("--accept-tcb", metavar="STATUS[,STATUS...]|any", help="TCB statuses accepted.")
@click.option("--strict", is_flag=True, help="The safe set of platform rules: no debug, no provisioning enclaves, …")
@click.option("--deny-debug", is_flag=True, help="Refuse debug enclaves and machines.")
@click.option(
    "--platform-rules",
    type=click.Path(path_type=Path, dir_okay=False),
    help="TOML file: which platforms, least TCB, grace periods, …",
)
@click.option("--algorithm", type=click.Choice(["RS256", "ES256"]), default="RS256", help="Signature of tokens.")
@click.option("--token-lifetime", default=480, type=click.IntRange(1, 525600), help="Minutes.")
@click.option(
    "--report-lifetime",
    default=1440,
    type=click.IntRange(1, 525600),
    help="Minutes, of reports whose policy is silent.",
)
@click.option(
    "--audit",
    type=click.Choice(["wait", "async", "off"]),
    default="wait",
    help="Replies wait for their audit record, or do not, or there is none.",
)
@click.option("--audit-retention", type=click.IntRange(1), metavar="DAYS", help="Purge older audit records.")
@click.option(
    "--sealing-key-file", type=click.Path(path_type=Path, dir_okay=False), help="Instead of ASSAY_SEALING_KEY."
)
@_unsafe_option("--dev", is_flag=True, help="Development: self-signed TLS, simulator evidence; loudly.")
@_unsafe_option(
    "--unsafe-verify-at", metavar="TIME", help="With --dev: judge endorsements at this time; tokens marked."
)
@_unsafe_option("--unsafe-no-revocation", is_flag=True, help="With --dev: tolerate missing revocation lists; marked.")
def command(**options: object) -> None:
    """Run the attestation service until a signal.

    Prints one line `ready: URL` on standard output when it answers. Options may come from the environment as
    ASSAY_SERVE_NAME (ASSAY_SERVE_BASE_URL, say; lists separated by white space), the state directory also as
    ASSAY_STATE_DIR. Development and unsafe options come from the command line only.
    """
    from assay.service.server import serve
    from assay.service.settings_from_options import settings_from_options

    for name in _IGNORED:
        if name in os.environ:
            click.echo(f"assay: {name} is ignored: unsafe options come from the command line only", err=True)
    settings = settings_from_options(options)
    if settings.dev:
        _warn_development(settings.state_dir)
    try:
        serve(settings, _announce)
    except KeyboardInterrupt:
        sys.exit(130)


def _announce(base_url: str) -> None:
    click.echo(f"ready: {base_url}")
    sys.stdout.flush()


def _warn_development(state_dir: Path) -> None:
    click.echo(
        "assay: DEVELOPMENT MODE. Evidence of the simulator is believed, whose keys everybody knows; its tokens are "
        f"marked.\nassay: clients trust {state_dir / 'dev' / 'ca.pem'}\n"
        f"assay: bearer tokens: {' '.join(str(state_dir / 'dev' / name) for name in _TOKENS)}",
        err=True,
    )

"""The command line: one module per command, imported when it is called."""

from __future__ import annotations

import os
import sys
import warnings
from typing import TYPE_CHECKING, Final, NoReturn

import click

from assay._version import __version__
from assay.cli.failures import run_guarded
from assay.cli.lazy import Entry, LazyGroup

if TYPE_CHECKING:
    from collections.abc import Sequence

_HELP: Final = """Attestation that anyone can run: a service that speaks Microsoft Azure Attestation, and its tools.

\b
First steps, without any hardware:
  assay simulate SgxEnclave --out demo
  assay verify demo/quote.bin --type SgxEnclave --endorsements demo/collateral --unsafe-simulator
  assay serve --dev

Every command explains itself with --help. Exit codes: 0 yes, 1 no, 2 could not be decided or wrong usage.
"""

_COMMANDS: Final = {
    "serve": Entry("assay.cli.serve", "command", "Run the attestation service.", "service"),
    "verify": Entry("assay.cli.verify", "verify", "Judge evidence offline, check by check."),
    "inspect": Entry("assay.cli.inspect", "inspect", "Decode anything; trusts nothing."),
    "pcr": Entry("assay.cli.pcr", "pcr", "Predict the PCRs of a measured boot."),
    "attest": Entry("assay.cli.attest", "attest", "Send evidence to a service, get a token.", "client"),
    "token": Entry("assay.cli.token", "token", "Verify attestation tokens."),
    "policy": Entry("assay.cli.policy", "policy", "Write, check, try and set policies."),
    "signer": Entry("assay.cli.signer", "signer", "Who may sign an isolated provider's policies.", "client"),
    "provider": Entry("assay.cli.provider", "provider", "Providers (tenants): make, change, import.", "client"),
    "simulate": Entry("assay.cli.simulate", "simulate", "Make synthetic evidence (development only)."),
    "audit": Entry("assay.cli.audit", "audit", "Prove, read and purge the audit."),
    "version": Entry("assay.cli.version", "version", "Print the version."),
}

root: Final = click.version_option(__version__, message="assay %(version)s")(LazyGroup("assay", _COMMANDS, _HELP))


def run(arguments: Sequence[str] | None = None) -> int:
    """The exit code of one call of the command line."""
    # https://no-color.org: any value that is not empty; colour otherwise only on a terminal.
    colour = False if os.environ.get("NO_COLOR") else None
    return run_guarded(lambda: _call(None if arguments is None else list(arguments), colour))


def _call(arguments: list[str] | None, colour: bool | None) -> object:
    return root.main(arguments, prog_name="assay", standalone_mode=False, color=colour)


def main() -> NoReturn:
    """The entry point `assay`."""
    if not sys.warnoptions:
        # Libraries warn about oddities of strangers' certificates; the verdict says what matters.
        warnings.simplefilter("ignore")
    sys.exit(run())


__all__ = ["main", "root", "run"]

"""`assay version`."""

from __future__ import annotations

import platform

import click

from assay import __version__
from assay.cli.terminal import say, show_json


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def version(as_json: bool) -> None:
    """Print the version of Assay and of the Python it runs on.

    \b
    Example:
      assay version --json
    """
    if as_json:
        show_json({"assay": __version__, "python": platform.python_version()})
    else:
        say(f"assay {__version__} (Python {platform.python_version()})")

"""Which audit a command works on: that of a state directory, or of a database."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from assay.errors import ConfigurationError
from assay.service.config import default_state_dir
from assay.store import Store, default_database_url
from assay.store.audit import audit_database_url, open_audit_store

Command = Callable[..., None]


def database_options(command: Command) -> Command:
    """The options of `serve` that name the database."""
    state_dir = click.option(
        "--state-dir",
        type=click.Path(path_type=Path),
        help="State directory of the service  [default: that of `assay serve`]",
    )
    url = click.option(
        "--database-url",
        envvar="ASSAY_SERVE_DATABASE_URL",
        metavar="URL",
        help="The service's database, instead of the embedded one.",
    )
    return state_dir(url(command))


@contextmanager
def audit_store(state_dir: Path | None, database_url: str | None) -> Iterator[Store]:
    """The store of an audit that is there; raises `ConfigurationError`, and creates nothing."""
    url = database_url or default_database_url(state_dir or default_state_dir(os.environ))
    _require_file(audit_database_url(url))
    with open_audit_store(url) as store:
        yield store


def _require_file(url: str) -> None:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        return  # opening it says what is wrong
    if parsed.drivername == "sqlite" and not Path(str(parsed.database)).is_file():
        raise ConfigurationError(f"no audit at {parsed.database}: name the service's --state-dir or --database-url")

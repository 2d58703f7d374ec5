"""The options by which administrative commands reach a provider, and the connection that they make."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from assay import clock
from assay.cli.files import read_option_file
from assay.client.administration import result_reader
from assay.client.shells import Client
from assay.formats.strict_json import JsonObject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from assay.client.protocol import Call, Reply

ReadT = TypeVar("ReadT")


@dataclass(frozen=True, slots=True)
class Connection:
    """A provider that is spoken to with a bearer token."""

    client: Client

    @property
    def url(self) -> str:
        return self.client.url

    def do(self, call: Call, read: Callable[[Reply], ReadT]) -> ReadT:
        """The answer to a call; raises as `Client.do` does."""
        return self.client.do(call, read)

    def result(self, call: Call) -> JsonObject:
        """What a result token says, verified with the provider's own keys; raises `TokenRejected`, too."""
        return self.client.do(call, result_reader(self.url, self.client.key_set(), clock.now()))


def connection_options(command: Callable[..., None]) -> Callable[..., None]:
    """Adds --url, --token-file and --ca."""
    for option in (
        click.option("--ca", metavar="F", help="CA certificates (PEM) for its TLS, in place of the system's."),
        click.option(
            "--token-file",
            metavar="F",
            envvar="ASSAY_TOKEN_FILE",
            help="Bearer token of an administrator  [env: ASSAY_TOKEN_FILE]",
        ),
        click.option("--url", metavar="URL", required=True, help="Base URL of the provider."),
    ):
        command = option(command)
    return command


@contextmanager
def connected(url: str, token_file: str | None, ca: str | None) -> Iterator[Connection]:
    """A connection by the values of the options."""
    bearer = None if token_file is None else read_option_file(token_file).decode("ascii", "replace").strip()
    with Client(url, ca_file=None if ca is None else Path(ca), bearer=bearer) as client:
        yield Connection(client)

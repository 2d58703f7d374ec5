"""Groups of commands that import a command's module only when it is called, so that `assay --help` is quick."""

from __future__ import annotations

import difflib
import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from assay.cli.failures import ReaderGone

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a command is, and what the group's help says of it."""

    module: str
    attribute: str
    summary: str
    extra: str = "cli"


class LazyGroup(click.Group):
    """A group whose commands are known by name before they are imported."""

    def __init__(self, name: str, entries: Mapping[str, Entry], text: str) -> None:
        super().__init__(
            name, help=text, no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]}
        )
        self._entries = entries

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # the interface of click
        return list(self._entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # likewise
        entry = self._entries.get(cmd_name)
        return None if entry is None else _load(cmd_name, entry)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # likewise
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in self._entries.items()])

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise ReaderGone from error

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        close = difflib.get_close_matches(args[0], self._entries, 1) if args else []
        if args and args[0] not in self._entries and close:
            ctx.fail(f"No such command {args[0]!r}. Did you mean {close[0]!r}?")
        return super().resolve_command(ctx, args)


def _load(name: str, entry: Entry) -> click.Command:
    try:
        command = getattr(importlib.import_module(entry.module), entry.attribute)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("assay"):
            raise
        raise click.UsageError(
            f"{name!r} needs the package {error.name!r}: install it with  pip install 'assay[{entry.extra}]'"
        ) from error
    if not isinstance(command, click.Command):
        raise TypeError(f"{entry.module}.{entry.attribute} is not a command")
    return command

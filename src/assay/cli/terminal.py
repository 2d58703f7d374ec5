"""What people see: trees and tables, with rich on a terminal where it is installed, plain text elsewhere."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import click

from assay.cli.failures import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from assay.formats.strict_json import JsonValue

# A style's meaning, as click spells it and as rich does.
_CLICK: Final[dict[str, dict[str, bool | str]]] = {
    "good": {"fg": "green"},
    "bad": {"fg": "red", "bold": True},
    "warn": {"fg": "yellow"},
    "dim": {"dim": True},
    "strong": {"bold": True},
}
_RICH: Final = {"good": "green", "bad": "bold red", "warn": "yellow", "dim": "dim", "strong": "bold"}


@dataclass(frozen=True, slots=True)
class Span:
    """Text in one style; the empty style is the terminal's own."""

    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """One line of a tree and what stands under it."""

    line: tuple[Span, ...]
    children: tuple[Node, ...] = ()


def node(text: str, style: str = "", children: Iterable[Node] = ()) -> Node:
    """A node whose line has one style."""
    return Node((Span(text, style),), tuple(children))


def say(text: str = "", style: str = "") -> None:
    """One line on standard output."""
    click.echo(_styled(Span(text, style)))


def note(text: str) -> None:
    """A remark beside the result, on standard error."""
    click.echo(_styled(Span(text, "dim")), err=True)


def show_json(value: JsonValue | Mapping[str, JsonValue]) -> None:
    """One JSON text on standard output, members in the order given."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=True))


def show_tree(root: Node) -> None:
    """The tree on standard output."""
    if _has_rich():
        _rich_tree(root)
        return
    for text in (_line(root), *_branches(root.children, "")):
        click.echo(text)


def complain_tree(root: Node) -> None:
    """The tree on standard error, plain: what stands beside a result, never in it."""
    for text in (_line(root), *_branches(root.children, "")):
        click.echo(text, err=True)


def show_table(header: Sequence[str], rows: Sequence[Sequence[Span]]) -> None:
    """The table on standard output, columns as wide as their content."""
    if _has_rich():
        _rich_table(header, rows)
        return
    widths = [
        max(len(printable(cell.text)) for cell in (Span(name), *column)) for name, *column in _columns(header, rows)
    ]
    click.echo("  ".join(name.ljust(width) for name, width in zip(header, widths, strict=True)).rstrip())
    for row in rows:
        cells = [
            _styled(cell) + " " * (width - len(printable(cell.text))) for cell, width in zip(row, widths, strict=True)
        ]
        click.echo("  ".join(cells).rstrip())


def _columns(header: Sequence[str], rows: Sequence[Sequence[Span]]) -> Iterable[tuple[str, *tuple[Span, ...]]]:
    return ((name, *(row[index] for row in rows)) for index, name in enumerate(header))


def is_unicode() -> bool:
    """Whether standard output can show marks beyond ASCII."""
    return (getattr(sys.stdout, "encoding", None) or "ascii").lower().replace("-", "") in ("utf8", "utf16")


def _branches(children: Sequence[Node], indent: str) -> Iterable[str]:
    tee, corner, bar = ("├─ ", "└─ ", "│  ") if is_unicode() else ("|- ", "`- ", "|  ")
    for index, child in enumerate(children):
        last = index == len(children) - 1
        yield f"{indent}{corner if last else tee}{_line(child)}"
        yield from _branches(child.children, indent + ("   " if last else bar))


def _line(shown: Node) -> str:
    return "".join(map(_styled, shown.line))


def _styled(span: Span) -> str:
    text = printable(span.text)
    return click.style(text, **_CLICK[span.style]) if span.style else text  # type: ignore[arg-type]  # a table of keywords


def _has_rich() -> bool:
    if not sys.stdout.isatty() or os.environ.get("TERM") == "dumb":
        return False
    try:
        import rich  # noqa: F401  # asked for only
    except ModuleNotFoundError:
        return False
    return True


def _rich_tree(root: Node) -> None:
    from rich.console import Console
    from rich.text import Text
    from rich.tree import Tree

    def text(shown: Node) -> Text:
        return Text.assemble(*((printable(span.text), _RICH.get(span.style, "")) for span in shown.line))

    def grow(tree: Tree, children: Sequence[Node]) -> None:
        for child in children:
            grow(tree.add(text(child)), child.children)

    tree = Tree(text(root), guide_style="dim")
    grow(tree, root.children)
    Console(highlight=False, soft_wrap=True).print(tree)


def _rich_table(header: Sequence[str], rows: Sequence[Sequence[Span]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*header, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(*(Text(printable(cell.text), _RICH.get(cell.style, "")) for cell in row))
    Console(highlight=False).print(table)

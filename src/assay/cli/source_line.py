"""A line of a text with a caret below the place that a message is about."""

from __future__ import annotations

from typing import Final

from assay.cli.terminal import say

_WIDTH: Final = 120
_BEFORE: Final = 50
_TAB: Final = "    "


def show_place(text: str, line: int, column: int, width: int = 1) -> None:
    """Prints the line (from 1) and carets below `width` characters at the column (from 0); long lines are cut."""
    lines = text.removeprefix("\ufeff").split("\n")
    if not 1 <= line <= len(lines):
        return
    shown = lines[line - 1].rstrip("\r")
    start = max(column - _BEFORE, 0) if len(shown) > _WIDTH else 0
    # Control characters of strangers take one column each, so that the caret stands below the symbol.
    cut = "".join(c if c.isprintable() or c == "\t" else " " for c in shown[start : start + _WIDTH])
    before = column - start
    carets = "^" * max(min(width, len(cut) - before), 1)
    lead = "".join("\t" if c == "\t" else " " for c in cut[:before]).ljust(before)
    prefix, suffix = "..." if start else "", "..." if len(shown) > start + _WIDTH else ""
    say(f"  {prefix}{cut}{suffix}".replace("\t", _TAB))
    say(f"  {' ' * len(prefix)}{lead}{carets}".replace("\t", _TAB), "warn")

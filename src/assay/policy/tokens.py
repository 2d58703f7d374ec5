"""The words of a policy text (policy-language section 2)."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

STRING: Final = "string"
INTEGER: Final = "integer"
VERSION: Final = "version"
NAME: Final = "identifier"
UNKNOWN: Final = "unknown"
END: Final = "<EOF>"

# Possessive throughout: no text makes the scan slower than linear. The last group takes whatever nothing else does,
# typographic quotes, block comments and strings that are not closed among it.
_TOKEN: Final = re.compile(
    r"""(?P<skip>(?:[ \t\r\n\f]++|//[^\r\n]*+)++)
    |(?P<identifier>[A-Za-z_][A-Za-z0-9_]*+)
    |(?P<mark>=>|==|!=|<=|>=|&&|[<>!=:;,.(){}\[\]])
    |(?P<string>"(?:[^"\\]++|\\.)*+")
    |(?P<version>[0-9]++\.[0-9]++)
    |(?P<integer>-?[0-9]++)
    |(?P<unknown>/\*|.)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE: Final = re.compile(r'\\(["\\])')
_BYTE_ORDER_MARK: Final = "\ufeff"
_SHOWN: Final = 80


class Token(NamedTuple):
    """One word: `kind` is its class, or for a mark such as `=>` the mark itself."""

    kind: str
    text: str
    offset: int

    @property
    def shown(self) -> str:
        """The word as error messages print it: on one line, and cut when long."""
        cut = self.text if len(self.text) <= _SHOWN else f"{self.text[:_SHOWN]}..."
        return cut.replace("\r", "\\r").replace("\n", "\\n").replace("\t", "\\t")


# `Token(...)` without the call of a Python function; a policy has thousands of words.
_new: Final = tuple.__new__


class Place(NamedTuple):
    """Where a word stands: lines from 1, columns from 0 in code points."""

    line: int
    column: int


class Lines:
    """Finds line and column of an offset; a leading byte order mark takes no column."""

    __slots__ = ("_starts",)

    def __init__(self, text: str) -> None:
        first = 1 if text.startswith(_BYTE_ORDER_MARK) else 0
        self._starts = [first, *(end.end() for end in re.finditer("\n", text))]

    def place(self, offset: int) -> Place:
        line = max(bisect_right(self._starts, offset), 1)
        return Place(line, max(offset - self._starts[line - 1], 0))


def tokenize(text: str) -> Iterator[Token]:
    """The words of `text` in order, lazily, ending with one of kind `END`; what is no word is of kind `UNKNOWN`."""
    start = 1 if text.startswith(_BYTE_ORDER_MARK) else 0
    for found in _TOKEN.finditer(text, start):
        kind = found.lastgroup
        if kind == "skip" or kind is None:
            continue
        word = found[0]
        yield _new(Token, (word if kind == "mark" else kind, word, found.start()))
    yield Token(END, END, len(text))


def string_value(token: Token) -> str:
    r"""What a string literal denotes: `\"` and `\\` are unescaped, any other pair stays as it is (reading Q1)."""
    inner = token.text[1:-1]
    return _ESCAPE.sub(r"\1", inner) if "\\" in inner else inner

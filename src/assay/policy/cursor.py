"""A cursor over the words of a policy text that knows which grammar rule it is in, so that its errors can say so."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn, Self, TypeVar

from assay.errors import PolicyParsingError
from assay.policy import tokens
from assay.policy.tokens import END, NAME, UNKNOWN, Token

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

NodeT = TypeVar("NodeT")


class Cursor:
    """Stands before one word, `token`, and never looks further; every refusal is a `PolicyParsingError`."""

    __slots__ = ("_lines", "_path", "_text", "_words", "token")

    def __init__(self, text: str) -> None:
        self._text, self._lines, self._words = text, tokens.Lines(text), tokens.tokenize(text)
        self._path: list[str] = []
        self.token = next(self._words)

    def within(self, rule: str, parse: Callable[[Self], NodeT]) -> NodeT:
        """Runs the function of a grammar rule under the rule's name."""
        self._path.append(rule)
        node = parse(self)
        self._path.pop()
        return node

    def advance(self) -> Token:
        taken = self.token
        self.token = next(self._words)
        return taken

    def accept(self, kind: str) -> bool:
        """Takes the word if it is of this kind."""
        if self.token.kind != kind:
            return False
        self.token = next(self._words)
        return True

    def expect(self, kind: str) -> Token:
        """Takes the word, which must be of this kind."""
        if self.token.kind != kind:
            self.mismatch(kind if kind == NAME else f"'{kind}'")
        taken = self.token
        self.token = next(self._words)
        return taken

    def expect_name(self, names: Iterable[str]) -> Token:
        """Takes the word, which must be one of these names, case included."""
        if self.token.kind != NAME or self.token.text not in names:
            self.mismatch(*(f"'{name}'" for name in names))
        return self.advance()

    def is_keyword(self, keyword: str) -> bool:
        """Whether the word is this keyword, case ignored (reading Q20)."""
        return self.token.kind == NAME and self.token.text.lower() == keyword

    def expect_keyword(self, keyword: str) -> Token:
        if not self.is_keyword(keyword):
            self.mismatch(f"'{keyword}'")
        return self.advance()

    def expect_any(self, *kinds: str) -> None:
        """Raises unless the word is of one of these kinds; takes nothing."""
        if self.token.kind not in kinds:
            self.mismatch(*(kind if kind in {NAME, END} else f"'{kind}'" for kind in kinds))

    def mismatch(self, *expected: str) -> NoReturn:
        """Refuses the word in the words of the real parser; `expected` is printed as it is."""
        if self.token.kind == UNKNOWN:
            self.refuse(self.token, f"token recognition error at: '{self.token.shown}'")
        wanted = expected[0] if len(expected) == 1 else f"{{{', '.join(expected)}}}"
        self.refuse(self.token, f"mismatched input '{self.token.shown}' expecting {wanted}")

    def refuse(self, token: Token, failure: str) -> NoReturn:
        """Refuses a word that was read, under the grammar rule that the cursor is in."""
        line, column = self._lines.place(token.offset)
        raise PolicyParsingError(failure, symbol=token.shown, line=line, column=column, rule=" > ".join(self._path))

    def line(self, token: Token) -> int:
        return self._lines.place(token.offset).line

    def source(self, first: Token, last: Token) -> str:
        """The text from one word through another."""
        return self._text[first.offset : last.offset + len(last.text)]

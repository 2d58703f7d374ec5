"""The formatter of policy texts: white space in one fixed way, words and comments as they were written.

Formatting changes the octets of a policy and so its `x-ms-policy-hash`; what the policy means stays the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from assay.policy import tokens
from assay.policy.parser import parse_policy
from assay.policy.readings import DEFAULT, Readings
from assay.policy.tokens import END, INTEGER, NAME, STRING, Token

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_WIDTH: Final = 110
_RULE: Final = " " * 4
_CONTINUED: Final = " " * 8
_GAP: Final = re.compile(r"//(?P<comment>[^\r\n]*)|(?P<line_end>\r\n|\r|\n)")
# No space before these, and none after those; `==` and its like stand close, as in the documentation's samples.
_TIGHT_BEFORE: Final = frozenset({",", ";", ")", "]", ":", ".", "(", "=", "==", "!=", "<", "<=", ">", ">="})
_TIGHT_AFTER: Final = frozenset({"(", "[", "!", ":", ".", "=", "==", "!=", "<", "<=", ">", ">="})


@dataclass(frozen=True, slots=True)
class _Comment:
    """A comment: whether it stands on a line of its own, and whether an empty line is above it."""

    text: str
    own_line: bool
    spaced: bool


@dataclass(frozen=True, slots=True)
class _Word:
    """A word with the comments before it, and whether an empty line is above it."""

    token: Token
    comments: tuple[_Comment, ...]
    spaced: bool


@dataclass(slots=True)
class _Page:
    """Lines being written; the last one may still grow."""

    lines: list[str] = field(default_factory=lambda: [""])

    def put(self, text: str) -> None:
        self.lines[-1] += text

    def line(self, indent: str = "") -> None:
        """Begins a line; a line that is still empty is used."""
        if self.lines[-1].strip():
            self.lines.append(indent)
        else:
            self.lines[-1] = indent

    def space(self) -> None:
        """Leaves one empty line, except at the top."""
        self.line()
        if len(self.lines) > 1 and self.lines[-2]:
            self.lines.append("")

    def comments(self, comments: Sequence[_Comment], indent: str, *, spaced: bool = False) -> None:
        """Comments where they stood; the next word begins a line."""
        for comment in comments:
            if comment.own_line:
                if spaced and comment.spaced:
                    self.space()
                self.line(indent)
                self.put(comment.text)
            else:
                self.put(f"  {comment.text}" if self.lines[-1].strip() else indent + comment.text)
            self.lines.append("")

    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.lines).rstrip("\n") + "\n"


def format_policy(text: str, readings: Readings = DEFAULT) -> str:
    """The text in the fixed layout; formatting it again changes nothing, and it parses to an equal tree.

    Only white space, the case of section keywords and a leading byte order mark change. Raises `PolicyParsingError`.
    """
    parse_policy(text, readings)
    words = list(_words(text))
    page, position = _Page(), 0
    while words[position].token.kind != END:
        position = _statement(page, words, position)
    if words[position].spaced and not words[position].comments:
        page.line()
    page.comments(words[position].comments, "", spaced=True)
    return page.text()


def _words(text: str) -> Iterator[_Word]:
    end = 0
    for token in tokens.tokenize(text):
        comments, line_ends = [], 0 if end else 1
        for found in _GAP.finditer(text, end, token.offset):
            if found["line_end"] is not None:
                line_ends += 1
                continue
            comments.append(_Comment(f"//{found['comment'].rstrip()}", line_ends > 0, line_ends > 1))
            line_ends = 0
        yield _Word(token, tuple(comments), line_ends > 1)
        end = token.offset + len(token.text)


def _statement(page: _Page, words: Sequence[_Word], position: int) -> int:
    """Writes `version=1.0;` or a whole section, and gives the position after it."""
    first = words[position]
    if position:
        page.comments([c for c in first.comments if not c.own_line], "")
        page.space()
    own = [c for c in first.comments if c.own_line or not position]
    page.comments(own, "", spaced=True)
    if own and first.spaced:
        page.space()
    page.line()
    if first.token.text.lower() == "version":
        end = _end_of_statement(words, position)
        keyword = _Word(first.token._replace(text=first.token.text.lower()), first.comments, first.spaced)
        _put(page, [keyword, *words[position + 1 : end]], "")
        return end
    return _section(page, words, position)


def _section(page: _Page, words: Sequence[_Word], position: int) -> int:
    page.put(words[position].token.text.lower())
    page.comments(words[position + 1].comments, "")
    page.line()
    page.put("{")
    position += 2
    is_first = True
    while words[position].token.kind != "}":
        end = _end_of_statement(words, position)
        _rule(page, words[position:end], is_first=is_first)
        position, is_first = end, False
    page.comments(_unspaced_first(words[position].comments, is_first=is_first), _RULE, spaced=True)
    page.line()
    page.put("}")
    page.comments(words[position + 1].comments, "")
    page.put(";")
    return position + 2


def _end_of_statement(words: Sequence[_Word], position: int) -> int:
    while words[position].token.kind != ";":
        position += 1
    return position + 1


def _unspaced_first(comments: Sequence[_Comment], *, is_first: bool) -> Sequence[_Comment]:
    """The comments without an empty line directly after the opening brace."""
    if not is_first or not comments:
        return comments
    return [_Comment(comments[0].text, comments[0].own_line, spaced=False), *comments[1:]]


def _rule(page: _Page, words: Sequence[_Word], *, is_first: bool) -> None:
    first = words[0]
    page.comments(_unspaced_first(first.comments, is_first=is_first), _RULE, spaced=True)
    if first.spaced and not (is_first and not any(comment.own_line for comment in first.comments)):
        page.space()
    page.line(_RULE)
    plain = _Page()
    _put(plain, words, "")
    has_comments = any(word.comments for word in words[1:])
    fits = not has_comments and len(_RULE) + len(plain.lines[0]) <= _WIDTH
    _put(page, words, _CONTINUED, breaks=() if fits or words[0].token.kind == "=>" else ("&&", "=>"))


def _put(page: _Page, words: Sequence[_Word], indent: str, breaks: tuple[str, ...] = ()) -> None:
    """Writes words; those of `breaks` begin a line, and so does what follows a comment."""
    before: Token | None = None
    for word in words:
        token = word.token
        if before is not None and word.comments:
            page.comments(word.comments, indent)
        if before is not None and (token.kind in breaks or word.comments):
            page.line(indent)
        elif before is not None and _is_apart(before, token):
            page.put(" ")
        page.put(token.text)
        before = token


def _is_apart(before: Token, token: Token) -> bool:
    if "=>" in (before.kind, token.kind) or "&&" in (before.kind, token.kind):
        return True
    if before.kind in _TIGHT_AFTER or token.kind in _TIGHT_BEFORE:
        # `a.type` stays close; a name and a literal never touch in a policy that parses.
        return False
    return before.kind in {",", NAME, STRING, INTEGER} and token.kind != "["

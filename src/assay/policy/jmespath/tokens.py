"""The words of a JMESPath text, found in one pass (jmespath.org grammar, "Grammar")."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from assay import limits
from assay.formats import strict_json
from assay.formats.strict_json import JsonError, JsonValue
from assay.policy.jmespath.query_error import QueryError

NAME: Final = "a name"
QUOTED: Final = "a quoted name"
NUMBER: Final = "a number"
LITERAL: Final = "a literal"
END: Final = "the end"

# Possessive, so that a text without a closing delimiter is given up at once.
_WORD: Final = re.compile(
    r"""[ \t\r\n]*+(?:
      (?P<name>[A-Za-z_][A-Za-z0-9_]*+)
    | (?P<number>-?[0-9]++)
    | "(?P<quoted>(?:[^"\\]++|\\.)*+)"
    | '(?P<raw>(?:[^'\\]++|\\.)*+)'
    | `(?P<literal>(?:[^`\\]++|\\.)*+)`
    | (?P<sign>\[\]|\[\?|\|\||&&|[=!<>]=|[.*,:@(){}\[\]|&<>!])
    | (?P<end>\Z)
    )""",
    re.DOTALL | re.VERBOSE,
)
_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")
_RAW_QUOTE: Final = re.compile(r"\\(\\|')")
_LITERAL_QUOTE: Final = re.compile(r"\\(\\|`)")
# A text that means to be an array, an object or a number, and is not one, is not taken for a bare string.
_NOT_BARE: Final = re.compile(r"[\[{]|-?[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?\Z")


class Token(NamedTuple):
    """A word: what it is (a sign is itself), its value where it has one, and where it starts."""

    kind: str
    value: JsonValue
    start: int


def read_tokens(text: str) -> list[Token]:
    """The words of a query, the end among them; raises `QueryError`."""
    if len(text) > limits.JMESPATH_TEXT:
        raise QueryError(f"a query of more than {limits.JMESPATH_TEXT} characters")
    if _SURROGATE.search(text):
        raise QueryError("a lone surrogate")
    found: list[Token] = []
    place = 0
    while not found or found[-1].kind is not END:
        word = _WORD.match(text, place)
        if word is None:
            raise QueryError(f"no word of JMESPath at character {_next_word(text, place)}")
        found.append(_token(word))
        place = word.end()
    return found


def _next_word(text: str, place: int) -> int:
    return len(text) - len(text[place:].lstrip(" \t\r\n"))


def _token(word: re.Match[str]) -> Token:
    kind = word.lastgroup or ""
    content, start = word[kind], word.start(kind)
    match kind:
        case "name":
            return Token(NAME, content, start)
        case "number":
            return Token(NUMBER, _integer(content, start), start)
        case "quoted":
            return Token(QUOTED, _decode(f'"{content}"', start), start)
        case "raw":
            return Token(LITERAL, _unquote(_RAW_QUOTE, content), start)
        case "literal":
            return Token(LITERAL, _literal(_unquote(_LITERAL_QUOTE, content), start), start)
        case "end":
            return Token(END, None, start)
        case _:
            return Token(content, None, start)


def _unquote(quote: re.Pattern[str], content: str) -> str:
    r"""An escaped delimiter is the delimiter; every other backslash stays, `\\` as two (policy-language 7.1)."""
    return quote.sub(lambda pair: pair[0] if pair[1] == "\\" else pair[1], content)


def _integer(content: str, start: int) -> int:
    if len(content) > limits.JSON_NUMBER_DIGITS:
        raise QueryError(f"a number of {len(content)} digits at character {start}")
    return int(content)


def _decode(content: str, start: int) -> JsonValue:
    try:
        return strict_json.decode(content.encode("utf-8"))
    except JsonError as error:
        raise QueryError(f"{error} at character {start}") from error


def _literal(content: str, start: int) -> JsonValue:
    """The JSON between back-ticks, or a string without its quotes (JMESPath enhancement proposal 12)."""
    try:
        return strict_json.decode(content.encode("utf-8"))
    except JsonError as error:
        bare = content.lstrip(" \t\r\n")
        if _NOT_BARE.match(bare):
            raise QueryError(f"{error} in the literal at character {start}") from error
        return _decode(f'"{bare}"', start)

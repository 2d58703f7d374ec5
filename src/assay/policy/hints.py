"""What probably went wrong where a policy text does not parse, in words for its author."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Final

from assay.policy.syntax import Section

if TYPE_CHECKING:
    from assay.errors import PolicyParsingError

_KEYWORDS: Final = ("version", *(section.value for section in Section))
_BY_SYMBOL: Final = {
    "'": 'strings stand in double quotes: write "',
    "|": "there is no or: write two rules, one for each case",
    "&": "conditions are joined with &&",
    "/*": "comments begin with // and end with the line",
    '"': "this string is not closed",
    "<": "if this is a placeholder, put the value in its place",
}
_TYPOGRAPHIC: Final = re.compile("[\u201c\u201d\u201e]")
_WORD: Final = re.compile(r"[A-Za-z_]\w*\Z")


def hint(error: PolicyParsingError, text: str) -> str | None:
    """A sentence about the usual cause of such an error in the text, or None."""
    typographic = _TYPOGRAPHIC.search(text)
    if typographic is not None:
        line = text.count("\n", 0, typographic.start()) + 1
        return f'line {line} has a typographic quote, which does not delimit strings: write "'
    expected = error.failure.partition(" expecting ")[2]
    if error.symbol == "=" and "'=='" in expected:
        return "a comparison is written ==; a single = assigns"
    if error.symbol == "==" and expected == "'='":
        return "an assignment is written =; == compares"
    if "';'" in expected:
        return "every rule, and every section after its }, ends with ;"
    if _WORD.match(error.symbol):
        near = difflib.get_close_matches(error.symbol.lower(), re.findall(r"'(\w+)'", expected) or _KEYWORDS, 1, 0.7)
        return f"did you mean {near[0]}?" if near else None
    if "compares Integers" in error.failure:
        return "write the number without quotes; strings have == and != only"
    return _BY_SYMBOL.get(error.symbol)

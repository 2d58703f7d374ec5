"""A mutator that knows the policy language: it edits words, and exchanges rules, conditions and expressions of texts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

_WORD = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\n]*|[A-Za-z_]\w*|-?\d+(?:\.\d+)?|=>|==|!=|<=|>=|&&|\s+|.', re.DOTALL)
# Pieces of texts that may take each other's place.
_PIECES = (
    re.compile(r"[^;{}]*=>[^;{}]*;"),
    re.compile(r"!?(?:\w+\s*:\s*)?\[[^\[\]]*\]"),
    re.compile(r"\w+\([^()]*\)"),
    re.compile(r'(?:type|value|valueType|issuer)\s*(?:=|==|!=|<|<=|>|>=)\s*(?:"[^"]*"|[\w.]+)'),
    re.compile(r'"(?:[^"\\]|\\.)*"'),
)
_FUNCTIONS = ("JmesPath", "JsonToClaimValue", "IsSubsetOf", "AppendString", "NegateBool", "ContainsOnlyValue")
_WORDS = (
    *("version", "=", "1.0", "1.1", "1.2", "1.3", ";", "authorizationrules", "configurationrules", "Issuancerules", "{", "}"),
    *("[", "]", "=>", "permit", "deny", "add", "issue", "issueproperty", "(", ")", "()", "type", "value", "valueType", "issuer"),
    *("==", "!=", "<", "<=", ">", ">=", "&&", "!", "c", "c1", ":", ".", ",", "claim", "true", "false", '"', '"x"', '""', "\\"),
    *("5", "-5", "-", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "1" * 5000, '"' + "x" * 5000 + '"'),
    *("//", "/*", "\n", "\f", "\u201c", "\ufeff", "\u00e9", "\x00", "\ud800", "'", "`", "&", "|", *_FUNCTIONS),
    *(f"{name}(" for name in _FUNCTIONS),
)  # fmt: skip

SEEDS = (
    "version=1.0;authorizationrules{=>permit();};issuancerules{};",
    'version=1.1;configurationrules{=>issueproperty(type="x",value=15);};authorizationrules{c:[type=="a",value>=1]=>permit();};',
    (
        'Version = 1.2; // c\nauthorizationrules\n{\n![type=="a"] && c:[value==true, issuer!="CustomClaim"] => deny();\n=> permit();\n};\n'
        'issuancerules { c:[type=="e"] => issue(type="b", value=JsonToClaimValue(JmesPath(c.value, "a[?b == `1`] | [0]")), valueType="Integer");\n'
        'c:[type=="e"] && d:[value==c.value, type==AppendString(c.type, "x")] => issue(claim=d); };'
    ),
    'version=1.2;authorizationrules{a:[type=="x"]=>issue(type="y",value=NegateBool(IsSubsetOf(a.value,ContainsOnlyValue(a.value,-1))));};',
    "version=1.2;authorizationrules{=>add(type=" + 'AppendString("a",' * 20 + '"b"' + ")" * 20 + ",value=1);};",
)


def mutate(text: str, chance: random.Random, others: list[str]) -> str:
    """The text after one to four edits."""
    for _ in range(chance.randint(1, 4)):
        text = _exchange(text, chance, others) if chance.random() < 0.4 else _edit_words(text, chance)
    return text


def _exchange(text: str, chance: random.Random, others: list[str]) -> str:
    """A piece of the text gives way to one of its sort of another text, doubles, or goes."""
    piece = chance.choice(_PIECES)
    here, there = list(piece.finditer(text)), piece.findall(chance.choice(others))
    if not here:
        return text
    found = chance.choice(here)
    new = chance.choice((found[0] * 2, "", *there[:8]))
    return text[: found.start()] + new + text[found.end() :]


def _edit_words(text: str, chance: random.Random) -> str:
    words = _WORD.findall(text)
    at = chance.randrange(len(words) + 1)
    match chance.randrange(6):
        case 0 if at < len(words):
            del words[at]
        case 1:
            words.insert(at, chance.choice(_WORDS))
        case 2 if at < len(words):
            words[at] = chance.choice(_WORDS)
        case 3 if words:
            other = chance.randrange(len(words))
            words[at % len(words)], words[other] = words[other], words[at % len(words)]
        case 4:
            size = chance.randint(1, 12)
            words[at:at] = words[max(0, at - size) : at] * chance.choice((1, 1, 2, 40))
        case _:
            del words[at : at + chance.randint(1, 12)]
    return "".join(words)

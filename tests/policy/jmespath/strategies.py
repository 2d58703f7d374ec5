"""Random queries, words and documents over a small vocabulary, so that queries often find something."""

from __future__ import annotations

from hypothesis import strategies as st

NAMES = ("a", "b", "c", '"a"', '"d e"')
STRINGS = ("a", "A", "b", "", "1", "1.5", " 1", "é", "x'y", "\\w", "abc", "1_0")
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from((0, 1, 2, -1, 10**20, 1.0, 0.0, 1.5, -2.5)),
    st.sampled_from(STRINGS),
)
documents = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(("a", "b", "c", "d e")), inner, max_size=4),
        st.lists(st.dictionaries(st.sampled_from(("a", "b", "c")), inner, max_size=3), max_size=4),
        st.lists(st.sampled_from((0, 1, 1.5, -2)), max_size=4),
        st.lists(st.sampled_from(STRINGS), max_size=4),
    ),
    max_leaves=12,
)
LITERALS = (
    *("`1`", "`0`", "`1.0`", "`true`", "`null`", '`"a"`', '`[1, true, "a"]`', '`{"a": 1}`', "`[]`", "`{}`", "`bare`"),
    *("'a'", "'1'", r"'\w'", r"'x\'y'", "''", r"'\\'", r"`\``", r'`"\\"`'),
)  # fmt: skip
NUMBERS = ("0", "1", "-1", "3", "-5")
UNARY: tuple[str, ...] = (
    "abs",
    "avg",
    "ceil",
    "floor",
    "keys",
    "length",
    "max",
    "min",
    "reverse",
    "sort",
    "sum",
    "to_array",
    "to_number",
)
UNARY = (*UNARY, "to_string", "type", "values", "merge", "not_null")
BINARY = ("contains", "ends_with", "equals_ignore_case", "join", "starts_with", "merge", "not_null")
BY = ("sort_by", "max_by", "min_by")
SUFFIXES = ("[0]", "[-1]", "[1:]", "[:2]", "[::-1]", "[*]", "[]", ".*", "[::0]", "[-2:2:1]", "[*].*")

atoms = st.one_of(st.sampled_from(NAMES), st.sampled_from(NAMES), st.sampled_from((*LITERALS, "@", "*", *SUFFIXES[:7])))


def _nested(inner):
    pair = st.tuples(inner, inner)
    return st.one_of(
        st.tuples(inner, st.sampled_from(NAMES)).map(".".join),
        pair.map(".".join),
        st.tuples(inner, st.sampled_from(SUFFIXES)).map("".join),
        st.tuples(inner, inner).map(lambda two: f"{two[0]}[?{two[1]}]"),
        st.tuples(inner, st.sampled_from(("|", "||", "&&", "==", "!=", "<", "<=", ">", ">=")), inner).map(" ".join),
        inner.map("!{}".format),
        inner.map("({})".format),
        pair.map(lambda two: f"[{two[0]}, {two[1]}]"),
        pair.map(lambda two: f"{{a: {two[0]},b:{two[1]}}}"),
        st.tuples(inner, pair).map(lambda three: f"{three[0]}.[{three[1][0]}, {three[1][1]}]"),
        st.tuples(st.sampled_from(UNARY), inner).map(lambda two: f"{two[0]}({two[1]})"),
        st.tuples(st.sampled_from(BINARY), pair).map(lambda two: f"{two[0]}({two[1][0]}, {two[1][1]})"),
        st.tuples(st.sampled_from(BY), pair).map(lambda two: f"{two[0]}({two[1][0]}, &{two[1][1]})"),
        pair.map(lambda two: f"map(&{two[0]}, {two[1]})"),
    )


queries = st.recursive(atoms, _nested, max_leaves=10)

# Words with which the library's parser is as strict as the grammar: no call, no `{`, no `&`.
STRICT_WORDS: tuple[str, ...] = (
    *NAMES,
    *LITERALS[:3],
    *NUMBERS,
    "@",
    "*",
    "[",
    "]",
    "[]",
    "[?",
    ":",
    ".",
    "|",
    "||",
    "&&",
    "==",
    "<",
)
STRICT_WORDS = (*STRICT_WORDS, "!=", "!", "'a'", "[*]", "[0]", "[1:]")
WORDS: tuple[str, ...] = (
    *STRICT_WORDS,
    "(",
    ")",
    "{",
    "}",
    ",",
    "&",
    "abs(",
    "a:",
    "sort_by(",
    "\\",
    "'",
    '"',
    "`",
    "=",
    "-",
)
words = st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join)
strict_words = st.lists(st.sampled_from(STRICT_WORDS), max_size=14).map(" ".join)

"""Hostile queries end: texts that nest, answers that repeat themselves, comparisons and sorts over shared parts."""

from __future__ import annotations

import pytest

from assay import limits
from assay.formats.strict_json import JsonValue
from assay.policy.jmespath import QueryError, compile_query, encode_result


class Spent(Exception):
    """The budget is used up."""


class Budget:
    """So many steps."""

    def __init__(self, steps=100_000):
        self.left = steps

    def __call__(self, steps):
        assert steps >= 0
        self.left -= steps
        if self.left < 0:
            raise Spent


def cost(text, document):
    budget = Budget(10**9)
    compile_query(text).search(document, budget)
    return 10**9 - budget.left


LONG = limits.JMESPATH_TEXT - 8


@pytest.mark.parametrize(
    "text",
    [
        *("[" * 10_000, "!" * LONG, "(" * LONG, "&" * LONG, "`" + "[" * LONG + "`", "`" + '{"a":' * 10_000, "{a:" * 20_000),
        *("a[?" * 20_000, "a" + "[*]" * 20_000, "a" + ".*" * 30_000, "abs(" * 10_000, "sort_by(a,&" * 5_000, "not_null(a," * 5_000),
        *("'" * (LONG + 1), '"' * (LONG + 1), "'" + "\\" * LONG, "9" * LONG, "-" * LONG, "`" + "9" * LONG + "`", "[" + "9" * 50 + "]"),
        *("a.[" * 15_000, "[0:" * 15_000, "a[0" * 15_000, " " * LONG, "a" * (limits.JMESPATH_TEXT + 1), "*." * 30_000, "*" * LONG),
        "(" * 33 + "a" + ")" * 33,
        "!" * 33 + "a",
    ],
    ids=lambda text: f"{text[:6]}x{len(text)}",
)  # fmt: skip
def test_a_hostile_text_is_refused_and_never_too_deep_for_the_machine(text):
    with pytest.raises(QueryError):
        compile_query(text)


@pytest.mark.parametrize(
    "text",
    [
        *("(" * 31 + "a" + ")" * 31, "!" * 31 + "a", "[" * 31 + "a" + "]" * 31, "a[?" * 31 + "a" + "]" * 31, "a" + "[*]" * 31),
        *("not_null(" * 31 + "a" + ")" * 31, "map(&" * 31 + "a" + ",`[1]`)" * 31, "{a:" * 31 + "a" + "}" * 31, "a.*.b[*]" * 1 + "[*].a" * 29),
        *("(a==(b||" * 7 + "a" + "))" * 7, "to_array([{a:" * 10 + "`1`" + "}])" * 10),
        *("a" + ".a" * 30_000, "a" + "|@" * 30_000, "a" + "||a" * 20_000, "a" + "&&a" * 20_000, "a" + "==a" * 20_000),
        *("a" + "[]" * 30_000, "a" + "[0]" * 20_000, "a" + "[0:]|@" * 8_000, "[" + "a," * 30_000 + "a]", "not_null(" + "a," * 30_000 + "a)"),
    ],
    ids=lambda text: f"{text[:6]}x{len(text)}",
)  # fmt: skip
def test_a_long_chain_and_a_deep_query_within_the_limit_are_answered(text):
    compile_query(text).search({"a": [[{"a": 1}]]}, Budget(10**7))


@pytest.mark.parametrize(
    ("text", "document"),
    [
        ("|".join(["[@,@]"] * 60), 1),
        ("|".join(["{a:@,b:@}"] * 60), 1),
        ("|".join(["[@,@][]"] * 60), [1]),
        ("|".join(["join('',[@,@])"] * 60), "x"),
        ("|".join(["to_string([@])"] * 60), '"'),
        ("|".join(["map(&@, [@,@][])"] * 40), [1]),
        ("|".join(["[@,@]"] * 40) + "|[to_string(@)]", 1),
        ("@[*].sort(@)", [list(range(1000))] * 1000),
        ("@[*].[contains(@, `-1`)]", [list(range(1000))] * 1000),
        ("[?contains(@, 'x')]", ["a" * 100_000] * 1000),
        ("[*].reverse(@)", ["a" * 100_000] * 1000),
        ("sort(@)", ["a" * 100_000] * 1000),
        ("[?@ == 'b'] || [*][*][*]", [[[1]] * 1000] * 1000),
        ("[*].{a: @[::-1]}", [[1] * 1000] * 1000),
        ("map(&map(&map(&@, $), @), @)".replace("$", "[@][]"), [[1] * 1000] * 1000),
        ("[*].merge(@, @)", [{str(n): n for n in range(1000)}] * 1000),
        ("*.keys(@)", {str(k): {str(n): n for n in range(1000)} for k in range(200)}),
        ("@[*][::1][::1]", [[1] * 1000] * 1000),
        ("[*].max(@)", [[1] * 1000] * 1000),
        ("[*].sum(@)", [[1] * 1000] * 1000),
    ],
)
def test_a_hostile_answer_is_refused_or_runs_out_of_budget(text, document):
    with pytest.raises((QueryError, Spent)):
        compile_query(text).search(document, Budget())


def test_two_answers_that_repeat_themselves_are_compared_within_the_budget():
    doubled = "|".join(["[@,@]"] * 50)
    with pytest.raises(Spent):
        compile_query(f"[({doubled}), ({doubled})] | @[0] == @[1]").search(1, Budget())


def test_an_answer_nested_too_deep_is_refused():
    nested = "|".join(["[@]"] * (limits.JMESPATH_DEPTH + 1))
    with pytest.raises(QueryError, match="nested"):
        compile_query(nested).search(1, Budget())
    fits = compile_query(nested.removesuffix("|[@]")).search(1, Budget())
    assert encode_result(fits) == "[" * limits.JMESPATH_DEPTH + "1" + "]" * limits.JMESPATH_DEPTH


def test_an_answer_too_long_is_refused():
    text = "x" * (limits.JMESPATH_RESULT // 4)
    with pytest.raises(QueryError, match="characters"):
        compile_query("[@,@,@,@,@]").search(text, Budget(10**9))
    with pytest.raises(QueryError, match="characters"):
        encode_result([text] * 5)
    with pytest.raises(QueryError, match="characters"):
        encode_result("\x01" * (limits.JMESPATH_RESULT - 2))
    with pytest.raises(QueryError, match="characters"):
        encode_result({text: 1, text + "x": 2, text + "y": 3, text + "z": 4})


def test_what_the_budget_raises_comes_through():
    with pytest.raises(Spent):
        compile_query("a").search({}, Budget(0))
    with pytest.raises(Spent):
        compile_query("[*].a").search([{}] * 1000, Budget(900))


def test_the_cost_grows_with_the_work_and_not_faster():
    document = [{"a": n, "b": "x" * 10} for n in range(1000)]
    assert 1000 <= cost("[*].a", document) <= 10_000
    assert cost("[?a == `1` && b != 'x'].b", document) <= 20 * 1000
    assert cost("sort_by(@, &a)", document) <= 50 * 1000
    assert cost("[?a == `1`].b | @[0]", document) <= 10 * 1000
    assert cost("a", {"a": 1, "b": document}) <= 10
    assert cost("a" + ".a" * 10_000, {}) >= 20_000


def test_the_document_is_shared_and_not_changed():
    inner: JsonValue = {"b": [1, 2]}
    document: JsonValue = {"a": [inner]}
    assert compile_query("a[0]").search(document, Budget()) is inner
    compile_query("merge(a[0], {b: `1`})").search(document, Budget())
    compile_query("sort(a[0].b) | reverse(@)").search(document, Budget())
    assert document == {"a": [{"b": [1, 2]}]}

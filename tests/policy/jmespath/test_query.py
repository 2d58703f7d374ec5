"""The dialect of policy-language 7 and 7.1, by its vectors and its quirks."""

from __future__ import annotations

import pytest

from assay.formats import strict_json
from assay.policy.jmespath import QueryError, compile_query, encode_result


def ask(text, document):
    value = strict_json.decode(document.encode()) if isinstance(document, str) else document
    return encode_result(compile_query(text).search(value, lambda _: None))


@pytest.mark.parametrize(
    ("document", "text", "expected"),
    [
        ('{"foo": "bar"}', "foo", '"bar"'),
        ('{"values": [0,1,2,3,4]}', "values[2]", "2"),
        ("{}", "a", "null"),
        ("false", "SignatureValid", "null"),
        ('{"a": 1.50}', "a", "1.5"),
        ('{"a": 18446744073709551616}', "a", "18446744073709551616"),
        ('{"z": 1, "é": "ü\\u0001", "a": {"c": 1, "B": [ ]}}', "@", '{"a":{"B":[],"c":1},"z":1,"é":"ü\\u0001"}'),
    ],
)
def test_the_vectors_of_the_specification(document, text, expected):
    assert ask(text, document) == expected


@pytest.mark.parametrize(
    "text", ["PcrIndex == 20", "20", "[?PcrIndex ==20]", "-1", "a = 'x'", "", " ", "&a", "[a, &b]"]
)
def test_a_bare_number_and_other_texts_are_no_query(text):
    with pytest.raises(QueryError):
        compile_query(text)


def test_a_bare_true_is_the_name_of_a_field():
    assert ask("[?a == true]", [{"a": True}, {"b": 1}, {"a": None}]) == '[{"b":1},{"a":null}]'
    assert ask("a != null", {"a": 1}) == "true"
    assert ask("a != null", {"a": 1, "null": 1}) == "false"


def test_a_number_is_no_string_and_no_boolean():
    document = {"PcrIndex": 20, "one": 1, "list": [1, [True]]}
    assert ask("PcrIndex == '20'", document) == "false"
    assert ask("PcrIndex == `20`", document) == "true"
    assert ask("one == `true`", document) == "false"
    assert ask("one == `1.0`", document) == "true"
    assert ask("list == `[true, [true]]`", document) == "false"
    assert ask("contains(list, `true`)", document) == "false"
    assert ask("contains(list, `[true]`)", document) == "true"
    assert ask('@ == `{"a": [1, {"b": 2}]}`', {"a": [1, {"b": 2}]}) == "true"
    assert ask('@ == `{"a": [1, {"b": true}]}`', {"a": [1, {"b": 1}]}) == "false"
    assert ask('@ == `{"a": 1}`', {"b": 1}) == "false"
    assert ask("[type(one), type(`true`), type(@), type(list), type(x), type('')]", document) == (
        '["number","boolean","object","array","null","string"]'
    )


def test_a_filter_over_a_missing_array_is_null_and_an_empty_one_is_not():
    assert ask("Events[?a] | @ != `null`", {}) == "false"
    assert ask("Events[?a] | @ != `null`", {"Events": []}) == "true"
    assert ask("Events[?a == `1`].b | @[0]", {"Events": [{"a": 1}]}) == "null"


def test_a_raw_string_keeps_its_backslashes():
    document = {"path": r"\Windows\x", "double": r"a\\b", "quote": "it's"}
    assert ask(r"equals_ignore_case(path, '\windows\X')", document) == "true"
    assert ask(r"path == '\Windows\x'", document) == "true"
    assert ask(r"double == 'a\\b'", document) == "true"
    assert ask(r"quote == 'it\'s'", document) == "true"
    assert ask(r"'\u0041'", document) == r'"\\u0041"'
    assert ask(r'"\u0070ath"', document) == r'"\\Windows\\x"'


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("'AbC'", "'aBc'", "true"),
        ("'abc'", "'abcd'", "false"),
        ("missing", "'a'", "false"),
        ("'a'", "missing", "false"),
        ("missing", "missing", "false"),
        ("'\u00c9'", "'\u00e9'", "true"),
        ("'\u212a'", "'k'", "false"),  # the Kelvin sign
        ("'\u017f'", "'s'", "false"),  # the long s
        ("'ß'", "'SS'", "false"),
    ],
)
def test_equals_ignore_case_compares_strings_and_is_false_for_null(left, right, expected):
    assert ask(f"equals_ignore_case({left}, {right})", {}) == expected


@pytest.mark.parametrize("arguments", ["`1`, 'a'", "'a', `[]`", "`true`, `true`"])
def test_equals_ignore_case_of_anything_else_is_a_type_error(arguments):
    with pytest.raises(QueryError, match="equals_ignore_case"):
        ask(f"equals_ignore_case({arguments})", {})


@pytest.mark.parametrize(
    "text",
    [
        *("abs('1')", "avg(`[1, true]`)", "ceil(@)", "contains(`1`, `1`)", "contains('a', `1`)", "ends_with(`1`, '')"),
        *("floor(`true`)", "join(`1`, `[]`)", "join('', `[1]`)", "keys(`[]`)", "length(`1`)", "map(&a, @)", "max(@)"),
        *('max(`[1, "a"]`)', "max_by(@, &a)", "max_by(`[1]`, &`true`)", "merge(`[]`)", "merge(@, `[]`)", "min(`[true]`)"),
        *("reverse(`1`)", "sort(`[true]`)", "sort_by(`[1, 2]`, &a)", "starts_with('', `1`)", "sum(`[null]`)"),
        *("map(@, &a)", "sort_by(&a, @)", "map(a, b)", "abs(&a)", "abs(@, @)", "merge()", "[0:1:1:1]", "a.'b'", "a.(b)"),
        *("values(`[]`)", "to_number(@) < sum(`[1e308, 1e308, 1]`)", "values(`1`)", "merge(`null`)", "`[1]`[::0]", "sum(`[1e308, 1e308]`)", "avg(`[1e308, 1e308]`)"),
    ],
)  # fmt: skip
def test_a_wrong_type_is_an_error(text):
    with pytest.raises(QueryError):
        ask(text, {})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("to_number(' 1')", "null"),
        ("to_number('0x1')", "null"),
        ("to_number('1_0')", "null"),
        ("to_number('nan')", "null"),
        ("to_number('1e999')", "null"),
        ("to_number('-1.50')", "-1.5"),
        ("to_number(`true`)", "null"),
        ("sort(`[2, 1.5, -1]`)", "[-1,1.5,2]"),
        ("sort(`[]`)", "[]"),
        ("max(`[]`)", "null"),
        ('max(`["b", "a"]`)', '"b"'),
        ("reverse('ab')", '"ba"'),
        ("reverse(`[1, 2]`)", "[2,1]"),
        ("starts_with('ab', 'a')", "true"),
        ('keys(`{"a": 1}`)', '["a"]'),
        ('values(`{"a": 1}`)', "[1]"),
        ("to_array(`1`)", "[1]"),
        ("contains('abc', 'b')", "true"),
        ("not_null(a, `1`)", "1"),
        ("not_null(a)", "null"),
        ("floor(`1.5`)", "1"),
        ("abs(`-1`)", "1"),
        ('merge(`{"a": 1}`, `{"a": 2}`)', '{"a":2}'),
        ("`[1, 2]`[0:1:1]", "[1]"),
        ("avg(`[]`)", "null"),
        ("avg(`[1, 2]`)", "1.5"),
        ("sum(`[]`)", "0"),
        ("ceil(`1.5`)", "2"),
        ('to_string(`{"b": "é", "a": 1}`)', r'"{\"a\":1,\"b\":\"é\"}"'),
        ("join(', ', `[\"a\", \"b\"]`)", '"a, b"'),
        ('sort_by(`[{"a": 2}, {"a": 1, "b": 1}, {"a": 1}]`, &a)', '[{"a":1,"b":1},{"a":1},{"a":2}]'),
        ('map(&a, `[{"a": 1}, 2]`)', "[1,null]"),
    ],
)  # fmt: skip
def test_functions_answer_as_the_standard_says(text, expected):
    assert ask(text, {}) == expected


def test_the_query_of_the_secure_boot_variable_of_a_published_policy():
    event = {"EventTypeString": "EV_EFI_VARIABLE_DRIVER_CONFIG", "PcrIndex": 7}
    event["ProcessedData"] = {"UnicodeName": "SecureBoot", "VariableData": "AQ"}
    query = "[?ProcessedData.UnicodeName == 'SecureBoot'] | length(@) == `1` && @[0].PcrIndex == `7` && @[0].ProcessedData.VariableData == 'AQ'"
    assert ask(query, [event, {"a": 1}]) == "true"
    assert ask(query, [event, event]) == "false"
    assert ask(query, []) == "false"


def test_a_query_is_equal_to_another_of_the_same_text():
    assert compile_query("a.b") == compile_query("a.b")
    assert compile_query("a" + " " * 5000) == compile_query("a" + " " * 5000)


@pytest.mark.parametrize("text", ["'\ud800'", "`\ud800`", '"\ud800"', r'`"\ud800"`', "\ud800", "é"])
def test_text_that_is_no_unicode_is_no_query(text):
    with pytest.raises(QueryError):
        compile_query(text)

"""The six functions: results by value set, errors, and how they compose (policy-language 7 and 8)."""

from __future__ import annotations

import json

import pytest

from .version_1_2 import claim, computed, failure, issued


def quoted(value):
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        ('JmesPath("", "a")', "JmesPath: an empty argument"),
        ('JmesPath("{}", "")', "JmesPath: an empty argument"),
        ('JmesPath("{", "a")', "JmesPath: the text is not JSON"),
        (r'JmesPath("{\"a\":1,\"a\":2}", "a")', "JmesPath: the text is not JSON"),
        ('JmesPath("NaN", "a")', "JmesPath: the text is not JSON"),
        ('JmesPath("[1]", "[0] == 20")', "JmesPath: "),
        ('JmesPath("[1]", "length(`1`)")', "JmesPath: "),
        ('JmesPath("[1]", "no_such(@)")', "JmesPath: "),
        ('JmesPath(1, "a")', "JmesPath: argument 1 is no String but Integer"),
        ('JmesPath("{}", false)', "JmesPath: argument 2 is no String but Boolean"),
        ('JmesPath("{}", JsonToClaimValue("null"))', "JmesPath: argument 2 is 0 values, not one"),
        ("JsonToClaimValue(1)", "JsonToClaimValue: argument 1 is no String but Integer"),
        (r'JsonToClaimValue(JsonToClaimValue("[\"1\",\"2\"]"))', "JsonToClaimValue: argument 1 is 2 values, not one"),
        ('JsonToClaimValue("1e2")', "JsonToClaimValue: a fraction"),
        ('JsonToClaimValue("[1,0.5]")', "JsonToClaimValue: a fraction"),
        ('JsonToClaimValue("-9223372036854775809")', "JsonToClaimValue: a number beyond 64 bits"),
        ('JsonToClaimValue("{}")', "JsonToClaimValue: an object"),
        ('JsonToClaimValue("[[]]")', "JsonToClaimValue: an object, or an array inside an array"),
        ('JsonToClaimValue("abc")', "JsonToClaimValue: the text is not JSON"),
        ('JsonToClaimValue("")', "JsonToClaimValue: the text is not JSON"),
        ('AppendString("a", 1)', "AppendString: argument 2 is no String but Integer"),
        (r'AppendString(JsonToClaimValue("[\"a\",\"b\"]"), "c")', "AppendString: argument 1 is 2 values, not one"),
        ('NegateBool("true")', "NegateBool: argument 1 is no Boolean but String"),
        ("NegateBool(1)", "NegateBool: argument 1 is no Boolean but Integer"),
        ('NegateBool(JsonToClaimValue("[]"))', "NegateBool: argument 1 is 0 values, not one"),
        ('ContainsOnlyValue(1, JsonToClaimValue("[1,2]"))', "ContainsOnlyValue: argument 2 is 2 values, not one"),
        ('ContainsOnlyValue(1, JsonToClaimValue("[]"))', "ContainsOnlyValue: argument 2 is 0 values, not one"),
    ],
)  # fmt: skip
def test_a_call_that_cannot_be_answered_fails_the_policy_and_says_why(call, problem):
    rule = f'=>issue(type="x",value={call});'
    message = failure(rule).message
    assert problem in message
    assert message.startswith("Policy Engine Exception: ")
    assert f"Rule at line 1: {rule}" in message


def test_a_bad_literal_query_is_an_error_only_when_it_is_asked():
    rule = 'c:[type=="doc"]=>issue(type="x",value=JmesPath(c.value,"a == 20"));'
    assert issued(rule) == []
    assert "JmesPath" in failure(rule, claim("doc", "{}")).message


def test_a_query_that_is_computed_is_compiled_when_it_is_asked():
    rule = 'c:[type=="doc"]=>issue(type="x",value=JmesPath(c.value,AppendString("a","[1]")));'
    assert issued(rule, claim("doc", '{"a":[1,2]}')) == [("x", "2")]
    bad = 'c:[type=="doc"]=>issue(type="x",value=JmesPath(c.value,AppendString("a","[")));'
    assert "JmesPath" in failure(bad, claim("doc", "{}")).message


@pytest.mark.parametrize(
    ("document", "query", "answer"),
    [
        ({"b": 1, "a": [True, None, "é"]}, "@", '{"a":[true,null,"é"],"b":1}'),
        ({"a": "x"}, "a", '"x"'),
        ({"a": "x"}, "b", "null"),
        ({"a": [{"b": 1}, {"c": 2}, {"b": 3}]}, "a[*].b", "[1,3]"),
        ({"a": 1.0}, "a", "1.0"),
        ({"E": [{"p": 12}, {"p": 13}]}, "E[?p == `13`] | length(@)", "1"),
        ({"E": [{"p": 20}]}, "E[?p == '20']", "[]"),
        ({"E": []}, "E[?p == `1`] | @ != `null`", "true"),
        ({"p": "\\windows\\x"}, "p == '\\windows\\x'", "true"),
    ],
)
def test_jmes_path_gives_the_compact_text_of_what_it_finds(document, query, answer):
    call = f"JmesPath(c.value,{quoted(query)})"
    assert computed(call, claim("doc", json.dumps(document)), conditions='c:[type=="doc"]') == [answer]


def test_a_value_set_is_ordered_and_without_duplicates_by_type_and_value():
    found = computed(r'JsonToClaimValue("[2, 1, 2, true, \"1\", false, 0, 1, \"1\"]")')
    assert found == [2, 1, True, "1", False, 0]
    assert [type(value) for value in found] == [int, int, bool, str, bool, int]


def test_an_action_makes_one_claim_for_each_value_and_none_for_an_empty_set():
    assert issued(r'=>issue(type="x",value=JsonToClaimValue("[1,\"a\"]"));') == [("x", 1), ("x", "a")]
    assert issued('=>issue(type="x",value=JsonToClaimValue("null"));=>issue(type="x",value=2);') == [("x", 2)]
    assert issued('=>issue(type=JsonToClaimValue("[]"),value=JsonToClaimValue("[]"));') == []


def test_a_reference_to_several_claims_is_one_value_set_in_a_call():
    claims = [claim("a", 1), claim("a", 2), claim("a", 1), claim("b", 1)]
    assert computed("ContainsOnlyValue(c.value,1)", *claims, conditions='c:[type=="a"]') == [False]
    assert computed("ContainsOnlyValue(c.value,1)", *claims, conditions='c:[type=="b"]') == [True]
    assert computed("IsSubsetOf(d.value,c.value)", *claims, conditions='c:[type=="a"]&&d:[type=="b"]') == [True]
    assert computed("IsSubsetOf(c.value,d.value)", *claims, conditions='c:[type=="a"]&&d:[type=="b"]') == [False]
    assert computed("ContainsOnlyValue(c.type,d.type)", *claims, conditions="c:[value==2]&&d:[value==2]") == [True]


def test_a_scalar_function_fails_on_claims_of_several_values_and_not_on_several_equal_ones():
    rule = 'c:[type=="a"]=>issue(type="x",value=AppendString(c.value,"!"));'
    from assay.claims import Issuer

    assert issued(rule, claim("a", "v"), claim("a", "v", Issuer.CUSTOM)) == [("x", "v!")]
    assert "argument 1 is 2 values" in failure(rule, claim("a", "v"), claim("a", "w")).message


def test_the_type_of_a_claim_may_be_computed_and_must_be_one_string():
    rule = 'c:[type=="a"]=>issue(type=AppendString("is-",c.value),value=true);'
    assert issued(rule, claim("a", "good")) == [("is-good", True)]
    assert (
        "'JsonToClaimValue(...)' is 2 values, not one"
        in failure(r'=>issue(type=JsonToClaimValue("[\"a\",\"b\"]"),value=1);').message
    )
    assert "'type=' is not a String" in failure('=>issue(type=JsonToClaimValue("5"),value=1);').message


def test_a_stated_value_type_must_agree_with_every_computed_value():
    assert issued('=>issue(type="x",value=JsonToClaimValue("[1,2]"),valueType="Integer");') == [("x", 1), ("x", 2)]
    message = failure(r'=>issue(type="x",value=JsonToClaimValue("[1,\"2\"]"),valueType="Integer");').message
    assert "'valueType=' does not agree" in message


def test_a_missing_path_issues_nothing_so_that_the_default_of_the_next_rule_applies():
    rules = (
        'c:[type=="doc"]=>issue(type="found",value=JsonToClaimValue(JmesPath(c.value,"a.b")));'
        '![type=="found"]=>issue(type="found",value=false);'
    )
    assert issued(rules, claim("doc", '{"a":{"b":7}}')) == [("found", 7)]
    assert issued(rules, claim("doc", "{}")) == [("found", False)]


def test_the_text_of_a_null_result_is_a_claim_so_that_a_negated_condition_does_not_fire():
    rules = (
        'c:[type=="doc"]=>add(type="t",value=JmesPath(c.value,"missing"));'
        '![type=="t"]=>issue(type="absent",value=true);'
        'c:[type=="t",value=="null"]=>issue(type="text",value=c.value);'
    )
    assert issued(rules, claim("doc", "{}")) == [("text", "null")]


def test_repeating_a_rule_is_harmless():
    rule = '=>issue(type="x",value=JsonToClaimValue("[1]"));'
    assert issued(rule * 3) == [("x", 1)]

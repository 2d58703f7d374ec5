"""The function vectors of policy-language 7.2, as policies."""

from __future__ import annotations

import pytest

from assay.claims import Claim, ClaimSet
from assay.errors import PolicyDenied, PolicyEvaluationError
from assay.policy import compile_policy


def issued(expression, *incoming, conditions=""):
    text = f'version=1.2;authorizationrules{{=>permit();}};issuancerules{{{conditions}=>issue(type="X",value={expression});}};'
    return [claim.value for claim in compile_policy(text).evaluate(ClaimSet(incoming)).issued]


def claims(name, *values):
    return [Claim(name, value) for value in values]


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (r'JmesPath("{\"foo\": \"bar\"}", "foo")', ['"bar"']),
        (r'JmesPath("{\"values\": [0,1,2,3,4]}", "values[2]")', ["2"]),
        ('JmesPath("{}", "a")', ["null"]),
        (r'JsonToClaimValue("[0, \"abc\", true]")', [0, "abc", True]),
        ('JsonToClaimValue("null")', []),
        ('JsonToClaimValue("[]")', []),
        ('AppendString("abc","xyz")', ["abcxyz"]),
        ('AppendString("","")', [""]),
        ("NegateBool(true)", [False]),
        (r'IsSubsetOf(JsonToClaimValue("[\"abc\",100]"), JsonToClaimValue("[true,\"abc\",100]"))', [True]),
        (r'IsSubsetOf(JsonToClaimValue("[1]"), JsonToClaimValue("[true,\"1\"]"))', [False]),
        ('IsSubsetOf(JsonToClaimValue("[]"), JsonToClaimValue("[]"))', [True]),
        ('ContainsOnlyValue(JsonToClaimValue("[100,101]"), 100)', [False]),
        ('ContainsOnlyValue(JsonToClaimValue("[100,100]"), 100)', [True]),
        ('ContainsOnlyValue(JsonToClaimValue("[1]"), true)', [False]),
        ('ContainsOnlyValue(JsonToClaimValue("[]"), 100)', [False]),
        (r'JsonToClaimValue("\"abc\"")', ["abc"]),
        ('JsonToClaimValue("9223372036854775807")', [2**63 - 1]),
        ('JsonToClaimValue("[null, 1, null]")', [1]),
    ],
)
def test_a_call_gives_what_the_specification_says(call, expected):
    found = issued(call)
    assert found == expected
    assert list(map(type, found)) == list(map(type, expected))


@pytest.mark.parametrize(
    "call",
    [
        'JsonToClaimValue("1.5")',
        'JsonToClaimValue("1.0")',
        'JsonToClaimValue("{}")',
        'JsonToClaimValue("[[1]]")',
        'JsonToClaimValue("[{}]")',
        'JsonToClaimValue("abc")',
        'JsonToClaimValue("9223372036854775808")',
        'JsonToClaimValue("")',
        "JsonToClaimValue(1)",
        'JmesPath("", "a")',
        'JmesPath("{}", "")',
        'JmesPath("{", "a")',
        'JmesPath("{}", "a ==")',
        'JmesPath("{}", "a == 1")',
        'JmesPath("{}", "length(a)")',
        'JmesPath("{}", "nothing(a)")',
        'JmesPath(1, "a")',
        'AppendString("a", 1)',
        'AppendString("a", JsonToClaimValue("[]"))',
        'NegateBool("true")',
        "NegateBool(1)",
        'NegateBool(JsonToClaimValue("[true,false]"))',
        'ContainsOnlyValue(1, JsonToClaimValue("[1,2]"))',
    ],
)
def test_a_call_that_the_specification_calls_an_error_fails_the_evaluation(call):
    with pytest.raises(PolicyEvaluationError) as caught:
        issued(call)
    assert not isinstance(caught.value, PolicyDenied)


def test_value_sets_of_claims_are_compared_by_type():
    mine, theirs = claims("a", "abc", 100), claims("b", True, "abc", 100)
    conditions = 'a:[type=="a"] && b:[type=="b"]'
    assert issued("IsSubsetOf(a.value, b.value)", *mine, *theirs, conditions=conditions) == [True]
    assert issued("IsSubsetOf(b.value, a.value)", *mine, *theirs, conditions=conditions) == [False]
    assert issued("ContainsOnlyValue(a.value, 100)", *claims("a", 100, 101), conditions='a:[type=="a"]') == [False]
    assert issued("ContainsOnlyValue(a.value, 100)", *claims("a", 100), conditions='a:[type=="a"]') == [True]
    assert issued("ContainsOnlyValue(a.value, 100)", conditions='a:[type=="a"]') == []


def test_a_negated_condition_adds_what_is_missing():
    text = 'version=1.2;authorizationrules{=>permit();};issuancerules{![type=="X"] => add(type="X", value=300); c:[type=="X"] => issue(claim=c);};'
    policy = compile_policy(text)
    assert [claim.value for claim in policy.evaluate(ClaimSet()).issued] == [300]
    assert [claim.value for claim in policy.evaluate(ClaimSet(claims("X", 1))).issued] == [1]

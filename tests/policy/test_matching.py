"""Conditions of version 1.2: negation, and comparison with what functions compute (policy-language 5.1 and 5.2)."""

from __future__ import annotations

import pytest

from .version_1_2 import CUSTOM, claim, failure, holds, issued


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ('![type=="b"]', True),
        ('![type=="a"]', False),
        ('![type=="a",value==2]', True),
        ('![type=="a",value==1]', False),
        ("![value==true]", True),
        ('![type=="a"] && [type=="a"]', False),
        ('[type=="a"] && ![type=="b"]', True),
        ('![type=="b"] && [type=="a"]', True),
        ('![type=="b"] && ![type=="c"]', True),
        ('![type=="b"] && ![type=="a"]', False),
    ],
)
def test_a_negated_condition_holds_when_no_claim_satisfies_it(condition, expected):
    assert holds(condition, claim("a", 1)) is expected


def test_a_negated_condition_sees_what_earlier_rules_made():
    rules = (
        '![type=="X"]=>add(type="X",value=300);![type=="X"]=>issue(type="again",value=1);c:[type=="X"]=>issue(claim=c);'
    )
    assert issued(rules) == [("X", 300)]


def test_a_negated_condition_may_refer_to_a_claim_of_another():
    rule = 'c:[type=="a"] && ![type=="b",value==c.value] => issue(type="t",value=c.value);'
    claims = [claim("a", 1), claim("a", 2), claim("a", 3), claim("b", 2)]
    assert issued(rule, *claims) == [("t", 1), ("t", 3)]
    assert issued(rule, claim("a", 2), claim("b", 2)) == []
    assert issued(rule, claim("a", 2)) == [("t", 2)]


def test_a_negated_condition_may_stand_before_the_condition_it_refers_to():
    rule = '![type=="b",value==c.value] && c:[type=="a"] => issue(type="t",value=c.value);'
    assert issued(rule, claim("a", 1), claim("a", 2), claim("b", 2)) == [("t", 1)]


def test_a_negated_condition_over_two_others_is_asked_of_each_tuple():
    rule = (
        'c:[type=="a"] && d:[type=="b"] && ![type=="f",value>=c.value,value<=d.value] => issue(type="t",value=d.value);'
    )
    claims = [claim("a", 1), claim("a", 7), claim("b", 5), claim("b", 9), claim("f", 4)]
    assert issued(rule, *claims) == [("t", 5), ("t", 9)]
    assert issued(rule, *claims, claim("f", 8)) == [("t", 5)]


def test_the_identifier_of_a_negated_condition_leaves_another_binding_alone():
    rule = 'c:[type=="a"] && !c:[type=="b"] => issue(type="t",value=c.value);'
    assert issued(rule, claim("a", 1)) == [("t", 1)]


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ('value==JsonToClaimValue("[1,2]")', True),
        ('value==JsonToClaimValue("[3,2]")', False),
        ('value==JsonToClaimValue("[]")', False),
        ('value!=JsonToClaimValue("[]")', False),
        ('value!=JsonToClaimValue("[1]")', False),
        ('value!=JsonToClaimValue("[1,2]")', True),
        ('value<JsonToClaimValue("[0,2]")', True),
        ('value<JsonToClaimValue("[0,true]")', False),
        (r'value==JsonToClaimValue("\"1\"")', False),
        ('value==JsonToClaimValue("true")', False),
        ("value==NegateBool(true)", False),
        ('type==AppendString("","a")', True),
    ],
)
def test_a_comparison_with_several_values_holds_when_it_holds_for_one(test, expected):
    assert holds(f"[{test}]", claim("a", 1)) is expected
    assert holds(f'[type=="a",{test}]', claim("a", 1)) is expected
    assert holds(f"![{test}]", claim("a", 1)) is not expected


def test_a_call_may_use_the_claim_of_an_earlier_condition():
    condition = (
        'c:[type=="doc"] && [type=="want",value==JsonToClaimValue(JmesPath(c.value,"PCRs[?Index==`0`].D | @[0]"))]'
    )
    document = claim("doc", '{"PCRs":[{"Index":0,"D":"ab"}]}')
    assert holds(condition, document, claim("want", "ab"))
    assert not holds(condition, document, claim("want", "AB"))
    assert not holds(condition, claim("want", "ab"))


def test_a_call_may_use_the_conditions_own_claim():
    rule = 'c:[type=="doc",value!=JmesPath(c.value,"@")] => issue(type="t",value=c.value);'
    assert issued(rule, claim("doc", '{"a": 1}'), claim("doc", '{"a":1}')) == [("t", '{"a": 1}')]


def test_an_identifier_in_a_condition_is_one_claim_of_the_tuple_inside_a_call_too():
    claims = [claim("a", 1), claim("a", 2), claim("b", True)]
    only = 'c:[type=="a"] && [type=="b",value==ContainsOnlyValue(c.value,1)] => issue(type="t",value=c.value);'
    assert issued(only, *claims) == [("t", 1)]


def test_joins_with_calls_over_three_conditions_bind_what_occurs_in_a_tuple():
    rule = (
        'c:[type=="a"] && d:[type=="b"] && e:[type=="c",value==AppendString(c.value,d.value)]'
        ' => issue(type="t",value=d.value);'
    )
    claims = [claim("a", "x"), claim("a", "y"), claim("b", "1"), claim("b", "2"), claim("c", "y2")]
    assert issued(rule, *claims) == [("t", "2")]


def test_a_negated_condition_may_compare_with_a_call_on_another_condition():
    rule = 'c:[type=="a"] && ![type=="b",value==AppendString(c.value,"!")] => issue(type="t",value=c.value);'
    assert issued(rule, claim("a", "x"), claim("a", "y"), claim("b", "y!")) == [("t", "x")]


def test_a_call_that_is_not_come_to_raises_nothing():
    bad = 'value==JmesPath("","a")'
    assert not holds(f'[type=="absent",{bad}]', claim("a"))
    assert not holds(f'[type=="a",{bad}] && [type=="absent"]', claim("a"))
    assert not holds(f'[type=="a",{bad}] && ![type=="b"]', claim("a"), claim("b"))
    assert "an empty argument" in failure(f'[type=="a",{bad}]=>issue(type="t",value=1);', claim("a")).message


def test_a_failing_call_in_a_condition_fails_the_authorization():
    rule = 'c:[type=="a"] && [type=="b",value==NegateBool(c.value)] => permit();'
    assert "NegateBool" in failure("", claim("a", 5), claim("b"), authorization=rule).message


def test_the_documented_example_of_two_issuers_still_joins_under_1_2():
    condition = (
        'F1:[type=="OSName",issuer=="CustomClaim"] && [type=="OSName",issuer=="AttestationService",value==F1.value]'
    )
    assert holds(condition, claim("OSName", "linux", CUSTOM), claim("OSName", "linux"))
    assert not holds(condition, claim("OSName", "linux", CUSTOM), claim("OSName", "windows"))

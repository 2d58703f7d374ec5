"""The readings of what the sources leave open, one test for each line of `assay.policy.readings` not tested elsewhere."""

from __future__ import annotations

import pytest

from assay.claims import Claim, ClaimSet, Issuer
from assay.errors import PolicyParsingError
from assay.policy import compile_policy, issued_members
from assay.policy.evaluation import compile_policy as compile_with
from assay.policy.readings import STRICT

ISSUE = 'version=1.0;authorizationrules{=>permit();=>issue(type="a",value=1);};issuancerules{c:[type=="a"]=>issue(type="b",value=c.value);};'


def evaluate(text, *claims):
    return issued_members(compile_policy(text).evaluate(ClaimSet(claims)).issued)


def issuing(rule, *claims):
    return evaluate(f"version=1.0;authorizationrules{{=>permit();}};issuancerules{{{rule}}};", *claims)


def test_q2_issue_in_authorization_rules_adds_and_never_reaches_the_token():
    assert evaluate(ISSUE) == {"b": 1}


def test_q2_issue_in_authorization_rules_is_refused_under_the_strict_readings():
    with pytest.raises(PolicyParsingError) as caught:
        compile_with(ISSUE, STRICT)
    assert caught.value.failure == "mismatched input 'issue' expecting {'permit', 'deny', 'add'}"


def test_the_strict_readings_accept_the_default_policy():
    text = 'version= 1.1;configurationrules{=> issueproperty(type="x-ms-sgx-tcbidentifier", value="azuredefault");};authorizationrules{=> permit();};issuancerules{c:[type=="x-ms-sgx-svn"] => issue(type="svn", value=c.value);};'
    assert compile_with(text, STRICT) != compile_with(text)
    assert compile_with(text, STRICT).configuration == compile_with(text).configuration


def test_with_an_identifier_bound_twice_the_action_means_the_later_binding():
    rule = 'c:[type=="a"] && c:[type=="b"] => issue(type="t",value=c.value);'
    assert issuing(rule, Claim("a", 1), Claim("b", 2)) == {"t": 2}


def test_with_an_identifier_bound_twice_a_condition_means_the_binding_before_it():
    rule = 'c:[type=="a"] && c:[type=="b",value>c.value] => issue(type="t",value=c.value);'
    assert issuing(rule, Claim("a", 1), Claim("b", 1), Claim("b", 2)) == {"t": 2}


def test_a_condition_may_refer_to_a_later_condition_and_to_itself():
    later = '[type=="a",value==d.value] && d:[type=="b"] => issue(type="t",value=d.value);'
    assert issuing(later, Claim("a", 1), Claim("b", 1), Claim("b", 2)) == {"t": 1}
    itself = "c:[type==c.value] => issue(type=c.type,value=c.value);"
    assert issuing(itself, Claim("a", "a"), Claim("b", "a")) == {"a": "a"}


def test_a_binding_of_another_rule_is_not_visible():
    with pytest.raises(PolicyParsingError):
        issuing('c:[type=="a"]=>issue(type="t",value=c.value);=>issue(type="u",value=c.value);')


def test_the_last_unconditional_configuration_rule_for_a_property_gives_its_value():
    rules = '=>issueproperty(type="p",value="10");=>issueproperty(type="p",value="11");'
    policy = compile_policy(f"version=1.1;configurationrules{{{rules}}};authorizationrules{{=>permit();}};")
    assert policy.configuration == {"p": "11"}
    with pytest.raises(TypeError):
        policy.configuration["p"] = "12"  # type: ignore[index]


def test_issued_values_of_one_type_are_an_array_in_insertion_order_and_one_value_is_a_scalar():
    rules = (
        '=>issue(type="m",value=2);=>issue(type="m",value=1);=>issue(type="m",value=true);=>issue(type="s",value=1);'
    )
    members = issuing(rules + '=>issue(type="m",value=2);')
    assert members == {"m": [2, 1, True], "s": 1}
    assert [type(value) for value in members["m"]] == [int, int, bool]


def test_issued_claims_that_differ_only_by_issuer_are_one_value():
    rule = 'c:[type=="a"]=>issue(claim=c);'
    assert issuing(rule, Claim("a", 1, Issuer.CUSTOM), Claim("a", 1)) == {"a": 1}


@pytest.mark.parametrize("word", ["authorizationRules", "AUTHORIZATIONRULES", "Authorizationrules"])
def test_q20_section_keywords_ignore_case(word):
    assert compile_policy(f"VERSION=1.0;{word}{{=>permit();}};IssuanceRules{{}};")


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_comment_ends_with_its_line(line_end):
    text = f"version=1.0;authorizationrules{{// =>deny();{line_end}=>permit();}};"
    assert evaluate(text) == {}

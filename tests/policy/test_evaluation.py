"""What a policy that parses permits, denies and issues (policy-language sections 4, 5 and 8)."""

from __future__ import annotations

import pytest

from assay.claims import Claim, ClaimSet, Issuer
from assay.errors import PolicyDenied, PolicyEvaluationError
from assay.policy import compile_policy

SERVICE, POLICY, CUSTOM = Issuer.SERVICE, Issuer.POLICY, Issuer.CUSTOM


def run(issuance="", *claims, authorization="=>permit();", configuration=""):
    text = (
        f"version=1.1;configurationrules{{{configuration}}};"
        f"authorizationrules{{{authorization}}};issuancerules{{{issuance}}};"
    )
    return compile_policy(text).evaluate(ClaimSet(claims))


def issued(issuance, *claims, **sections):
    return [(claim.type, claim.value) for claim in run(issuance, *claims, **sections).issued]


def holds(condition, *claims):
    return bool(issued(f'{condition}=>issue(type="yes",value=true);', *claims))


def claim(name, value=True, issuer=SERVICE):
    return Claim(name, value, issuer)


def test_a_policy_without_a_permit_that_fires_is_denied_in_the_words_of_the_real_service():
    for authorization in ("", '[type=="a"]=>permit();'):
        with pytest.raises(PolicyDenied) as caught:
            run(authorization=authorization)
        assert caught.value.message == (
            "Policy Engine Exception: No Permit claim was issued in the authorizationrules section, authorization failed."
        )
        assert caught.value.line is None


@pytest.mark.parametrize("order", ["=>deny();=>permit();", "=>permit();=>deny();", "=>permit();=>deny();=>permit();"])
def test_a_deny_wins_wherever_it_stands(order):
    with pytest.raises(PolicyDenied, match=r"A Deny claim was issued, authorization failed\."):
        run(authorization=order)


def test_a_denial_carries_line_and_source_of_the_first_deny_that_fired():
    text = 'version=1.0;\nauthorizationrules {\n=> permit();\n[type=="b"] => deny();\n  [type=="a",\n  value==1] => deny(); // c\n=> deny();\n};'
    with pytest.raises(PolicyDenied) as caught:
        compile_policy(text).evaluate(ClaimSet([claim("a", 1)]))
    assert caught.value.line == 5
    assert caught.value.source == '[type=="a",\n  value==1] => deny();'
    assert caught.value.message.startswith(
        "Policy Engine Exception: A Deny claim was issued, authorization failed. Rule at line 5: "
    )
    assert caught.value.message.endswith(caught.value.source)


def test_permit_does_not_stop_the_evaluation_of_authorization_rules():
    rules = '=>permit();=>add(type="late",value=1);'
    assert issued('c:[type=="late"]=>issue(type="seen",value=c.value);', authorization=rules) == [("seen", 1)]


def test_claims_are_visible_to_later_rules_and_later_sections_only():
    rules = '[type=="x"]=>issue(type="early",value=1);=>add(type="x",value=1);[type=="x"]=>issue(type="late",value=1);'
    assert issued(rules) == [("late", 1)]
    configuration = '=>issueproperty(type="p",value=7);'
    authorization = '[type=="p",value==7,issuer=="AttestationPolicy"]=>permit();'
    assert issued(
        'c:[type=="p"]=>issue(type="q",value=c.value);', authorization=authorization, configuration=configuration
    ) == [("q", 7)]


def test_add_reaches_neither_the_issued_claims_nor_the_properties():
    outcome = run('=>add(type="a",value=1);')
    assert list(outcome.issued) == []
    assert list(outcome.properties) == []


def test_issueproperty_reaches_the_properties_and_not_the_issued_claims():
    outcome = run('=>issueproperty(type="report_validity_in_minutes",value=5760);')
    assert list(outcome.issued) == []
    assert list(outcome.properties) == [claim("report_validity_in_minutes", 5760, POLICY)]


def test_the_incoming_set_is_not_changed():
    incoming = ClaimSet([claim("a")])
    compile_policy('version=1.0;authorizationrules{=>permit();=>add(type="b",value=1);};').evaluate(incoming)
    assert list(incoming) == [claim("a")]


def test_a_condition_list_holds_when_each_condition_has_a_claim():
    assert holds('[type=="a"] && [type=="b"]', claim("a"), claim("b"))
    assert not holds('[type=="a"] && [type=="b"]', claim("a"))


def test_all_tests_of_one_condition_are_about_one_claim():
    assert not holds('[type=="a",value==1]', claim("a", 2), claim("b", 1))
    assert not holds('[type=="a",type=="b"]', claim("a"), claim("b"))


@pytest.mark.parametrize(
    ("test", "value", "expected"),
    [
        ("==1", 1, True), ("==1", True, False), ("==1", "1", False), ("==true", 1, False), ("==true", True, True),
        ('=="true"', True, False), ("==0", False, False), ("==false", 0, False), ("==false", False, True), ('=="1"', 1, False),
        ("!=1", True, True), ("!=1", "1", True), ("!=1", 1, False), ("!=true", 1, True), ("!=false", 0, True), ('!="a"', "A", True),
        ('=="a"', "A", False), ("<2", 1, True), ("<2", 2, False), ("<2", True, False), (">=0", True, False), (">=0", "1", False),
        ("<=-1", -2, True), (">-1", 0, True), (">=9223372036854775807", 2**63 - 1, True), ("<=-9223372036854775808", -(2**63), True),
        ('=="é"', "e\u0301", False),
    ],
)  # fmt: skip
def test_values_compare_by_type_and_value(test, value, expected):
    assert holds(f'[type=="a",value{test}]', claim("a", value)) is expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ('[valueType=="Integer"]', True),
        ('[valueType=="integer"]', False),
        ('[valueType!="String",value==5]', True),
        ('[issuer=="CustomClaim"]', True),
        ('[issuer=="AttestationService"]', False),
        ('[issuer!="AttestationService"]', True),
        ('[type!="a"]', False),
        ("[type==5]", False),
        ("[type!=5]", True),
        ("[issuer<5]", False),
        ("[type>=0]", False),
    ],
)
def test_every_property_of_a_claim_can_be_tested(condition, expected):
    assert holds(condition, claim("a", 5, CUSTOM)) is expected


def test_an_order_of_computed_values_that_are_not_integers_is_false():
    assert not holds('c:[type=="a"]&&[type=="b",value<=c.value]', claim("a", "x"), claim("b", "x"))
    assert not holds('c:[type=="a"]&&[type=="b",value<c.value]', claim("a", True), claim("b", 0))
    assert holds('c:[type=="a"]&&[type=="b",value<c.value]', claim("a", 1), claim("b", 0))


def test_an_identifier_is_bound_to_all_claims_that_match_in_their_order():
    claims = [claim("a", 2), claim("b", 9), claim("a", 1), claim("a", "x")]
    assert issued('c:[type=="a"]=>issue(type="t",value=c.value);', *claims) == [("t", 2), ("t", 1), ("t", "x")]


def test_an_action_runs_once_on_what_the_rule_found_before_it():
    claims = [claim("a", 1), claim("a", 2)]
    assert issued('c:[type=="a"]=>issue(type="a",value=c.value);', *claims) == [("a", 1), ("a", 2)]
    assert issued('c:[value!="x"]=>issue(type="b",value=c.value);', *claims) == [("b", 1), ("b", 2)]


def test_equal_claims_are_one_claim_in_each_set_by_itself():
    rules = (
        '=>issue(type="t",value=1);=>issue(type="t",value=1);=>issue(type="t",value=true);=>issue(type="t",value="1");'
    )
    outcome = run(rules)
    assert [(c.type, c.value, type(c.value)) for c in outcome.issued] == [
        ("t", 1, int),
        ("t", True, bool),
        ("t", "1", str),
    ]


def test_a_claim_that_is_incoming_already_still_reaches_the_issued_claims():
    assert issued('=>add(type="t",value=1);=>issue(type="t",value=1);') == [("t", 1)]
    assert issued('c:[type=="t"]=>issue(claim=c);', claim("t", 1, POLICY)) == [("t", 1)]


def test_the_token_shows_what_was_issued_not_what_was_added():
    rules = '=>add(type="BitlockerStatus",value=4);[type=="BitlockerStatus"]=>issue(type="BitlockerStatus",value=true);'
    assert issued(rules) == [("BitlockerStatus", True)]


def test_many_claims_of_one_type_are_deduplicated_too():
    claims = [claim("a", value) for value in (*range(20), True, False, "1")]
    rule = 'c:[type=="a"]=>issue(type="t",value=c.value);'
    outcome = run(rule + rule + '[type=="a"]=>issue(type="t",value=5);', *claims)
    assert [(c.value, type(c.value)) for c in outcome.issued] == [(c.value, type(c.value)) for c in claims]


def test_a_copied_claim_is_unchanged_its_issuer_included():
    outcome = run('c:[type=="a"]=>issue(claim=c);', claim("a", 1, CUSTOM), claim("a", 1))
    assert list(outcome.issued) == [claim("a", 1, CUSTOM), claim("a", 1)]


def test_a_made_claim_is_issued_by_the_policy_and_has_the_type_of_its_value():
    outcome = run('c:[type=="a"]=>issue(type="t",value=c.value,valueType="Integer");', claim("a", 1))
    assert list(outcome.issued) == [claim("t", 1, POLICY)]


def test_every_property_can_be_the_value_of_a_claim():
    rule = 'c:[type=="a"]=>issue(type="t",value=c.{});'
    found = [issued(rule.format(name), claim("a", 5, CUSTOM)) for name in ("type", "value", "valueType", "issuer")]
    assert found == [[("t", "a")], [("t", 5)], [("t", "Integer")], [("t", "CustomClaim")]]


def test_assignments_of_one_identifier_are_paired_claim_by_claim():
    rule = "c:[value!=0]=>issue(type=c.type,value=c.value,valueType=c.valueType);"
    assert issued(rule, claim("a", 1), claim("b", "x")) == [("a", 1), ("b", "x")]


def test_an_assignment_from_another_identifier_must_be_one_value():
    rule = 'c:[type=="a"]&&d:[type=="n"]=>issue(type=d.value,value=c.value);'
    assert issued(rule, claim("a", 1), claim("a", 2), claim("n", "t")) == [("t", 1), ("t", 2)]
    assert issued(rule, claim("a", 1), claim("n", "t"), claim("n", "t", CUSTOM)) == [("t", 1)]
    with pytest.raises(PolicyEvaluationError, match=r"'d\.value' is 2 values, not one"):
        issued(rule, claim("a", 1), claim("n", "t"), claim("n", "u"))
    with pytest.raises(PolicyEvaluationError, match="'type=' is not a String"):
        issued(rule, claim("a", 1), claim("n", 5))


def test_a_value_type_that_does_not_agree_with_a_computed_value_is_an_error():
    with pytest.raises(PolicyEvaluationError, match="'valueType=' does not agree"):
        issued('c:[type=="a"]=>issue(type="t",value=c.value,valueType="String");', claim("a", 1))


def test_a_run_time_error_in_an_issuance_rule_fails_the_call_and_names_the_rule():
    rule = "c:[value!=0]=>issue(type=c.type,value=1);"
    with pytest.raises(PolicyEvaluationError) as caught:
        run(rule, claim("a"), claim("b"))
    assert not isinstance(caught.value, PolicyDenied)
    assert f"Rule at line 1: {rule}" in caught.value.message


OS = 'F1:[type=="OSName",issuer=="CustomClaim"] && C2:[type=="OSName",issuer=="AttestationService",value==F1.value]'


def test_a_condition_may_refer_to_an_earlier_one_as_in_the_documentation():
    assert holds(OS, claim("OSName", "linux", CUSTOM), claim("OSName", "linux"))
    assert not holds(OS, claim("OSName", "linux", CUSTOM), claim("OSName", "windows"))
    assert not holds(OS, claim("OSName", 1, CUSTOM), claim("OSName", True))


def test_a_join_binds_each_identifier_to_the_claims_of_some_joined_tuple():
    claims = [claim("a", 1), claim("a", 2), claim("a", 3), claim("b", 2), claim("b", 3), claim("b", 4)]
    joined = 'c:[type=="a"]&&d:[type=="b",value==c.value]'
    assert issued(f'{joined}=>issue(type="t",value=c.value);', *claims) == [("t", 2), ("t", 3)]
    assert issued(f'{joined}=>issue(type="t",value=d.value);', *claims) == [("t", 2), ("t", 3)]
    ordered = 'c:[type=="a"]&&d:[type=="b",value>c.value]'
    assert issued(f'{ordered}=>issue(type="t",value=c.value);', *claims) == [("t", 1), ("t", 2), ("t", 3)]
    assert issued(f'{ordered}=>issue(type="t",value=d.value);', *claims) == [("t", 2), ("t", 3), ("t", 4)]


def test_a_join_over_three_conditions_needs_one_tuple_for_all():
    chain = 'c:[type=="a"]&&d:[type=="b",value==c.value]&&e:[type=="c",value>d.value]=>issue(type="t",value=c.value);'
    claims = [claim("a", 1), claim("a", 5), claim("b", 1), claim("b", 5), claim("c", 4)]
    assert issued(chain, *claims) == [("t", 1)]
    assert issued(chain, *claims[1:]) == []


def test_an_unrelated_condition_beside_a_join_keeps_all_its_claims():
    rule = 'x:[type=="x"]&&c:[type=="a"]&&d:[type=="b",value==c.value]=>issue(type="t",value=x.value);'
    assert issued(rule, claim("x", 1), claim("x", 2), claim("a", 7), claim("b", 7)) == [("t", 1), ("t", 2)]


def test_the_outcome_tells_which_rules_fired_with_line_source_and_claims():
    text = 'version=1.0;\nauthorizationrules{\n => permit();\n};\nissuancerules{\nc:[type=="a"] && [value==1] => issue(type="t", value=c.value);\n[type=="z"] => issue(type="t", value=2);\n};'
    outcome = compile_policy(text).evaluate(ClaimSet([claim("a", 1), claim("a", 2)]))
    permit, issue = outcome.fired
    assert (permit.section, permit.line, permit.source, permit.claims) == ("authorizationrules", 3, "=> permit();", ())
    assert (issue.section, issue.line, issue.claims) == ("issuancerules", 6, (claim("a", 1), claim("a", 2)))
    assert issue.source == 'c:[type=="a"] && [value==1] => issue(type="t", value=c.value);'


def test_a_conditional_configuration_rule_sets_a_property_only_when_it_holds():
    configuration = '=>issueproperty(type="p",value=1);[type=="a"]=>issueproperty(type="q",value=2);'
    text = f"version=1.1;configurationrules{{{configuration}}};authorizationrules{{=>permit();}};"
    policy = compile_policy(text)
    assert dict(policy.configuration) == {"p": 1}
    assert [c.type for c in policy.evaluate(ClaimSet([claim("a")])).properties] == ["p", "q"]
    assert [c.type for c in policy.evaluate(ClaimSet()).properties] == ["p"]


def test_a_compiled_policy_keeps_nothing_between_evaluations():
    policy = compile_policy('version=1.0;authorizationrules{[type=="x"]=>permit();=>add(type="x",value=1);};')
    for _ in range(2):
        with pytest.raises(PolicyDenied):
            policy.evaluate(ClaimSet())

"""How a decision came about: every rule, whether it fired, on which claims, what it made, and which one decided."""

from __future__ import annotations

import pytest

from assay.claims import ClaimSet
from assay.errors import PolicyEvaluationError, PolicyParsingError
from assay.policy import RuleOutcome, compile_policy, describe_observed, trace_of
from assay.policy.evaluation import compile_afresh

from .version_1_2 import POLICY, claim

FIRED, NOT_FIRED = RuleOutcome.FIRED, RuleOutcome.NOT_FIRED
FAILED, NOT_REACHED = RuleOutcome.FAILED, RuleOutcome.NOT_REACHED

TEXT = """version=1.2;
configurationrules {
  => issueproperty(type="p", value=5);
};
authorizationrules {
  ![type=="blocked"] && c:[type=="svn", value>=2] => add(type="recent", value=true);
  [type=="svn", value<2] => deny();
  [type=="recent"] && [type=="name", value=="good"] => permit();
  => add(type="late", value=1);
};
issuancerules {
  c:[type=="doc"] => issue(type="x", value=JsonToClaimValue(c.value));
  => issue(type="y", value=1);
};
"""


def trace(*claims, text=TEXT):
    policy = compile_afresh(text)
    try:
        return policy.evaluate(ClaimSet(claims)).trace
    except PolicyEvaluationError as error:
        found = trace_of(error)
        assert found is not None
        return found


def outcomes(*claims, text=TEXT):
    return {rule.line: rule.outcome for rule in trace(*claims, text=text).rules}


SVN, NAME = claim("svn", 3), claim("name", "good")


def test_every_rule_of_the_policy_stands_in_the_trace_in_order():
    rules = trace(SVN, NAME).rules
    assert [(rule.section, rule.line, rule.action) for rule in rules] == [
        ("configurationrules", 3, "issueproperty"),
        ("authorizationrules", 6, "add"),
        ("authorizationrules", 7, "deny"),
        ("authorizationrules", 8, "permit"),
        ("authorizationrules", 9, "add"),
        ("issuancerules", 12, "issue"),
        ("issuancerules", 13, "issue"),
    ]
    for rule in rules:
        assert TEXT.splitlines()[rule.line - 1].strip() == rule.source


def test_a_rule_that_fired_shows_the_claims_of_each_condition_and_what_it_made():
    rule = trace(SVN, NAME).rules[1]
    assert rule.outcome is FIRED
    negated, bound = rule.conditions
    assert (negated.source, negated.identifier, negated.negated, negated.claims) == (
        '![type=="blocked"]',
        None,
        True,
        (),
    )
    assert (bound.source, bound.identifier, bound.negated, bound.claims) == (
        'c:[type=="svn", value>=2]',
        "c",
        False,
        (SVN,),
    )
    assert negated.holds
    assert bound.holds
    assert rule.made == (claim("recent", True, POLICY),)
    assert rule.claims == (SVN,)
    assert not rule.is_decisive


def test_a_success_names_the_first_permit_as_decisive():
    text = "version=1.0;authorizationrules{\n=>permit();\n=>permit();\n};"
    assert [rule.is_decisive for rule in trace(text=text).rules] == [True, False]
    found = trace(SVN, NAME, claim("doc", "[1,2]"))
    assert [rule.line for rule in found.rules if rule.is_decisive] == [8]
    assert found.rules[5].made == (claim("x", 1, POLICY), claim("x", 2, POLICY))
    assert found.rules[0].made == (claim("p", 5, POLICY),)


def test_a_rule_that_did_not_fire_shows_what_was_near():
    rules = trace(SVN, claim("name", "bad")).rules
    deny, permit = rules[2], rules[3]
    assert deny.outcome is permit.outcome is NOT_FIRED
    assert (deny.conditions[0].holds, deny.conditions[0].near) == (False, (SVN,))
    recent, name = permit.conditions
    assert (recent.holds, recent.claims) == (True, (claim("recent", True, POLICY),))
    assert (name.holds, name.claims, name.near) == (False, (), (claim("name", "bad"),))


def test_without_a_permit_no_rule_is_decisive_and_no_issuance_rule_is_reached():
    found = trace(SVN)
    assert [rule for rule in found.rules if rule.is_decisive] == []
    assert outcomes(SVN) == {
        3: FIRED, 6: FIRED, 7: NOT_FIRED, 8: NOT_FIRED, 9: FIRED, 12: NOT_REACHED, 13: NOT_REACHED
    }  # fmt: skip


def test_the_deny_that_fired_is_decisive_and_nothing_after_it_is_reached():
    found = trace(claim("svn", 1), NAME)
    (decisive,) = [rule for rule in found.rules if rule.is_decisive]
    assert (decisive.line, decisive.action, decisive.outcome) == (7, "deny", FIRED)
    assert decisive.claims == (claim("svn", 1),)
    assert outcomes(claim("svn", 1))[8] is NOT_REACHED


def test_a_rule_that_fails_is_decisive_with_its_problem_and_the_claims_it_was_about():
    found = trace(SVN, NAME, claim("doc", "{"))
    (decisive,) = [rule for rule in found.rules if rule.is_decisive]
    assert (decisive.line, decisive.outcome, decisive.claims) == (12, FAILED, (claim("doc", "{"),))
    assert decisive.problem.startswith("JsonToClaimValue: the text is not JSON")
    assert found.rules[6].outcome is NOT_REACHED
    assert found.rules[3].outcome is FIRED


def test_a_rule_that_fails_in_its_conditions_shows_what_each_finds_by_itself():
    text = 'version=1.2;authorizationrules{\nc:[type=="a"]&&[type=="b",value==NegateBool(c.value)]=>permit();\n=>permit();\n};'
    first, second = trace(claim("a", 1), claim("b"), text=text).rules
    assert (first.outcome, second.outcome) == (FAILED, NOT_REACHED)
    assert [condition.claims for condition in first.conditions] == [(claim("a", 1),), (claim("b"),)]


def test_conditions_that_hold_by_themselves_and_not_together_are_said_to():
    text = 'version=1.0;authorizationrules{c:[type=="a"]&&[type=="b",value==c.value]=>permit();};'
    (rule,) = trace(claim("a", 1), claim("b", 2), text=text).rules
    assert rule.outcome is NOT_FIRED
    assert all(condition.holds for condition in rule.conditions)
    assert "by itself" in rule.problem
    assert describe_observed(rule) == f'c:[type=="a"]: a=1; [type=="b",value==c.value]: b=2; {rule.problem}'


def test_a_rule_that_did_not_fire_is_explained_by_the_claims_before_it():
    text = 'version=1.0;authorizationrules{[type=="x"]=>deny();=>add(type="x",value=1);=>permit();};'
    first, *_ = trace(text=text).rules
    assert (first.outcome, first.conditions[0].claims, first.conditions[0].near) == (NOT_FIRED, (), ())


def test_rules_that_read_alike_are_told_apart():
    text = 'version=1.0;authorizationrules{[type=="x"]=>permit();=>add(type="x",value=1);[type=="x"]=>permit();};'
    assert [rule.outcome for rule in trace(text=text).rules] == [NOT_FIRED, FIRED, FIRED]


def test_the_trace_is_the_same_however_often_it_is_asked_for():
    found = trace(SVN, NAME)
    assert found.rules == found.rules


def test_an_error_of_a_policy_that_did_not_run_has_no_trace():
    with pytest.raises(PolicyParsingError) as caught:
        compile_policy("version")
    assert trace_of(caught.value) is None


def test_a_trace_of_a_policy_that_used_up_its_steps_is_still_given():
    growing = "".join(f'c:[value!="x{index}"]=>add(type="t{index}",value=c.value);' for index in range(1900))
    text = f"version=1.0;authorizationrules{{=>permit();{growing}}};"
    rules = trace(*[claim("a", value) for value in range(40)], text=text).rules
    assert len(rules) == 1901
    (decisive,) = [rule for rule in rules if rule.is_decisive]
    assert (decisive.outcome, decisive.problem) == (FAILED, "the policy took more steps than it may")

"""What hostile texts and claims can cost: every bound refuses with a PolicyError (policy-language section 13)."""

from __future__ import annotations

import pytest

from assay import limits
from assay.claims import Claim, ClaimSet
from assay.errors import PolicyDenied, PolicyError, PolicyEvaluationError, PolicyParsingError
from assay.policy import compile_policy
from assay.policy.evaluation import compile_afresh

PERMIT = "=>permit();"


def policy(authorization, issuance=""):
    return compile_afresh(f"version=1.0;authorizationrules{{{authorization}}};issuancerules{{{issuance}}};")


def numbers(name, count):
    return [Claim(name, value) for value in range(count)]


def test_a_text_of_the_largest_size_is_read_and_one_byte_more_is_not():
    text = "version=1.0;authorizationrules{};//é"
    largest = text + "x" * (limits.POLICY_TEXT - len(text.encode()))
    assert compile_afresh(largest)
    with pytest.raises(PolicyParsingError, match=f"{limits.POLICY_TEXT + 1} bytes"):
        compile_afresh(largest + "x")


def test_the_number_of_rules_is_bounded_over_all_sections():
    half = limits.POLICY_RULES // 2
    assert policy(PERMIT * half, '=>add(type="a",value=1);' * half)
    with pytest.raises(PolicyParsingError, match=f"more than {limits.POLICY_RULES} rules"):
        policy(PERMIT * half, '=>add(type="a",value=1);' * (half + 1))


def test_the_number_of_conditions_of_a_rule_is_bounded():
    def rule(count):
        return "&&".join(['[type=="a"]'] * count) + PERMIT

    assert policy(rule(limits.POLICY_CONDITIONS)).evaluate(ClaimSet([Claim("a", 1)]))
    with pytest.raises(PolicyParsingError, match=f"more than {limits.POLICY_CONDITIONS} conditions"):
        policy(rule(limits.POLICY_CONDITIONS + 1))


@pytest.mark.parametrize(
    "part", ["(", "[", "{", "JmesPath(", "c.", "!", '"', "\\", "&&", "/*", "//", "=>", "1", "a", ",", "\ufeff"]
)
def test_endless_repetition_is_refused_and_never_a_recursion_error(part):
    for start in (
        "",
        "version=1.0;authorizationrules{",
        "version=1.0;authorizationrules{[value==",
        "version=1.0;authorizationrules{=>add(",
    ):
        with pytest.raises(PolicyParsingError):
            compile_afresh(start + part * (limits.POLICY_TEXT // len(part.encode()) - len(start)))


def test_a_join_at_the_bound_is_done_and_one_beyond_is_an_error():
    rule = PERMIT + 'c:[type=="a"]&&[type=="b",value>c.value]=>add(type="t",value=1);'
    for size in (300, 400):
        incoming = ClaimSet([*numbers("a", size), *numbers("b", size)])
        if size * size + size <= limits.POLICY_JOIN_TUPLES:
            assert policy(rule).evaluate(incoming)
        else:
            with pytest.raises(PolicyEvaluationError, match="joins more than"):
                policy(rule).evaluate(incoming)


def test_unrelated_conditions_do_not_multiply():
    names = [f"n{index}" for index in range(limits.POLICY_CONDITIONS)]
    rule = "&&".join(f'[type=="{name}"]' for name in names) + PERMIT
    assert policy(rule).evaluate(ClaimSet(claim for name in names for claim in numbers(name, 50)))


def test_unrelated_joins_do_not_multiply():
    rule = "&&".join(f'c{i}:[type=="a"]&&[type=="a",value==c{i}.value]' for i in range(limits.POLICY_CONDITIONS // 2))
    assert policy(rule + PERMIT).evaluate(ClaimSet(numbers("a", 60)))


def test_a_chain_of_joins_stops_at_the_bound():
    chain = 'c0:[type=="a"]' + "".join(f'&&c{i}:[type=="a",value!=c{i - 1}.value]' for i in range(1, 32)) + PERMIT
    with pytest.raises(PolicyEvaluationError, match="joins more than"):
        policy(chain).evaluate(ClaimSet(numbers("a", 20)))


def test_the_number_of_incoming_claims_is_bounded():
    with pytest.raises(PolicyEvaluationError, match=f"more than {limits.POLICY_CLAIMS} claims"):
        policy(PERMIT).evaluate(ClaimSet.of_service(("a", value) for value in range(limits.POLICY_CLAIMS + 1)))


def test_the_number_of_claims_that_a_policy_makes_is_bounded():
    incoming = ClaimSet.of_service(("a", value) for value in range(limits.POLICY_CLAIMS // 2))
    rules = "".join(f'c:[type=="a"]=>add(type="b{index}",value=c.value);' for index in range(2))
    with pytest.raises(PolicyEvaluationError, match=f"more than {limits.POLICY_CLAIMS} claims"):
        policy(PERMIT + rules).evaluate(incoming)


def test_the_work_of_a_whole_evaluation_is_bounded():
    growing = "".join(f'c:[value!="x{i}"]=>add(type="t{i}",value=c.value);' for i in range(1900))
    with pytest.raises(PolicyEvaluationError, match="steps"):
        policy(PERMIT + growing).evaluate(ClaimSet(numbers("a", 40)))


def test_nothing_but_a_policy_error_comes_out_of_large_joins_of_many_rules():
    rule = 'c:[type=="a"]&&d:[type=="a",value!=c.value]=>add(type="t",value=d.value);'
    with pytest.raises(PolicyError):
        policy(PERMIT + rule * 500).evaluate(ClaimSet(numbers("a", 300)))


def test_a_long_rule_is_cut_in_the_message_and_whole_in_the_attribute():
    condition = f'[type!="{"x" * 5000}"]'
    with pytest.raises(PolicyDenied) as caught:
        policy(f"{condition}=>deny();").evaluate(ClaimSet([Claim("a", 1)]))
    assert len(caught.value.message) < 1200
    assert caught.value.source == f"{condition}=>deny();"


def test_compiled_policies_are_kept_in_a_bounded_memo():
    def text(index):
        return f"version=1.0;authorizationrules{{=>permit();}};//{index}"

    first = compile_policy(text(0))
    assert compile_policy(text(0)) is first
    for index in range(1, limits.POLICY_COMPILED + 1):
        compile_policy(text(index))
    assert compile_policy(text(0)) is not first

"""How function calls are read: only under 1.2, by name, with their arguments, to a depth (policy-language 3)."""

from __future__ import annotations

import pytest

from assay import limits
from assay.errors import PolicyParsingError
from assay.policy import compile_policy
from assay.policy.parser import parse_policy
from assay.policy.readings import DEFAULT
from assay.policy.syntax import Call, Condition, Emit, Function, Literal, MadeClaim, Property, PropertyTest, Reference

FORMS = {
    "JmesPath": 2,
    "JsonToClaimValue": 1,
    "IsSubsetOf": 2,
    "AppendString": 2,
    "NegateBool": 1,
    "ContainsOnlyValue": 2,
}


def text(rule, version="1.2", section="issuancerules"):
    if section == "authorizationrules":
        return f"version={version};authorizationrules{{{rule}}};"
    return f"version={version};authorizationrules{{}};issuancerules{{{rule}}};"


def refusal(rule, version="1.2"):
    with pytest.raises(PolicyParsingError) as caught:
        compile_policy(text(rule, version))
    return caught.value


def call(name, count):
    return f"{name}({','.join(['c.value'] * count)})"


@pytest.mark.parametrize(("name", "count"), FORMS.items())
def test_each_function_takes_its_number_of_arguments_and_no_other(name, count):
    rule = 'c:[type=="a"]=>issue(type="b",value={});'
    assert compile_policy(text(rule.format(call(name, count))))
    for wrong in {0, 1, 2, 3} - {count}:
        error = refusal(rule.format(call(name, wrong)))
        assert f"'{name}' takes {count} argument" in error.failure
        assert f"{wrong} found" in error.failure
        assert error.symbol == name


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize(
    ("rule", "failure"),
    [
        ('=>issue(type="b",value=NegateBool(true));', "a function call ('NegateBool') needs version 1.2"),
        ('[value==NegateBool(true)]=>issue(type="b",value=1);', "a function call ('NegateBool') needs version 1.2"),
        ('![type=="a"]=>issue(type="b",value=1);', "a negated condition needs version 1.2"),
    ],
)
def test_earlier_versions_have_neither_calls_nor_negation(version, rule, failure):
    assert refusal(rule, version).failure == failure
    assert compile_policy(text(rule, "1.2"))


@pytest.mark.parametrize("name", ["jmespath", "ConcatString", "permit", "true", "Jmes_Path"])
def test_an_unknown_function_is_refused_and_the_known_ones_named(name):
    error = refusal(f'=>issue(type="b",value={name}("a"));')
    assert error.symbol == name
    assert error.failure == f"'{name}' is no function; the functions are {', '.join(FORMS)}"


def test_calls_stand_in_conditions_and_in_every_assignment():
    source = (
        'c:[type=="a",value==AppendString("x",c.type)] && !d:[type=="b",value!=NegateBool(c.value)] '
        '=> issue(type=AppendString(c.type,"!"),value=IsSubsetOf(c.value,c.value));'
    )
    (rule,) = parse_policy(text(source), DEFAULT).issuance
    first, second = rule.conditions
    append = Call(Function.APPEND_STRING, (Literal("x"), Reference("c", Property.TYPE)))
    assert first.tests[1].expression == append
    assert (first.negated, second.negated, second.identifier) == (False, True, "d")
    assert first.source == 'c:[type=="a",value==AppendString("x",c.type)]'
    assert second.source == '!d:[type=="b",value!=NegateBool(c.value)]'
    assert isinstance(rule.action, Emit)
    assert isinstance(rule.action.claim, MadeClaim)
    assert rule.action.claim.value == Call(Function.IS_SUBSET_OF, (Reference("c", Property.VALUE),) * 2)
    assert isinstance(second, Condition)
    assert isinstance(second.tests[0], PropertyTest)


def nested(depth):
    return "NegateBool(" * depth + "true" + ")" * depth


def test_calls_nest_to_the_bound_and_no_deeper():
    assert compile_policy(text(f'=>issue(type="b",value={nested(limits.POLICY_NESTING)});'))
    error = refusal(f'=>issue(type="b",value={nested(limits.POLICY_NESTING + 1)});')
    assert error.failure == f"function calls nested deeper than {limits.POLICY_NESTING}"


def test_calls_side_by_side_are_not_nested():
    many = "".join(f'=>issue(type="b{index}",value={nested(3)});' for index in range(limits.POLICY_NESTING))
    assert compile_policy(text(many))


@pytest.mark.parametrize("part", ["JmesPath(", "!", "NegateBool(NegateBool(", "![", "c.value,", "AppendString("])
@pytest.mark.parametrize("start", ["", '=>add(type="a",value=', "[value=="])
def test_endless_repetition_is_refused_and_never_a_recursion_error(part, start):
    refusal(start + part * 20_000)


@pytest.mark.parametrize(
    ("rule", "failure"),
    [
        ('!c:[type=="a"]=>issue(claim=c);', "no condition of the rule binds 'c'"),
        ('!c:[type==c.value]=>issue(type="b",value=1);', "no condition of the rule binds 'c'"),
        ('=>issue(type="b",value=NegateBool(c.value));', "no condition of the rule binds 'c'"),
        ('!![type=="a"]=>issue(type="b",value=1);', "mismatched input '!' expecting {'[', identifier}"),
        ('![type=="a"]=>issue(type="b",value=NegateBool(true);', "mismatched input ';' expecting {',', ')'}"),
        ('=>issue(type="b",value=NegateBool(true,));', "mismatched input ')' expecting {string, integer, boolean, identifier}"),
        ('=>issue(type="b",value=NegateBool);', "mismatched input ')' expecting '.'"),
        ('[type=="a"] && =>issue(type="b",value=1);', "mismatched input '=>' expecting {'!', '[', identifier}"),
        ('c:![type=="a"]=>issue(type="b",value=1);', "mismatched input '!' expecting '['"),
        ('[NegateBool(true)==value]=>issue(type="b",value=1);', "mismatched input 'NegateBool' expecting"),
    ],
)  # fmt: skip
def test_a_rule_that_the_grammar_forbids_is_refused_with_a_reason(rule, failure):
    assert failure in refusal(rule).failure


def test_a_refusal_inside_a_call_names_the_grammar_rules_around_it():
    error = refusal('=>issue(type="b",value=AppendString("a",JmesPath("{}" "b")));')
    assert error.rule.endswith("claimArgument > assignment > expression > functionCall > expression > functionCall")


def test_no_word_is_reserved_by_the_functions():
    assert compile_policy(text('JmesPath:[type=="a"]=>issue(type="b",value=JmesPath.value);'))

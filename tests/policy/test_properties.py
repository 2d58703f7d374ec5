"""Random policies against a second reader, and random text against the promise that only a PolicyError comes out."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.claims import Claim, ClaimSet
from assay.errors import PolicyDenied, PolicyError, PolicyEvaluationError, PolicyParsingError
from assay.policy.evaluation import compile_afresh
from tests.examples import examples

from . import naive
from .strategies import broken_texts, claim_sets, joined_claims, joined_texts, policy_texts

thorough = settings(
    max_examples=examples(600), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def ending_of(policy, incoming):
    """What a policy gives, or the class of its refusal."""
    try:
        outcome = policy.evaluate(incoming)
    except PolicyDenied:
        return naive.Denied
    except PolicyEvaluationError:
        return naive.Failed
    return list(outcome.issued), list(outcome.properties)


def check(text, incoming):
    try:
        sections = naive.read(text)
    except naive.Refused:
        with pytest.raises(PolicyParsingError):
            compile_afresh(text)
        return
    expected = naive.evaluate(sections, incoming)
    ending = ending_of(compile_afresh(text), incoming)
    if expected.perhaps_failed and ending is naive.Failed:
        return
    assert ending == (expected.ending or (expected.issued, expected.properties))


@thorough
@given(st.one_of(policy_texts(), policy_texts(("1.2",))), claim_sets)
def test_a_random_policy_gives_what_the_naive_reader_gives(text, incoming):
    check(text, incoming)


@thorough
@given(joined_texts(), joined_claims)
def test_random_joins_and_negations_over_computed_values_match_what_they_match_for_the_naive_reader(text, incoming):
    check(text, incoming)


@pytest.mark.parametrize(
    "conditions",
    [
        'a:[type=="t"] && b:[type=="t", value==JsonToClaimValue(a.value), valueType==a.issuer]',
        'a:[type=="t"] && b:[type=="t", valueType==a.issuer, value==JsonToClaimValue(a.value)]',
        'a:[type=="t", value==JsonToClaimValue(a.value)] && b:[type=="t", valueType==a.issuer]',
        'a:[type=="t"] && b:[type=="t", valueType==a.issuer] && ![type=="t", value==JsonToClaimValue(a.value)]',
    ],
)
def test_a_call_is_not_made_for_a_tuple_that_fails_a_test_without_calls(conditions):
    """`assay.policy.readings`, 5.1: the tests without calls come first, over all conditions of a rule."""
    check(
        f"version=1.2;authorizationrules{{=>permit();}};issuancerules{{{conditions} => issue(claim=a);}};",
        ClaimSet([Claim("t", "no JSON")]),
    )


@pytest.mark.parametrize(
    ("value", "is_issued"),
    [
        ("c.value", False),
        ('AppendString(c.value, "x")', False),
        ('AppendString("x", c.value)', False),
        ('JmesPath(c.value, "a")', False),
        ('JsonToClaimValue(JmesPath(c.value, "a"))', False),
        ('NegateBool(JsonToClaimValue(JmesPath(c.value, "b")))', False),
        ('JsonToClaimValue(JmesPath(c.value, "missing"))', True),
        ("IsSubsetOf(c.value, c.value)", True),
        ("NegateBool(IsSubsetOf(c.value, c.value))", True),
        ("ContainsOnlyValue(c.value, c.value)", True),
        ("c.type", True),
    ],
)
@pytest.mark.parametrize("detour", ["", "added"])
def test_the_read_only_mark_is_inherited_as_the_specification_says(value, is_issued, detour):
    """Policy-language 4: also when the value was added as a claim before it is issued."""
    rule = f'c:[type=="pcrs"] => add(type="d", value={value}); e:[type=="d"] => issue(claim=e);'
    direct = f'c:[type=="pcrs"] => issue(type="d", value={value});'
    text = f"version=1.2;authorizationrules{{=>permit();}};issuancerules{{{rule if detour else direct}}};"
    incoming = ClaimSet([Claim("pcrs", '{"a":"x","b":true}')])
    check(text, incoming)
    assert (ending_of(compile_afresh(text), incoming) is not naive.Failed) == is_issued


@thorough
@given(broken_texts())
def test_both_readers_refuse_the_same_broken_texts(text):
    try:
        naive.read(text)
    except naive.Refused:
        with pytest.raises(PolicyParsingError):
            compile_afresh(text)
    else:
        compile_afresh(text)


@settings(max_examples=examples(400), deadline=None)
@given(
    st.one_of(
        st.text(max_size=200),
        st.text(alphabet='version=1.0;authorules{}[]"\\&=>!<:,()-_/*\n\ufeff\ud800é', max_size=200),
        st.lists(
            st.sampled_from(
                [
                    "version",
                    "=",
                    "1.0",
                    "1.1",
                    "1.2",
                    ";",
                    "authorizationrules",
                    "configurationrules",
                    "issuancerules",
                    "{",
                    "}",
                    "[",
                    "]",
                    "=>",
                    "permit",
                    "(",
                    ")",
                    "type",
                    "value",
                    "==",
                    "!=",
                    "<",
                    "&&",
                    "c",
                    ":",
                    ".",
                    ",",
                    '"',
                    '"x"',
                    "5",
                    "-5",
                    "true",
                    "add",
                    "issue",
                    "claim",
                    "!",
                    "JmesPath",
                    "JmesPath(",
                    "NegateBool(",
                    "//",
                    "\n",
                ]
            ),
            max_size=60,
        ).map(" ".join),
    ).flatmap(
        lambda text: st.sampled_from(
            (
                text,
                f"version=1.1;authorizationrules{{{text}",
                f"version=1.0;{text}",
                f"version=1.2;authorizationrules{{{text}",
            )
        )
    )
)
def test_arbitrary_text_never_raises_anything_but_a_policy_error(text):
    with contextlib.suppress(PolicyError):
        compile_afresh(text).evaluate(ClaimSet())

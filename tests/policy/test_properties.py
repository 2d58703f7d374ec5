"""Random policies against a second reader, and random text against the promise that only a PolicyError comes out."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.claims import ClaimSet
from assay.errors import PolicyDenied, PolicyError, PolicyEvaluationError, PolicyParsingError
from assay.policy.evaluation import compile_afresh

from . import naive
from .strategies import broken_texts, claim_sets, policy_texts

thorough = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@thorough
@given(policy_texts(), claim_sets)
def test_a_random_policy_gives_what_the_naive_reader_gives(text, incoming):
    try:
        sections = naive.read(text)
    except naive.Refused:
        with pytest.raises(PolicyParsingError):
            compile_afresh(text)
        return
    policy = compile_afresh(text)
    try:
        issued, properties = naive.evaluate(sections, incoming)
    except naive.Denied:
        with pytest.raises(PolicyDenied):
            policy.evaluate(incoming)
    except naive.Failed:
        with pytest.raises(PolicyEvaluationError) as caught:
            policy.evaluate(incoming)
        assert not isinstance(caught.value, PolicyDenied)
    else:
        outcome = policy.evaluate(incoming)
        assert list(outcome.issued) == issued
        assert list(outcome.properties) == properties


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


@settings(max_examples=400, deadline=None)
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
                    "//",
                    "\n",
                ]
            ),
            max_size=60,
        ).map(" ".join),
    ).flatmap(lambda text: st.sampled_from((text, f"version=1.1;authorizationrules{{{text}", f"version=1.0;{text}")))
)
def test_arbitrary_text_never_raises_anything_but_a_policy_error(text):
    with contextlib.suppress(PolicyError):
        compile_afresh(text).evaluate(ClaimSet())

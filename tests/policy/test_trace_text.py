"""Traces as JSON and in words: complete in rules, cut in what claims hold."""

from __future__ import annotations

import json

from assay import limits
from assay.claims import ClaimSet
from assay.errors import PolicyDenied
from assay.policy import describe_claims, describe_conditions, describe_decision, encode_trace
from assay.policy.evaluation import compile_afresh
from assay.policy.tracing import trace_of

from .version_1_2 import claim

TEXT = (
    'version=1.2;authorizationrules{\nc:[type=="a"]=>add(type="b",value=c.value);\n[type=="n",value==2]=>permit();\n};'
)


def encoded(*claims, text=TEXT):
    policy = compile_afresh(text)
    try:
        return encode_trace(policy.evaluate(ClaimSet(claims)).trace)
    except PolicyDenied as error:
        found = trace_of(error)
        assert found is not None
        return encode_trace(found)


def shown(name, value, issuer="AttestationService", value_type="Integer"):
    return {"type": name, "value": value, "issuer": issuer, "valueType": value_type}


def test_a_rule_is_encoded_with_its_conditions_and_claims():
    first, second = encoded(claim("a", 7), claim("n", 2))
    assert first == {
        "section": "authorizationrules",
        "line": 2,
        "rule": 'c:[type=="a"]=>add(type="b",value=c.value);',
        "action": "add",
        "outcome": "fired",
        "fired": True,
        "decisive": False,
        "conditions": [
            {
                "condition": 'c:[type=="a"]',
                "identifier": "c",
                "negated": False,
                "holds": True,
                "claims": [shown("a", 7)],
                "claims_count": 1,
                "near": [],
                "near_count": 0,
            }
        ],
        "claims": [shown("a", 7)],
        "claims_count": 1,
        "made": [shown("b", 7, "AttestationPolicy")],
        "made_count": 1,
    }
    assert (second["fired"], second["decisive"], second["made"]) == (True, True, [])


def test_a_rule_that_did_not_fire_has_what_was_near_and_no_claims_of_its_own():
    _, second = encoded(claim("n", 1))
    assert (second["outcome"], second["fired"], second["claims"]) == ("not fired", False, [])
    assert second["conditions"][0]["near"] == [shown("n", 1)]


def test_long_values_and_many_claims_are_cut_and_counted():
    first, _ = encoded(claim("a", "x" * 100_000), *[claim("a", value) for value in range(50)])
    assert first["claims_count"] == first["made_count"] == 51
    assert len(first["claims"]) == len(first["made"]) == limits.TRACE_CLAIMS
    assert first["claims"][0]["value"] == "x" * limits.TRACE_VALUE + "..."
    assert len(json.dumps(first)) < 10_000


def test_a_failing_rule_has_its_problem():
    text = 'version=1.2;authorizationrules{=>add(type="a",value=NegateBool(1));};'
    policy = compile_afresh(text)
    try:
        policy.evaluate(ClaimSet())
    except Exception as error:
        found = trace_of(error)  # type: ignore[arg-type]
        assert found is not None
        (rule,) = encode_trace(found)
    assert isinstance(rule, dict)
    assert rule["outcome"] == "failed"
    assert rule["problem"] == "NegateBool: argument 1 is no Boolean but Integer"


def test_claims_in_words():
    assert describe_claims([]) == "no claim"
    assert describe_claims([claim("a", True), claim("b", 5), claim("c", "x")]) == "a=true, b=5, c=x"
    assert describe_claims([claim("a", value) for value in range(12)]).endswith("a=9, 2 more")


def test_a_decision_in_words_names_permits_with_their_claims_and_other_rules_by_line():
    policy = compile_afresh(TEXT)
    found = policy.evaluate(ClaimSet([claim("a", 7), claim("n", 2)])).trace
    assert describe_decision(found) == 'line 2 (authorizationrules); line 3: [type=="n",value==2]=>permit(); on n=2'


def test_conditions_in_words_say_what_was_near():
    policy = compile_afresh(TEXT)
    try:
        policy.evaluate(ClaimSet([claim("n", 1)]))
    except PolicyDenied as error:
        found = trace_of(error)
    assert found is not None
    first, second = found.rules
    assert describe_conditions(second.conditions) == '[type=="n",value==2]: no claim, but n=1'
    assert describe_conditions(first.conditions) == 'c:[type=="a"]: no claim'

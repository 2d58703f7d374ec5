"""Cases of policies: what is read, what is refused, and what passes."""

from __future__ import annotations

import json

import pytest

from assay.claims import Claim, ClaimSet, Issuer
from assay.errors import Malformed
from assay.policy.cases import EvidenceCase, Expectation, Observed, differences, read_case, try_on_claims

GOOD = {"policy": "p", "claims": {"a": [1, 2], "b": "x", "c": True}, "expect": {"permitted": True}}
EVIDENCE = {"policy": "p", "evidence": "e", "type": "T", "expect": {"permitted": True}}


def read(members):
    return read_case(json.dumps(members).encode(), is_toml=False)


def test_claims_are_an_object_of_values_by_name_or_a_list():
    expected = ClaimSet([Claim("a", 1), Claim("a", 2), Claim("b", "x"), Claim("c", True)])
    assert read(GOOD).tried_on == expected
    listed = [{"type": "a", "value": 1, "issuer": "CustomClaim", "valueType": "Integer"}]
    assert read({**GOOD, "claims": listed}).tried_on == ClaimSet([Claim("a", 1, Issuer.CUSTOM)])


def test_a_case_in_toml_is_the_same_case():
    text = 'policy = "p"\nclaims = {a = [1, 2], b = "x", c = true}\nexpect = {permitted = true}'
    assert read_case(text.encode(), is_toml=True) == read(GOOD)


def test_evidence_stands_with_its_settings():
    settings = {"at": "2025-06-01", "accept_tcb": "any", "unsafe_simulator": True, "unsafe_no_revocation": False}
    found = read({**EVIDENCE, **settings, "endorsements": ["d1", "d2"], "description": "why"})
    assert found.description == "why"
    assert found.tried_on == EvidenceCase(
        "e", ("d1", "d2"), {"at": "2025-06-01", "accept_tcb": "any", "type": "T"}, frozenset({"unsafe_simulator"})
    )
    assert read({**EVIDENCE, "endorsements": "d"}).tried_on.endorsements == ("d",)


def test_a_time_of_toml_is_a_time():
    text = 'policy = "p"\nevidence = "e"\ntype = "T"\nat = 2025-06-01T12:00:00Z\nexpect = {permitted = true}'
    found = read_case(text.encode(), is_toml=True).tried_on
    assert isinstance(found, EvidenceCase)
    assert found.settings["at"] == "2025-06-01T12:00:00+00:00"


@pytest.mark.parametrize(
    "members",
    [
        {},
        {**GOOD, "extra": 1},
        {**GOOD, "type": "T"},
        {**GOOD, "evidence": "e", "type": "T"},
        {key: value for key, value in GOOD.items() if key != "claims"},
        {**GOOD, "policy": 1},
        {**GOOD, "policy": ""},
        {**GOOD, "claims": "a"},
        {**GOOD, "claims": ["a"]},
        {**GOOD, "claims": [{"type": "a", "value": None}]},
        {**GOOD, "claims": [{"type": "a", "value": 1 << 63}]},
        {**GOOD, "claims": [{"type": "a", "value": 1, "issuer": "Me"}]},
        {**GOOD, "claims": [{"type": "a", "value": True, "valueType": "Integer"}]},
        {**GOOD, "claims": [{"type": "a", "value": 1, "extra": 1}]},
        {**GOOD, "claims": [{"value": 1}]},
        {key: value for key, value in GOOD.items() if key != "expect"},
        {**GOOD, "expect": True},
        {**GOOD, "expect": {}},
        {**GOOD, "expect": {"permitted": 1}},
        {**GOOD, "expect": {"permitted": True, "extra": 1}},
        {**GOOD, "expect": {"permitted": True, "code": "x"}},
        {**GOOD, "expect": {"permitted": True, "denied_line": 1}},
        {**GOOD, "expect": {"permitted": True, "issued": []}},
        {**GOOD, "expect": {"permitted": False, "issued": {}}},
        {**GOOD, "expect": {"permitted": False, "code": 1}},
        {**GOOD, "expect": {"permitted": False, "denied_line": True}},
        {**EVIDENCE, "type": 1},
        {**EVIDENCE, "endorsements": [1]},
        {**EVIDENCE, "unsafe_simulator": "yes"},
        {**EVIDENCE, "at": 1},
        {**EVIDENCE, "runtime_dat": "x"},
        {key: value for key, value in EVIDENCE.items() if key != "type"},
    ],
)
def test_a_bad_case_is_refused(members):
    with pytest.raises(Malformed):
        read(members)


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b'{"policy":"a","policy":"b"}'])
@pytest.mark.parametrize("is_toml", [False, True])
def test_what_is_no_case_is_refused(content, is_toml):
    with pytest.raises(Malformed):
        read_case(content, is_toml=is_toml)


POLICY = """version=1.0;
authorizationrules {
    [type=="a", value==1] => deny();
    [type=="b"] => permit();
};
issuancerules { c:[type=="b"] => issue(type="b", value=c.value); };
"""


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"b": 7}, Observed(permitted=True, issued={"b": 7})),
        ({"a": 1}, ("PolicyEvaluationError", 3)),
        ({}, ("PolicyEvaluationError", None)),
    ],
)
def test_a_trial_observes_what_the_policy_decides(values, expected):
    observed = try_on_claims(POLICY, ClaimSet(Claim(name, value) for name, value in values.items()))
    if isinstance(expected, Observed):
        assert observed == expected
    else:
        assert (observed.permitted, observed.code, observed.denied_line) == (False, *expected)


def test_a_policy_that_does_not_parse_is_an_observation():
    assert try_on_claims("version", ClaimSet()).code == "PolicyParsingError"


PERMITTED = Observed(permitted=True, issued={"a": 1, "b": [1, 2]})
DENIED = Observed(permitted=False, issued={}, code="PolicyEvaluationError", denied_line=3, message="denied")


@pytest.mark.parametrize(
    ("expected", "observed", "count"),
    [
        (Expectation(permitted=True), PERMITTED, 0),
        (Expectation(permitted=True, issued={"b": [1, 2], "a": 1}), PERMITTED, 0),
        (Expectation(permitted=True, issued={"a": True, "b": [1, 2]}), PERMITTED, 1),
        (Expectation(permitted=True, issued={"a": 1, "b": [2, 1]}), PERMITTED, 1),
        (Expectation(permitted=True, issued={}), PERMITTED, 2),
        (Expectation(permitted=True, issued={"a": 1, "b": [1, 2], "c": 3}), PERMITTED, 1),
        (Expectation(permitted=False), PERMITTED, 1),
        (Expectation(permitted=False), DENIED, 0),
        (Expectation(permitted=False, code="PolicyEvaluationError", denied_line=3), DENIED, 0),
        (Expectation(permitted=False, code="PolicyParsingError", denied_line=4), DENIED, 2),
        (Expectation(permitted=True), DENIED, 1),
    ],
)
def test_differences_are_counted(expected, observed, count):
    assert len(differences(expected, observed)) == count

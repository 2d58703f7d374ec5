"""Claims that a 1.2 policy may test and must not issue (policy-language 4; reading Q5)."""

from __future__ import annotations

import pytest

from assay.claims import ClaimSet
from assay.policy.evaluation import compile_afresh
from assay.policy.readings import Readings

from .version_1_2 import CUSTOM, claim, compiled, failure, issued, run

PCRS = claim("pcrs", '{"PCRs":[{"Index":0,"Digests":{"SHA256":"ab"}}]}')
READ = 'JmesPath(c.value,"PCRs[0].Digests.SHA256")'


@pytest.mark.parametrize(
    "action",
    [
        "issue(claim=c)",
        'issueproperty(type="p",value=c.value)',
        'issue(type="x",value=c.value)',
        "issue(type=c.type,value=c.value)",
        "issue(type=c.value,value=1)",
        f'issue(type="x",value={READ})',
        f'issue(type="x",value=JsonToClaimValue({READ}))',
        f'issue(type="x",value=AppendString("a",{READ}))',
        f'issue(type="x",value=AppendString({READ},"a"))',
        f'issue(type=AppendString("x",{READ}),value=1)',
        'issue(type="x",value=NegateBool(JsonToClaimValue(JmesPath(c.value,"PCRs[0].Index == `0`"))))',
        'issue(type="x",value=JmesPath("{}",AppendString(JmesPath(c.value,"PCRs[0].Index == `1`"),"")))',
    ],
)  # fmt: skip
def test_what_is_made_of_a_read_only_value_must_not_be_issued(action):
    message = failure(f'c:[type=="pcrs"]=>{action};', PCRS).message
    assert "is read-only: it must not be issued" in message
    assert "Rule at line 1" in message


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("IsSubsetOf(c.value,c.value)", True),
        ('ContainsOnlyValue(c.value,"x")', False),
        (f'ContainsOnlyValue(JsonToClaimValue({READ}),"ab")', True),
        ("NegateBool(IsSubsetOf(c.value,c.value))", False),
        ("c.type", "pcrs"),
        ("c.issuer", "AttestationService"),
        ("c.valueType", "String"),
    ],
)
def test_answers_about_a_read_only_value_may_be_issued(expression, value):
    assert issued(f'c:[type=="pcrs"]=>issue(type="x",value={expression});', PCRS) == [("x", value)]


def test_a_read_only_value_may_be_tested_in_every_way():
    condition = f'c:[type=="pcrs",value!="x"] && [type=="want",value==JsonToClaimValue({READ})]'
    assert issued(f'{condition}=>issue(type="x",value=true);', PCRS, claim("want", "ab")) == [("x", True)]


def test_the_mark_goes_with_a_claim_that_is_added():
    rules = f'c:[type=="pcrs"]=>add(type="p0",value=JsonToClaimValue({READ}));'
    assert issued(rules + '[type=="p0",value=="ab"]=>issue(type="x",value=true);', PCRS) == [("x", True)]
    for action in ("issue(claim=c)", 'issue(type="x",value=c.value)', 'issue(type="x",value=AppendString(c.value,""))'):
        assert "read-only" in failure(rules + f'c:[type=="p0"]=>{action};', PCRS).message
    longer = rules + 'c:[type=="p0"]=>add(type="p1",value=AppendString(c.value,"!"));c:[type=="p1"]=>issue(claim=c);'
    assert "'p1' is read-only" in failure(longer, PCRS).message


def test_a_set_of_values_with_a_read_only_one_is_read_only():
    rule = 'c:[value!="x"]=>issue(type="y",value=c.value);'
    assert issued(rule, claim("a", 1)) == [("y", 1)]
    assert "read-only" in failure(rule, claim("a", 1), PCRS).message


def test_a_claim_that_equals_a_read_only_one_is_read_only():
    rules = 'c:[type=="pcrs"]=>add(type="t",value=c.value);=>issue(type="t",value="v");'
    assert issued(rules, claim("pcrs", "w")) == [("t", "v")]
    assert "read-only" in failure(rules, claim("pcrs", "v")).message


def test_the_type_counts_whoever_made_the_claim_and_claims_of_the_policy_do_not():
    assert "read-only" in failure('c:[type=="pcrs"]=>issue(claim=c);', claim("pcrs", "v", CUSTOM)).message
    assert issued('=>issue(type="pcrs",value="v");') == [("pcrs", "v")]


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_earlier_versions_know_no_read_only_claims(version):
    text = f'version={version};authorizationrules{{=>permit();}};issuancerules{{c:[type=="pcrs"]=>issue(claim=c);}};'
    assert list(compile_afresh(text).evaluate(ClaimSet([PCRS])).issued) == [PCRS]


def test_which_claims_are_read_only_can_be_configured():
    text = compiled('c:[type=="pcrs"]=>issue(claim=c);').text
    assert list(compile_afresh(text, Readings(read_only=frozenset())).evaluate(ClaimSet([PCRS])).issued) == [PCRS]
    other = compile_afresh(compiled("c:[value!=0]=>issue(claim=c);").text, Readings(read_only=frozenset({"a"})))
    assert list(other.evaluate(ClaimSet([PCRS])).issued) == [PCRS]


def test_add_of_a_read_only_claim_reaches_nothing_outside():
    outcome = run('c:[type=="pcrs"]=>add(type="copy",value=c.value);', PCRS)
    assert list(outcome.issued) == []
    assert list(outcome.properties) == []

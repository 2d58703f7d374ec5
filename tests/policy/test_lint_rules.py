"""What lint says of rules together, of what they make, and of the queries in them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from assay.policy.lint import Level

from .vocabularies import VOCABULARY, codes, found, lint, pointed, policy

NO_DEBUG = '[type=="flag", value==true] => deny();'


def test_a_policy_that_always_permits_is_a_warning():
    (finding,) = found(policy("=> permit();"), "always-permits")
    assert finding.kind.level is Level.WARNING
    assert "always-permits" not in codes(policy(NO_DEBUG + "=> permit();"))
    assert "always-permits" in codes(policy('[type=="svn", value=="1"] => deny(); => permit();'))


@pytest.mark.parametrize(
    "rules", ["", "=> deny();", "=> permit(); => deny();", '[type=="svn", value=="1"] => permit();', NO_DEBUG]
)
def test_a_policy_that_never_permits_is_found(rules):
    assert "never-permits" in codes(policy(rules))


@pytest.mark.parametrize(
    ("rules", "permitted"),
    [
        ('[type=="svn", value>1] => permit();', False),
        ('[type=="svn", value>1] && [type=="flag"] => permit();', True),
        (NO_DEBUG + "=> permit();", False),
        ('[type=="flag", value==false] => permit();', False),
        ('[type=="flag", value!=true] => permit(); [type=="svn"] => permit();', True),
        ('[type=="flag", value==true] && [type=="svn", value<2] => deny(); [type=="svn"] => permit();', True),
        ('[type=="flag", value==true] => permit();', True),
    ],
)
def test_a_policy_for_a_type_that_can_be_debugged_and_does_not_refuse_it_is_remarked(rules, permitted):
    assert ("debug-permitted" in codes(policy(rules))) == permitted


def test_with_one_type_named_the_remark_does_not_wait_for_its_claims():
    one = replace(VOCABULARY, is_one_type=True)
    assert "debug-permitted" in codes(policy("=> permit();"), one)
    assert "debug-permitted" not in codes(policy("=> permit();"))


def test_rules_after_a_denial_of_everything_are_unreachable_and_said_once():
    text = policy('[type=="svn"] => permit(); => deny(); [type=="svn"] => deny();', '=> issue(type="a", value=1);')
    (finding,) = found(text, "unreachable")
    assert "this rule and 1 more are" in finding.message


@pytest.mark.parametrize(
    ("rules", "redundant"),
    [
        ('[type=="svn"] => permit(); [type=="svn"] => permit();', [1]),
        ('[type=="svn"] => permit(); [ type == "svn" ] && [type=="text"] => permit();', [1]),
        ('[type=="svn"] && [type=="text"] => permit(); [type=="svn"] => permit();', [0]),
        ('[type=="svn", value==1] => permit(); => permit();', [0]),
        ('[type=="svn"] => deny(); [type=="svn"] => permit();', []),
        ('[type=="svn", value==1] => permit(); [type=="svn", value==2] => permit();', []),
        ('=> add(type="a", value=1); => add(type="a", value=1);', [1]),
        ('=> add(type="a", value=1); [type=="svn"] => add(type="a", value=1);', [1]),
        ('=> add(type="a", value=1); => add(type="a", value=2);', []),
        ('[type=="a"] => permit(); => add(type="a", value=1); [type=="a"] => permit();', []),
        ('[type=="a"] => permit(); => add(type="b", value=1); [type=="a"] => permit();', [2]),
        ('c:[type=="svn"] => add(type="a", value=c.value); c:[type=="svn"] => add(type="a", value=c.value);', [1]),
        ('c:[type=="svn"] => add(type="a", value=c.value); c:[type=="text"] => add(type="a", value=c.value);', []),
        ('c:[type=="a"] && [type=="b", value==c.value] => permit(); [type=="b"] => permit();', []),
    ],
)
def test_a_rule_that_another_covers_has_no_effect(rules, redundant):
    text = policy(rules)
    starts = [text.split("\n")[2].index(rule.strip()) for rule in rules.split(";") if rule.strip()]
    ends = [
        text.split("\n")[2].index(rule.strip(), starts[i])
        for i, rule in enumerate(r for r in rules.split(";") if r.strip())
    ]
    places = [finding.span.column for finding in found(text, "no-effect")]
    assert len(places) == len(redundant)
    if redundant and redundant[0] == 0:
        assert places == [ends[0]]


def test_a_negation_is_not_covered_by_a_later_rule():
    rules = '![type=="a"] && [type=="svn"] => permit(); => add(type="a", value=1); ![type=="a"] => permit();'
    assert "no-effect" not in codes(policy(rules, version="1.2"))


def test_issue_among_authorization_rules_is_found():
    text = policy('=> issue(type="a", value=1); => permit();')
    (finding,) = found(text, "issue-in-authorization")
    assert pointed(text, finding) == 'issue(type="a", value=1)'
    assert "issue-in-authorization" not in codes(policy('=> add(type="a", value=1); => permit();'))


def test_a_name_of_the_service_is_found_when_issued_and_not_when_added():
    def of(rule):
        return codes(policy("=> permit();", rule))

    assert "service-owned" in of('=> issue(type="x-ms-own", value=1);')
    assert "service-owned" not in of('=> add(type="x-ms-own", value=1);')
    assert "service-owned" not in of('=> issue(type="own", value=1);')
    claims = {**VOCABULARY.claims, "x-ms-svn": VOCABULARY.claims["svn"]}
    text = policy("=> permit();", 'c:[type=="x-ms-svn"] => issue(claim=c);')
    assert "service-owned" in codes(text, replace(VOCABULARY, claims=claims))


PCRS = 'c:[type=="pcrs", issuer=="AttestationService"] => '
MINE = 'c:[type=="mine", issuer=="AttestationPolicy"] => issue(type="a", value=c.value);'


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (PCRS + "issue(claim=c);", True),
        (PCRS + 'issue(type="a", value=c.value);', True),
        (PCRS + 'issue(type="a", value=JsonToClaimValue(JmesPath(c.value, "a")));', True),
        (PCRS + 'issue(type="a", value=AppendString("a", c.value));', True),
        (PCRS + 'issueproperty(type="validity", value=JsonToClaimValue(c.value));', True),
        (PCRS + 'add(type="mine", value=JmesPath(c.value, "a"));' + MINE, True),
        (PCRS + 'issue(type="a", value=ContainsOnlyValue(c.value, "x"));', False),
        (PCRS + 'issue(type="a", value=IsSubsetOf(c.value, "x"));', False),
        (PCRS + 'issue(type="a", value=true);', False),
        (PCRS + 'issue(type="a", value=c.type);', False),
        (PCRS + 'add(type="mine", value=c.value);', False),
        (PCRS + 'add(type="mine", value=IsSubsetOf(c.value, "x"));' + MINE, False),
    ],
)
def test_what_comes_from_a_read_only_claim_is_found_when_issued(rules, expected):
    assert ("read-only-issued" in codes(policy("=> permit();", rules, "1.2"))) == expected


@pytest.mark.parametrize(
    ("configuration", "issuance", "code"),
    [
        ('=> issueproperty(type="baseline", value="10");', "", None),
        ('=> issueproperty(type="baselin", value="10");', "", "unknown-property"),
        ('=> issueproperty(type="validity", value=10);', "", "unknown-property"),
        ('=> issueproperty(type="baseline", value=10);', "", "property-value"),
        ('[type=="svn"] => issueproperty(type="baseline", value="10");', "", "conditional-property"),
        (
            '=> issueproperty(type="baseline", value="10"); => issueproperty(type="baseline", value="11");',
            "",
            "overridden",
        ),
        ("", '=> issueproperty(type="validity", value=10);', None),
        ("", '=> issueproperty(type="validity", value="10");', "property-value"),
        ("", '=> issueproperty(type="baseline", value="10");', "unknown-property"),
    ],
)
def test_properties_are_checked(configuration, issuance, code):
    text = policy(NO_DEBUG + "=> permit();", issuance, "1.1", configuration)
    assert codes(text) == ([code] if code else [])


def query(text, of="c.value"):
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    make = f'c:[type=="events", issuer=="AttestationService"] => issue(type="a", value=JmesPath({of}, "{escaped}"));'
    return policy("=> permit();", make, "1.2")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        # Q23: the end of the anti-malware rule of the Windows samples.
        ("[*].a[] | [? b == `true` && c] | @ != `null`", "empty-filter"),
        ("[?a] | @ == `null`", "empty-filter"),
        ("a[?b] != `null`", "empty-filter"),
        ("[?a] | @ != null", "empty-filter"),
        ("a | @ != `null`", None),
        ("[?a] | [0] | @ != `null`", None),
        ("[?a] | length(@) > `0`", None),
        ("[?a != `null`]", None),
        ("[?a == 20]", "bad-query"),
        ("a ==", "bad-query"),
        ("[?a == true]", "bare-word"),
        ("[?a != null]", "bare-word"),
        ("[?a == '20']", "number-as-text"),
        ("[?a == 'x20']", None),
        ("a.b[0]", None),
    ],
)
def test_queries_are_checked(text, code):
    policy_text = query(text)
    expected = {code, "always-permits"} if code else {"always-permits"}
    assert set(codes(policy_text)) == expected
    if code:
        (finding,) = found(policy_text, code)
        assert pointed(policy_text, finding)[1:-1].replace("\\\\", "\\") == text


def test_a_query_is_pointed_at_among_other_strings():
    text = query("[?a == true]", 'JmesPath(AppendString(c.value, "x"), "b == \'1\'")')
    assert [pointed(text, finding) for finding in lint(text)[1:]] == ["\"b == '1'\"", '"[?a == true]"']


def test_a_query_that_is_computed_is_left_alone():
    rule = 'c:[type=="events", issuer=="AttestationService"] => issue(type="a", value=JmesPath("{}", c.value));'
    assert codes(policy("=> permit();", rule, "1.2")) == ["always-permits"]

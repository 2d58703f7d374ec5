"""What lint says of single mistakes, each beside a policy without it."""

from __future__ import annotations

import pytest

from assay.errors import PolicyParsingError
from assay.policy.lint import Level, Vocabulary

from .vocabularies import VOCABULARY, codes, found, lint, pointed, policy

GOOD = policy('[type=="flag", value==true] => deny(); [type=="svn", value>=2] => permit();')


def permit(condition):
    return policy(f'[type=="flag", value==true] => deny(); {condition} => permit();')


def test_a_good_policy_has_no_findings():
    assert lint(GOOD) == ()


def test_a_policy_that_does_not_parse_has_none_either():
    with pytest.raises(PolicyParsingError):
        lint("version=1.0;")


@pytest.mark.parametrize(
    "condition",
    [
        '[type=="svn", type=="text"]',
        '[type=="svn", type!="svn"]',
        '[type=="svn", value==1, value==2]',
        '[type=="svn", value>3, value<4]',
        '[type=="svn", value>=3, value<=3, value!=3]',
        '[type=="svn", value==1, value>1]',
        '[type=="text", value=="a", value!="a"]',
        '[type=="flag", value!=true, value!=false]',
        '[type=="svn", value>9223372036854775807]',
        '[type=="svn", value<0]',
        '[type=="svn", issuer=="AttestationService", issuer=="CustomClaim"]',
        '[type=="svn", issuer!="AttestationService", issuer!="CustomClaim", issuer!="AttestationPolicy"]',
        '[type=="svn", issuer=="attestationservice"]',
        '[type=="svn", issuer=="AttestationPolicy"]',
        '[type=="svn", valueType=="Int"]',
        '[type=="svn", value==1, valueType=="String"]',
        '[type=="svn", valueType=="String"]',
        '[type=="anything", issuer=="AttestationPolicy"]',
        '[type=="status", value!="UpToDate", value!="OutOfDate"]',
    ],
)
def test_a_condition_that_can_never_hold_is_found(condition):
    assert "never-holds" in codes(permit(condition))
    assert "never-permits" in codes(permit(condition))


@pytest.mark.parametrize(
    "condition",
    [
        '[type=="svn", value>3, value<5]',
        '[type=="svn", value>=3, value<=4, value!=3]',
        '[type=="text", value!="a", value!="b"]',
        '[type=="text", value=="a", issuer!="CustomClaim"]',
        '[type=="svn"] && [type=="text"]',
        '[type=="flag", value!=true]',
        '[type=="status", value!="UpToDate"]',
        '[type=="digest", value=="0123abcd"]',
        '[type=="own", issuer=="CustomClaim", value>3]',
        'c:[type=="text"] && [type=="svn", issuer==c.value]',
    ],
)
def test_a_condition_that_can_hold_is_not(condition):
    assert codes(permit(condition)) == []


@pytest.mark.parametrize(
    ("condition", "at"),
    [
        ('[type=="svn", value=="1"]', '"1"'),
        ('[type=="flag", value=="true"]', '"true"'),
        ('[type=="flag", value==1]', "1"),
        ('[type=="text", value>=1]', "1"),
        ('[type=="svn", value==true]', "true"),
        ('[type=="svn", value!="1"]', '"1"'),
        ("[type==1, value==1]", "type==1"),
        ('[type=="svn", issuer==1]', "issuer==1"),
    ],
)
def test_a_comparison_across_types_is_found_where_it_stands(condition, at):
    text = permit(condition)
    (finding,) = found(text, "type-mismatch")
    assert pointed(text, finding) == at


def test_an_inequality_across_types_is_said_to_hold_always():
    (finding,) = found(permit('[type=="svn", value!="1"]'), "type-mismatch")
    assert "always holds" in finding.message


@pytest.mark.parametrize(
    ("value", "remedy"),
    [("0123ABCD", "lower case"), ("<digest>", "8 characters"), ("0123abc", "7 characters")],
)
def test_a_value_in_a_form_that_the_claim_never_has_is_found(value, remedy):
    (finding,) = found(permit(f'[type=="digest", value=="{value}"]'), "value-form")
    assert remedy in finding.remedy


def test_a_value_outside_the_closed_set_is_found_with_the_nearest():
    (finding,) = found(permit('[type=="status", value=="uptodate"]'), "value-form")
    assert finding.remedy.endswith("did you mean UpToDate?")


@pytest.mark.parametrize("test", ["value>=0", "value>-1", "value!=-1", "value<=9223372036854775807"])
def test_a_test_that_excludes_nothing_is_a_remark(test):
    (finding,) = lint(permit(f'[type=="svn", {test}]'))
    assert (finding.kind.code, finding.kind.level) == ("always-holds", Level.INFO)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("Svn", "svn"), ("x-ms-svn", "svn"), ("diggest", "digest"), ("$flagg", "$flag"), ("zzzzzz", None)],
)
def test_a_name_that_nobody_makes_is_found_with_the_nearest(name, nearest):
    text = permit(f'[type=="{name}"]')
    (finding,) = found(text, "unknown-name")
    assert pointed(text, finding) == f'"{name}"'
    assert (f"did you mean {nearest}?" in finding.remedy) == (nearest is not None)


def test_a_name_that_an_earlier_rule_makes_is_known_and_one_that_a_later_makes_is_not():
    add, use = '=> add(type="own", value=1);', '[type=="own", value==1] => permit();'
    assert "unknown-name" not in codes(policy(add + use))
    (finding,) = found(policy(use + add), "unknown-name")
    assert "only later" in finding.message
    assert "unknown-name" not in codes(
        policy("=> permit();", '=> issue(type="own", value=1); [type=="own"] => issue(type="b", value=2);')
    )


def test_a_computed_name_may_be_any():
    rules = 'c:[type=="text"] => add(type=c.value, value=1); [type=="own", value==1] => permit();'
    assert "unknown-name" not in codes(policy(rules))


def test_claims_of_the_policy_are_known_by_type_and_value():
    add = '=> add(type="own", value=1);'
    assert "never-holds" in codes(policy(add + '[type=="own", value==2] => permit();'))
    assert "type-mismatch" in codes(policy(add + '[type=="own", value=="1"] => permit();'))
    assert "never-holds" in codes(policy(add + '[type=="own", issuer=="AttestationService"] => permit();'))
    copied = 'c:[type=="svn"] => add(type="own", value=c.value); [type=="own", value=={}] => permit();'
    assert "type-mismatch" in codes(policy(copied.format("true")))
    assert "type-mismatch" not in codes(policy(copied.format("7")))


def test_results_of_functions_are_known_by_type():
    rules = 'c:[type=="events", issuer=="AttestationService"] => add(type="own", value={}); '
    use = '[type=="own", issuer=="AttestationPolicy", value==true] => permit();'
    assert "type-mismatch" in codes(policy(rules.format('JmesPath(c.value, "a")') + use, version="1.2"))
    assert "type-mismatch" not in codes(
        policy(rules.format('JsonToClaimValue(JmesPath(c.value, "a"))') + use, version="1.2")
    )
    assert "type-mismatch" not in codes(policy(rules.format("ContainsOnlyValue(c.value, 1)") + use, version="1.2"))


@pytest.mark.parametrize(
    ("name", "version", "expected"),
    [("events", "1.0", True), ("fixed", "1.2", True), ("events", "1.2", False), ("fixed", "1.1", False)],
)
def test_a_claim_of_another_version_is_found(name, version, expected):
    text = policy(f'[type=="{name}", issuer=="AttestationService"] => permit();', version=version)
    assert ("not-in-version" in codes(text)) == expected


def test_a_negation_of_what_never_holds_is_said_to_hold_always():
    (finding,) = found(policy('![type=="svn", value=="1"] => permit();', version="1.2"), "type-mismatch")
    assert "negation always holds" in finding.message


def test_a_negation_that_an_earlier_rule_defeats_is_found():
    add = '=> add(type="own", value=1);'
    assert "never-holds" in codes(policy(add + '![type=="own"] => permit();', version="1.2"))
    other = add + '[type=="svn"] => add(type="own", value=2);'
    assert "never-holds" not in codes(policy(other + '![type=="own", value==2] => permit();', version="1.2"))
    assert "never-holds" not in codes(policy('[type=="svn"]' + add + '![type=="own"] => permit();', version="1.2"))


def test_a_condition_without_a_type_is_found():
    assert "no-type" in codes(policy('[type=="flag"] && [value==true] => deny(); => permit();'))
    assert "no-type" not in codes(policy('c:[type=="text"] && [type==c.value] => deny(); [type=="svn"] => permit();'))


def test_an_old_name_is_a_remark():
    (finding,) = found(permit('[type=="$flag", value==false]'), "deprecated-name")
    assert (finding.kind.level, finding.remedy) == (Level.INFO, "write flag")


def test_a_condition_that_a_custom_claim_passes_is_found():
    def of(condition, action="permit"):
        return codes(policy(f"{condition} => {action}();", version="1.2"))

    assert "any-issuer" in of('[type=="events"]')
    assert "any-issuer" not in of('[type=="events", issuer=="AttestationService"]')
    assert "any-issuer" not in of('[type=="svn"]')
    assert "any-issuer" not in of('[type=="events"]', "deny")
    assert "any-issuer" in of('![type=="events"]', "deny")


def test_a_claim_of_the_policy_can_be_imitated_too_where_callers_send_claims():
    make = (
        'c:[type=="{}", issuer=="AttestationService"] => add(type="good", value=c.value); [type=="good"] => permit();'
    )
    assert "any-issuer" in codes(policy(make.format("events"), version="1.2"))
    assert "any-issuer" not in codes(policy(make.format("svn"), version="1.2"))


def test_without_a_vocabulary_only_the_policy_itself_is_judged():
    assert codes(permit('[type=="svn", value=="1"]'), Vocabulary()) == ["never-permits", "unknown-name", "unknown-name"]
    assert Vocabulary() != VOCABULARY

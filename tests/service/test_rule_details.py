"""What a caller is told of a policy that refused: its rules, beside the checks of the evidence."""

from __future__ import annotations

import pytest

from assay import limits
from assay.claims import Claim, ClaimSet
from assay.errors import PolicyError, PolicyParsingError
from assay.policy import compile_policy
from assay.service.errors import encode_rule_details

TEXT = """version=1.0;
authorizationrules {
  c:[type=="svn"] => add(type="seen", value=c.value);
  [type=="svn", value>=3] => permit();
  [type=="debug", value==true] => deny();
};
issuancerules { => issue(type="x", value=1); };
"""


def details(text, *claims):
    with pytest.raises(PolicyError) as caught:
        compile_policy(text).evaluate(ClaimSet(claims))
    return [*encode_rule_details(caught.value)]


def test_each_rule_that_was_reached_is_told_with_what_it_saw():
    rows = details(TEXT, Claim("svn", 2))
    assert [(row["target"], row["outcome"], row["observed"]) for row in rows] == [
        ("policy.authorization[3]", "fired", "svn=2"),
        ("policy.authorization[4]", "not fired", '[type=="svn", value>=3]: no claim, but svn=2'),
        ("policy.authorization[5]", "not fired", '[type=="debug", value==true]: no claim'),
    ]
    assert rows[1]["message"] == '[type=="svn", value>=3] => permit();'
    assert [row["expected"] for row in rows] == [
        "each of its conditions holds",
        "each of its conditions holds",
        "does not fire",
    ]
    members = {"code", "message", "target", "observed", "expected", "reference", "outcome"}
    assert all(set(row) == members for row in rows)


def test_the_deny_that_fired_is_told_with_its_claims():
    *_, denied = details(TEXT, Claim("svn", 3), Claim("debug", True))
    assert (denied["target"], denied["outcome"], denied["observed"]) == (
        "policy.authorization[5]",
        "fired",
        "debug=true",
    )


def test_a_rule_that_failed_is_told_with_its_problem():
    text = (
        'version=1.2;authorizationrules{=>permit();};issuancerules{\n=>issue(type="a",value=JsonToClaimValue("{"));};'
    )
    *_, failed = details(text)
    assert (failed["outcome"], failed["target"]) == ("failed", "policy.authorization[2]")
    assert "not JSON" in str(failed["observed"])


def test_of_many_rules_those_that_fired_are_told_first_and_all_in_order():
    quiet = "".join(f'[type=="no{index}"]=>permit();\n' for index in range(50))
    loud = "".join(f'=>add(type="yes{index}",value=1);\n' for index in range(5))
    rows = details(f"version=1.0;authorizationrules{{\n{quiet}{loud}}};")
    assert len(rows) == limits.TRACE_RULES
    assert [row["outcome"] for row in rows] == ["not fired"] * 15 + ["fired"] * 5
    lines = [int(str(row["target"]).split("[")[1].rstrip("]")) for row in rows]
    assert lines == sorted(lines)


def test_long_rules_and_values_are_cut():
    text = f'version=1.0;authorizationrules{{[type=="a",value!="{"y" * 5000}"]=>deny();}};'
    (row,) = details(text, Claim("a", "x" * 5000))
    assert len(str(row["message"])) < 300
    assert len(str(row["observed"])) < 300


def test_a_policy_that_does_not_parse_has_no_rules_to_tell():
    with pytest.raises(PolicyParsingError) as caught:
        compile_policy("version")
    assert [*encode_rule_details(caught.value)] == []

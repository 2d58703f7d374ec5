"""`assay policy check` and `assay policy eval`."""

from __future__ import annotations

import json

import pytest

from assay.evidence import EVIDENCE_TYPES
from tests.cli.command_line import write

GOOD = """version= 1.0;
authorizationrules
{
    c:[type=="$is-debuggable", value==true] => deny();
    => permit();
};
issuancerules
{
    c:[type=="$svn"] => issue(type="svn", value=c.value);
};
"""
CLAIMS = [{"type": "$is-debuggable", "value": False}, {"type": "$svn", "value": 3, "valueType": "Integer"}]


def test_a_good_policy_is_well_formed(assay, tmp_path):
    file = write(tmp_path / "p", GOOD)
    assert assay("policy", "check", file).code == 0
    found = assay("policy", "check", file, "--json").json
    assert (found["valid"], found["version"]) == (True, "1.0")


def test_a_syntax_error_is_shown_with_a_caret_and_the_rule(assay, tmp_path):
    file = write(tmp_path / "p", GOOD.replace("permit()", "\tpermit(;"))
    ended = assay("policy", "check", file)
    assert ended.code == 1
    lines = ended.out.splitlines()
    assert f"{file}:5:" in lines[0]
    assert lines[2].index("^") == lines[1].index("(;") + 1
    assert "authorizationRule" in lines[3]
    error = assay("policy", "check", file, "--json").json["error"]
    assert (error["line"], error["symbol"]) == (5, ";")


def test_several_policies_end_with_the_worst(assay, tmp_path):
    files = (write(tmp_path / "good", GOOD), write(tmp_path / "bad", "version"))
    ended = assay("policy", "check", *files, "--json")
    assert (ended.code, [one["valid"] for one in ended.json["results"]]) == (1, [True, False])
    assert assay("policy", "check", tmp_path / "missing").code == 2
    assert assay("policy", "check", write(tmp_path / "b", b"\xff\xfe")).code == 2


@pytest.mark.parametrize(
    "kind", [kind for kind in EVIDENCE_TYPES if kind.default_policy is not None], ids=lambda kind: kind.name
)
def test_the_default_policies_are_well_formed(assay, tmp_path, kind):
    assert assay("policy", "check", write(tmp_path / "p", kind.default_policy)).code == 0


def evaluate(assay, tmp_path, policy=GOOD, claims=CLAIMS):
    text = claims if isinstance(claims, str) else json.dumps(claims)
    return assay("policy", "eval", write(tmp_path / "p", policy), "--claims", write(tmp_path / "c", text), "--json")


def test_a_permit_shows_what_was_issued_and_which_rules_fired(assay, tmp_path):
    ended = evaluate(assay, tmp_path)
    assert ended.code == 0
    assert set(ended.json) == {"permitted", "code", "issued", "properties", "trace"}
    assert ended.json["issued"] == [{"type": "svn", "value": 3, "issuer": "AttestationPolicy", "valueType": "Integer"}]
    assert [(rule["line"], rule["fired"]) for rule in ended.json["trace"]] == [(4, False), (5, True), (9, True)]
    assert ended.json["trace"][2]["claims"][0]["type"] == "$svn"
    assert ended.json["trace"][2]["made"][0]["type"] == "svn"
    assert ended.json["trace"][0]["conditions"][0]["near"][0]["value"] is False


def test_a_denial_names_the_line(assay, tmp_path):
    ended = evaluate(assay, tmp_path, claims=[{"type": "$is-debuggable", "value": True}])
    assert (ended.code, ended.json["permitted"], ended.json["code"]) == (1, False, "PolicyEvaluationError")
    denied, permit, issue = ended.json["trace"]
    assert (denied["line"], denied["outcome"], denied["decisive"]) == (4, "fired", True)
    assert [permit["outcome"], issue["outcome"]] == ["not reached", "not reached"]


def test_no_permit_is_a_denial(assay, tmp_path):
    ended = evaluate(assay, tmp_path, policy="version= 1.0;\nauthorizationrules {};\nissuancerules {};")
    assert (ended.code, ended.json["permitted"], ended.json["trace"]) == (1, False, [])


def test_people_see_for_each_rule_what_it_was_about(assay, tmp_path):
    claims = write(tmp_path / "c", json.dumps(CLAIMS))
    lines = assay("policy", "eval", write(tmp_path / "p", GOOD), "--claims", claims).out.splitlines()
    assert lines[0] == "permitted"
    (index,) = [index for index, line in enumerate(lines) if "not fired" in line]
    assert "$is-debuggable=false" in lines[index + 1]
    assert any("issue: svn=3" in line for line in lines)


def test_a_rule_that_fails_is_named_with_its_problem(assay, tmp_path):
    policy = (
        'version=1.2;authorizationrules{=>permit();};issuancerules{\n=>issue(type="a",value=JsonToClaimValue("x"));};'
    )
    ended = evaluate(assay, tmp_path, policy=policy)
    assert (ended.code, ended.json["code"]) == (1, "PolicyEvaluationError")
    failed = ended.json["trace"][-1]
    assert (failed["line"], failed["outcome"], failed["decisive"]) == (2, "failed", True)
    assert "not JSON" in failed["problem"]
    shown = assay("policy", "eval", tmp_path / "p", "--claims", tmp_path / "c")
    assert "FAILED line 2" in shown.out


def test_the_claims_of_verify_are_claims_too(assay, sgx, tmp_path):
    found = assay.judge(
        sgx / "quote.bin",
        "--type",
        "SgxEnclave",
        "--endorsements",
        sgx,
        "--at",
        "2025-06-01T12:00:00Z",
        "--unsafe-simulator",
    )[1]
    assert evaluate(assay, tmp_path, claims=found["claims"]).json["issued"][0]["value"] == 1


@pytest.mark.parametrize(
    "claims",
    [
        "",
        "7",
        '["a"]',
        '[{"value":1}]',
        '[{"type":"a"}]',
        '[{"type":"a","value":1.5}]',
        '[{"type":"a","value":null}]',
        '[{"type":"a","value":9223372036854775808}]',
        '[{"type":"a","value":"1","valueType":"Integer"}]',
        '[{"type":"a","value":true,"valueType":"Integer"}]',
        '[{"type":"a","value":1,"issuer":"Me"}]',
        '[{"type":"a","value":1,"issuer":["x"]}]',
        '[{"type":"a","value":1,"extra":1}]',
        '[{"type":"a","type":"b","value":1}]',
        '{"a":{"b":1}}',
    ],
)
def test_claims_that_are_none_are_wrong_usage(assay, tmp_path, claims):
    ended = evaluate(assay, tmp_path, claims=claims)
    assert (ended.code, ended.out) == (2, "")


def test_a_policy_that_does_not_parse_cannot_run(assay, tmp_path):
    ended = evaluate(assay, tmp_path, policy="version= 1.0")
    assert (ended.code, ended.json["permitted"], ended.json["code"]) == (2, False, "PolicyParsingError")

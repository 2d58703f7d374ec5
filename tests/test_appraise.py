"""The policy's place in a verdict: which rule decided, with its line, and on which claims."""

from __future__ import annotations

import pytest

from assay.errors import PolicyError
from assay.policy import stored_policy, trace_of
from assay.simulator import Enclave, Recipe, simulate
from assay.verdict import Verdict, encode_entry

from .appraisals import AT, judge, simulated_case

PERMIT = 'c:[type=="x-ms-sgx-svn", value>=3] => permit();'
DENY = '[type=="x-ms-sgx-product-id", value==7] => deny();'


def appraised(*rules):
    """The last line of the verdict, and the error if the policy refused."""
    case = simulated_case(simulate(Recipe(AT, enclave=Enclave(isv_svn=3, isv_prod_id=7))))
    policy = stored_policy("version=1.0;\nauthorizationrules{\n" + "\n".join(rules) + "\n};")
    try:
        return encode_entry(judge(case, policy=policy).verdict.entries[-1]), None
    except PolicyError as refusal:
        verdict = refusal.verdict or Verdict(())
        return encode_entry(verdict.entries[-1]), refusal


def test_a_permit_names_its_line_and_claims():
    entry, _ = appraised('=> add(type="a", value=1);', PERMIT)
    assert (entry["name"], entry["outcome"]) == ("policy.authorization", "passed")
    assert entry["observed"] == f"line 3 (authorizationrules); line 4: {PERMIT} on x-ms-sgx-svn=3"


def test_a_deny_names_its_line_and_claims():
    entry, error = appraised(PERMIT, DENY)
    assert (entry["outcome"], entry["observed"]) == ("failed", f"denied by line 4: {DENY} on x-ms-sgx-product-id=7")
    assert error is not None
    assert trace_of(error) is not None


@pytest.mark.parametrize("rule", ['[type=="x-ms-sgx-svn", value>=4] => permit();', DENY.replace("7", "8")])
def test_without_a_permit_the_verdict_says_so(rule):
    entry, _ = appraised(rule)
    assert entry["outcome"] == "failed"
    assert "No Permit claim was issued" in entry["observed"]


def test_a_rule_that_fails_is_named():
    rule = "c:[value!=0] => add(type=c.type, value=1);"
    entry, _ = appraised(rule)
    assert entry["outcome"] == "failed"
    assert f"Rule at line 3: {rule}" in entry["observed"]

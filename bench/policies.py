"""Section for policies: parsing and evaluating them."""

from __future__ import annotations

from assay.evidence import POLICY_TYPES
from assay.evidence.base import Submission
from assay.policy import stored_policy
from assay.policy.evaluation import compile_afresh
from bench.measure import interleaved
from bench.report import Line, Target, ratio_line
from bench.subjects import KIND, arrange
from bench.verification import p256_verify

RULES = 41
_RULE = 'c:[type=="x-ms-sgx-svn", value>={0}] => issue(type="svn-{0}", value=c.value);'


def policies() -> tuple[Line, ...]:
    """The default policy of SGX on the claims of a quote, and the parse of a policy of 41 rules."""
    case = arrange()
    default = POLICY_TYPES[KIND.name].default_policy
    assert default is not None
    policy = stored_policy(default)
    submission = Submission(case.simulated.quote)
    incoming = KIND.claims(KIND.verify(KIND.parse(submission), submission, case.grounds)).incoming
    issuing = "".join(_RULE.format(number) for number in range(RULES - 1))
    text = f"version=1.0; authorizationrules{{=> permit();}}; issuancerules{{{issuing}}};"
    found = interleaved(
        {
            "verify": p256_verify(case),
            "evaluate": lambda: policy.evaluate(incoming),
            "parse": lambda: compile_afresh(text),
        },
        2,
    )
    parse = found["parse"]
    return (
        ratio_line(
            "default policy of SGX, evaluated, to one P-256 verify", found["evaluate"], found["verify"], Target(0.5)
        ),
        Line(f"policy of {RULES} rules, parsed", f"{parse:.1f}", "", Target(2, unit=" ms"), parse / 1000),
    )

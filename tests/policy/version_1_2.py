"""Policies of version 1.2 written in one line, and what comes of them."""

from __future__ import annotations

import pytest

from assay.claims import Claim, ClaimSet, Issuer
from assay.errors import PolicyDenied, PolicyEvaluationError
from assay.policy.evaluation import compile_afresh

SERVICE, POLICY, CUSTOM = Issuer.SERVICE, Issuer.POLICY, Issuer.CUSTOM


def compiled(issuance="", *, authorization="=>permit();", configuration="", version="1.2"):
    return compile_afresh(
        f"version={version};configurationrules{{{configuration}}};"
        f"authorizationrules{{{authorization}}};issuancerules{{{issuance}}};"
    )


def run(issuance, *claims, **sections):
    return compiled(issuance, **sections).evaluate(ClaimSet(claims))


def issued(issuance, *claims, **sections):
    return [(claim.type, claim.value) for claim in run(issuance, *claims, **sections).issued]


def holds(conditions, *claims):
    return bool(issued(f'{conditions}=>issue(type="yes",value=true);', *claims))


def computed(expression, *claims, conditions=""):
    """The values that an expression denotes in an action."""
    return [value for _, value in issued(f'{conditions}=>issue(type="x",value={expression});', *claims)]


def failure(issuance, *claims, **sections):
    """The error of a policy that fails while it runs, which is no denial."""
    with pytest.raises(PolicyEvaluationError) as caught:
        run(issuance, *claims, **sections)
    assert not isinstance(caught.value, PolicyDenied)
    return caught.value


def claim(name, value=True, issuer=SERVICE):
    return Claim(name, value, issuer)

"""The appraisal policy language: texts are compiled once, then evaluated over claims; it knows no evidence type."""

from assay.policy.document import (
    AppraisalPolicy,
    PolicyIdentity,
    draft_policy,
    encode_unsecured,
    issued_members,
    policy_hash,
    stored_policy,
)
from assay.policy.evaluation import FiredRule, Policy, PolicyOutcome, compile_policy

__all__ = [
    "AppraisalPolicy",
    "FiredRule",
    "Policy",
    "PolicyIdentity",
    "PolicyOutcome",
    "compile_policy",
    "draft_policy",
    "encode_unsecured",
    "issued_members",
    "policy_hash",
    "stored_policy",
]

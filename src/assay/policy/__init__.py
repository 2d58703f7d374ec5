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
from assay.policy.trace_text import (
    cut,
    describe_claims,
    describe_conditions,
    describe_decision,
    describe_observed,
    describe_rule,
    encode_trace,
)
from assay.policy.tracing import PolicyTrace, RuleOutcome, TracedCondition, TracedRule, trace_of
from assay.property_claims import (
    TokenProperties,
    VerificationProperties,
    read_token_properties,
    read_verification_properties,
)

__all__ = [
    "AppraisalPolicy",
    "FiredRule",
    "Policy",
    "PolicyIdentity",
    "PolicyOutcome",
    "PolicyTrace",
    "RuleOutcome",
    "TokenProperties",
    "TracedCondition",
    "TracedRule",
    "VerificationProperties",
    "compile_policy",
    "cut",
    "describe_claims",
    "describe_conditions",
    "describe_decision",
    "describe_observed",
    "describe_rule",
    "draft_policy",
    "encode_trace",
    "encode_unsecured",
    "issued_members",
    "policy_hash",
    "read_token_properties",
    "read_verification_properties",
    "stored_policy",
    "trace_of",
]

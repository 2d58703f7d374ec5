"""`assay policy`: policies written, checked and tried before they are set."""

from __future__ import annotations

from typing import Final

from assay.cli.lazy import Entry, LazyGroup

policy: Final = LazyGroup(
    "policy",
    {
        "check": Entry("assay.cli.policy_check", "check", "Find syntax errors and likely mistakes, with the place."),
        "eval": Entry("assay.cli.policy_eval", "evaluate", "Try a policy on claims, rule by rule."),
        "test": Entry("assay.cli.policy_test", "test_policies", "Try policies on cases kept in files, for CI."),
        "format": Entry("assay.cli.policy_format", "format_files", "Print a policy in one fixed layout."),
        "learn": Entry("assay.cli.policy_learn", "learn", "Write a policy from known-good evidence."),
        "get": Entry("assay.cli.policy_manage", "get", "Print the policy that is in force at a provider.", "client"),
        "set": Entry("assay.cli.policy_manage", "set_", "Put a policy in force at a provider.", "client"),
        "reset": Entry("assay.cli.policy_manage", "reset", "Put the default policy in force again.", "client"),
        "history": Entry("assay.cli.policy_manage", "history", "List the versions that were in force.", "client"),
        "rollback": Entry("assay.cli.policy_manage", "rollback", "Put an older version in force again.", "client"),
    },
    "Write, check, try and set policies.\n\n\b\nExample:\n  assay policy check my.policy",
)

"""`assay policy`: policies checked and tried before they are set."""

from __future__ import annotations

from typing import Final

from assay.cli.lazy import Entry, LazyGroup

policy: Final = LazyGroup(
    "policy",
    {
        "check": Entry("assay.cli.policy_check", "check", "Find syntax errors, with the place."),
        "eval": Entry("assay.cli.policy_eval", "evaluate", "Try a policy on claims, rule by rule."),
    },
    "Check policies and try them on claims.\n\n\b\nExample:\n  assay policy check my.policy",
)

"""Providers (tenants): what a request meets under one base URL, held in memory and replaced as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from assay.evidence import EVIDENCE_TYPES
from assay.policy import AppraisalPolicy, draft_policy, stored_policy
from assay.result.token import Signer


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider: its base URL (also `iss`), its signer, its policies by type, its published documents encoded."""

    name: str
    base_url: str
    signer: Signer
    policies: Mapping[str, AppraisalPolicy]
    key_set: bytes
    discovery: bytes

    def choose_policy(self, policy_type: str, draft: str | None) -> AppraisalPolicy:
        """The draft of the request if there is one, else the provider's policy (rest-api 7.0).

        Raises `PolicyParsingError` or `InvalidOperation` for a draft that cannot be read.
        """
        return self.policies[policy_type] if draft is None else draft_policy(draft)


def default_policies() -> dict[str, AppraisalPolicy]:
    """The policies in force where none was set (policy-language 11.4)."""
    return {kind.name: stored_policy(kind.default_policy) for kind in EVIDENCE_TYPES if kind.default_policy is not None}

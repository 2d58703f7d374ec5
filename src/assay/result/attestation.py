"""The attestation result of one appraisal."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from assay.evidence.base import Grounds, Profile, Statement, Submission
from assay.policy import PolicyIdentity, PolicyOutcome
from assay.verdict import Verdict


class AttestationResult(NamedTuple):
    """Verified evidence, what it says, what the policy issued, and the verdict that explains both."""

    evidence_type: str
    profile: Profile
    statement: Statement
    outcome: PolicyOutcome
    policy: PolicyIdentity
    submission: Submission
    verdict: Verdict
    grounds: Grounds

    @property
    def appraised_at(self) -> datetime:
        return self.grounds.at

    @property
    def marks(self) -> tuple[str, ...]:
        """The unsafe conditions under which this result was made, sorted; empty for a result to rely on."""
        marks = self.grounds.marks + self.statement.marks
        return tuple(sorted(set(marks))) if marks else ()

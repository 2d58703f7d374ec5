"""Evidence in a file appraised offline: the result itself, for commands that look into it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from assay.appraise import appraise, needs_of, parse_evidence
from assay.cli.files import HeldDataFiles, read_submission
from assay.collateral.directory import DirectorySource
from assay.collateral.trust_directory import read_anchors
from assay.evidence.base import AnyEvidenceType, Grounds, PlatformRules

if TYPE_CHECKING:
    from assay.endorsements.intel.tcb import TcbStatus
    from assay.policy import AppraisalPolicy
    from assay.result.attestation import AttestationResult


@dataclass(frozen=True, slots=True)
class Setting:
    """On what evidence is appraised offline, as the options of `assay verify` say it."""

    kind: AnyEvidenceType
    at: datetime
    accept_tcb: frozenset[TcbStatus]
    endorsements: tuple[str, ...] = ()
    trust: tuple[str, ...] = ()
    held: HeldDataFiles = field(default_factory=HeldDataFiles)
    unsafe_simulator: bool = False
    unsafe_no_revocation: bool = False


class OfflineAppraiser:
    """Appraises evidence of one type; directories and anchors are read once."""

    __slots__ = ("_grounds", "_setting", "_source")

    def __init__(self, setting: Setting) -> None:
        anchors = read_anchors(map(Path, setting.trust), allow_simulator=setting.unsafe_simulator)
        self._setting = setting
        self._grounds = Grounds(
            setting.at,
            anchors,
            rules=PlatformRules(setting.accept_tcb),
            unsafe_no_revocation=setting.unsafe_no_revocation,
            marks=("no-revocation",) if setting.unsafe_no_revocation else (),
        )
        directories = tuple(map(Path, setting.endorsements))
        self._source = DirectorySource(directories, anchors) if directories else None

    def appraise(self, content: bytes, policy: AppraisalPolicy) -> AttestationResult:
        """The result for the content of a file; raises what `assay.appraise` raises, and `MalformedRequest`."""
        kind = self._setting.kind
        submission = read_submission(kind, content, self._setting.held)
        evidence = parse_evidence(kind, submission)
        grounds = replace(self._grounds, configuration=policy.configuration)
        if self._source is not None:
            needs = needs_of(kind, evidence, grounds)
            grounds = replace(grounds, endorsements=self._source.endorsements(needs, grounds.at))
        return appraise(kind, evidence, submission, grounds, policy)

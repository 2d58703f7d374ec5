"""Lint: what a policy that parses probably does not mean. It is told the claims' names, and knows no evidence type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assay.policy.lint.comparisons import find_comparisons
from assay.policy.lint.contradictions import find_contradictions
from assay.policy.lint.effects import find_effects
from assay.policy.lint.findings import Finding, Kind, Level
from assay.policy.lint.issuing import find_issuing
from assay.policy.lint.names import find_names
from assay.policy.lint.places import Span
from assay.policy.lint.queries import find_queries
from assay.policy.lint.study import study_policy
from assay.policy.lint.verdicts import find_verdicts
from assay.policy.lint.vocabulary import DebugClaims, KnownClaim, Vocabulary
from assay.policy.readings import DEFAULT, Readings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from assay.policy.lint.study import Study

_FAMILIES: Final[tuple[Callable[[Study], Iterator[Finding]], ...]] = (
    find_verdicts,
    find_contradictions,
    find_names,
    find_comparisons,
    find_effects,
    find_issuing,
    find_queries,
)


def lint_policy(text: str, vocabulary: Vocabulary, readings: Readings = DEFAULT) -> tuple[Finding, ...]:
    """What there is to say about a policy text, in its order; raises `PolicyParsingError`."""
    study = study_policy(text, readings, vocabulary)
    found = [finding for find in _FAMILIES for finding in find(study)]
    return tuple(sorted(found, key=lambda finding: (finding.span.line, finding.span.column)))


__all__ = ["DebugClaims", "Finding", "Kind", "KnownClaim", "Level", "Span", "Vocabulary", "lint_policy"]

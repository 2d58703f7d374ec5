"""Small vocabularies for tests of lint."""

from __future__ import annotations

from assay.claims import ValueType
from assay.policy.lint import DebugClaims, KnownClaim, Vocabulary, lint_policy

CLAIMS = {
    "flag": (KnownClaim(ValueType.BOOLEAN),),
    "svn": (KnownClaim(ValueType.INTEGER),),
    "text": (KnownClaim(ValueType.STRING),),
    "digest": (KnownClaim(ValueType.STRING, hex_digits=8),),
    "status": (KnownClaim(ValueType.STRING, values=("UpToDate", "OutOfDate")),),
    "$flag": (KnownClaim(ValueType.BOOLEAN, replaced_by="flag"),),
    "events": (KnownClaim(ValueType.STRING, versions=frozenset({"1.2"})),),
    "pcrs": (KnownClaim(ValueType.STRING, versions=frozenset({"1.2"})),),
    "fixed": (KnownClaim(ValueType.BOOLEAN, versions=frozenset({"1.0", "1.1"})),),
}
VOCABULARY = Vocabulary(
    CLAIMS,
    {"baseline": ValueType.STRING},
    {"validity": ValueType.INTEGER},
    imitable=frozenset({"events", "pcrs", "fixed"}),
    debug=(DebugClaims({"flag": True, "$flag": True}, frozenset({"flag", "$flag"})),),
    is_service_owned=lambda name: name.startswith("x-ms-"),
)


def policy(authorization="", issuance="", version="1.0", configuration=""):
    """A policy text: version on line 1, configuration 2, authorization 3, issuance 4."""
    configured = f"configurationrules{{{configuration}}};" if configuration else ""
    return f"version={version};\n{configured}\nauthorizationrules{{{authorization}}};\nissuancerules{{{issuance}}};"


def lint(text, vocabulary=VOCABULARY):
    return lint_policy(text, vocabulary)


def codes(text, vocabulary=VOCABULARY):
    return sorted(finding.kind.code for finding in lint(text, vocabulary))


def found(text, code, vocabulary=VOCABULARY):
    """The findings of one code."""
    return [finding for finding in lint(text, vocabulary) if finding.kind.code == code]


def pointed(text, finding):
    """The text that a finding points at."""
    line = text.split("\n")[finding.span.line - 1]
    return line[finding.span.column : finding.span.column + finding.span.width]

"""Grounds: what is added to them leaves the rest as it is."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime

from assay.endorsements.anchors import trust_anchors
from assay.evidence.base import Challenge, Endorsements, Grounds, PlatformRules

GROUNDS = Grounds(
    datetime(2026, 3, 1, tzinfo=UTC),
    trust_anchors(allow_simulator=True),
    Endorsements({}),
    PlatformRules(strict=True),
    {"x-ms-sgx-tcbidentifier": "17"},
    unsafe_no_revocation=True,
    marks=("verify-at",),
    challenge=Challenge(b"nonce"),
)


def test_endorsements_are_all_that_changes_when_they_are_added() -> None:
    for field in fields(Grounds):
        default = field.default if field.default_factory is not dict else {}
        assert getattr(GROUNDS, field.name) != default, f"{field.name}: give it a value here that is not its default"
    added = Endorsements({})
    assert GROUNDS.with_endorsements(added) == replace(GROUNDS, endorsements=added)

"""The claims that a platform's TCB evaluation makes (claims 3, 5 and C15)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from assay.claims import ClaimValue
from assay.evidence._intel_quote.rule_checks import PlatformRuleCase
from assay.formats.strict_json import JsonValue
from assay.verdict import render

STATUS: Final = "attester_tcb_status"
ADVISORIES: Final = "attester_advisory_ids"
# Own: what an operator's rule made of the vendor's evaluation; only where one did.
RULED: Final = "x-assay-tcb"


def tcb_claims(tcb: PlatformRuleCase) -> tuple[tuple[str, ClaimValue], ...]:
    """For policies: the status, and each advisory as a claim of its own."""
    evaluation = tcb.evaluation
    status = (STATUS, evaluation.status.value)
    return (status, *((ADVISORIES, advisory) for advisory in evaluation.advisory_ids))


def tcb_members(tcb: PlatformRuleCase) -> Mapping[str, JsonValue]:
    """For the token: nothing, unless a baseline raised the status or a grace period tolerates it (5.7, OK-04)."""
    found, end = tcb.platform.evaluation, tcb.grace_end
    if tcb.evaluation.status is found.status and end is None:
        return {}
    ruled: dict[str, JsonValue] = {"status": found.status.value, "tcb_date": render(found.tcb_date)}
    if end is not None:
        ruled["grace_until"] = render(end)
    return {RULED: ruled}

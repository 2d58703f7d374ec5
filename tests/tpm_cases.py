"""Arranges appraisals of synthetic TPMs and VBS enclaves."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from assay.evidence.base import Challenge, Submission
from assay.formats import base64url
from assay.policy import stored_policy
from assay.simulator.tpm.request import BASIC, RequestForm, mint_request
from tests.appraisals import AT, SIMULATED, Case, evidence_type, judge, refusal

if TYPE_CHECKING:
    from assay.endorsements.anchors import TrustAnchors
    from assay.evidence.base import PlatformRules
    from assay.result.attestation import AttestationResult
    from assay.verdict import Entry

PERMIT = "version=1.2; authorizationrules { => permit(); };"
TOLERANT = (
    'version=1.1; configurationrules { => issueproperty(type="require_valid_aik_cert", value=false); };'
    " authorizationrules { => permit(); };"
)
LIVE = Challenge(b"simulated nonce.", "", "identity", AT + timedelta(minutes=5))


def case(form: RequestForm = BASIC, *, anchors: TrustAnchors = SIMULATED, nonce: bytes | None = None) -> Case:
    """The request of a form, with the challenge that an offline appraisal is told of."""
    kind = evidence_type("VbsEnclave" if form.enclave is not None else "Tpm")
    challenge = base64url.encode(LIVE.nonce if nonce is None else nonce)
    return Case(kind, Submission(mint_request(form), nonce=challenge), {}, AT, anchors)


def accepted(form: RequestForm = BASIC, policy: str = PERMIT, **more: Any) -> AttestationResult:
    """The result of a good request."""
    chosen = stored_policy(policy)
    return judge(case(form, **more), policy=chosen, configuration=chosen.configuration)


def refused(form: RequestForm, rules: PlatformRules | None = None, *, nonce: bytes | None = None) -> Entry:
    """The entry of the verdict that decided against a request."""
    _, entry = refusal(case(form, nonce=nonce), rules, policy=stored_policy(PERMIT))
    return entry


def with_machine(form: RequestForm = BASIC, **changes: Any) -> RequestForm:
    return replace(form, machine=replace(form.machine, **changes))


def with_quote(form: RequestForm = BASIC, **changes: Any) -> RequestForm:
    return with_machine(form, quote=replace(form.machine.quote, **changes))


def offered(result: AttestationResult, version: str = "1.1") -> dict[str, object]:
    return {claim.type: claim.value for claim in result.statement.offered(version)}

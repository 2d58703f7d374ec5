"""The claims of TDX evidence: Azure's EAT profile for trust domains (claims section 5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from assay.claims import ClaimSet, ClaimValue
from assay.evidence._intel_quote.tcb_claims import ADVISORIES, STATUS, tcb_claims, tcb_members
from assay.evidence._tcg.evidence_claims import EVENTS, events_claim
from assay.evidence._tcg.measured import measure_cc
from assay.evidence.base import HeldDataType, Statement, Submission
from assay.evidence.tdx_vm.report import (
    DEBUG,
    KEY_LOCKER,
    PERFMON,
    PROTECTION_KEYS,
    SEPT_VE_DISABLE,
    TdReport,
)
from assay.evidence.tdx_vm.verify import VerifiedTdxQuote
from assay.formats.strict_json import JsonValue

ATTESTATION_TYPE: Final = "tdxvm"
EAT_PROFILE: Final = "https://aka.ms/maa-eat-profile-tdxvm"
_ATTRIBUTES: Final = {
    "tdx_td_attributes_debug": DEBUG,
    "tdx_td_attributes_septve_disable": SEPT_VE_DISABLE,
    "tdx_td_attributes_protection_keys": PROTECTION_KEYS,
    "tdx_td_attributes_key_locker": KEY_LOCKER,
    "tdx_td_attributes_perfmon": PERFMON,
}


def tdx_claims(verified: VerifiedTdxQuote) -> Statement:
    """What a verified quote says to a policy and in the token."""
    members = domain_members(verified)
    own: dict[str, JsonValue] = {
        **members,
        **_tcb(verified),
        **_held_data_members(verified.submission),
        **tcb_members(verified.tcb),
    }
    marks = ("simulator",) if verified.platform.certification.anchor.simulated else ()
    claims = ClaimSet.of_service((*members.items(), *tcb_claims(verified.tcb), *_events(verified)))
    return Statement(claims, own, marks=marks)


def domain_members(verified: VerifiedTdxQuote) -> dict[str, ClaimValue]:
    """The claims that stand alike in the token and before the policy."""
    report = verified.quote.report
    return {
        "eat_profile": EAT_PROFILE,
        "intuse": "generic",
        "dbgstat": "enabled" if report.attributes & DEBUG else "disabled",
        "x-ms-attestation-type": ATTESTATION_TYPE,
        **_report_members(report),
    }


def _report_members(report: TdReport) -> dict[str, ClaimValue]:
    return {
        "tdx_tee_tcb_svn": report.tee_tcb_svn.hex(),
        "tdx_mrseam": report.mr_seam.hex(),
        "tdx_mrsignerseam": report.mr_signer_seam.hex(),
        "tdx_seam_attributes": report.seam_attributes.hex(),
        "tdx_td_attributes": report.td_attributes.hex(),
        **{name: bool(report.attributes & bit) for name, bit in _ATTRIBUTES.items()},
        "tdx_xfam": report.xfam.hex(),
        "tdx_mrtd": report.mr_td.hex(),
        "tdx_mrconfigid": report.mr_config_id.hex(),
        "tdx_mrowner": report.mr_owner.hex(),
        "tdx_mrownerconfig": report.mr_owner_config.hex(),
        **{f"tdx_rtmr{index}": rtmr.hex() for index, rtmr in enumerate(report.rtmrs)},
        "tdx_report_data": report.report_data.hex(),
        # A number of 16 bits, minor SVN first (claims C7).
        "tdx_seamsvn": int.from_bytes(report.tee_tcb_svn[:2], "little"),
    }


def _events(verified: VerifiedTdxQuote) -> tuple[tuple[str, ClaimValue], ...]:
    """For policies: the events of a log that replayed, in the form of the TPM's (claims 7.2); not in the token."""
    log = verified.quote.log
    if log is None:
        return ()
    return ((EVENTS, events_claim(measure_cc(log, verified.quote.report.rtmrs))),)


def _tcb(verified: VerifiedTdxQuote) -> Mapping[str, JsonValue]:
    """The status, and the advisories as one list, which is left out when there are none (claims C15)."""
    evaluation = verified.tcb.evaluation
    members: dict[str, JsonValue] = {STATUS: evaluation.status.value}
    if evaluation.advisory_ids:
        members[ADVISORIES] = list(evaluation.advisory_ids)
    return members


def _held_data_members(submission: Submission) -> Mapping[str, JsonValue]:
    """Binary held data is verified and not shown (claims 11.1)."""
    members: dict[str, JsonValue] = {}
    runtime, init_time = submission.runtime_data, submission.init_time_data
    if runtime is not None and runtime.data_type is HeldDataType.JSON:
        members["x-ms-runtime"] = dict(runtime.parsed or {})
    if init_time is not None and init_time.data_type is HeldDataType.JSON:
        members["x-ms-inittime"] = dict(init_time.parsed or {})
    return members

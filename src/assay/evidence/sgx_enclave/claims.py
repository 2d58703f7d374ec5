"""The claims of SGX evidence (claims section 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from assay.claims import ClaimSet, ClaimValue
from assay.evidence._intel_quote.report import DEBUG, KSS
from assay.evidence._intel_quote.tcb_claims import tcb_claims, tcb_members
from assay.evidence.base import HeldDataType, Statement, Submission
from assay.evidence.sgx_enclave.quote import SgxQuote
from assay.evidence.sgx_enclave.verify import TCB_IDENTIFIER, VerifiedSgxQuote
from assay.formats import base64url
from assay.formats.strict_json import JsonValue

ATTESTATION_TYPE: Final = "sgx"
# `$` names that policies of 2020 read (claims 3, column "$ alias").
_DOLLAR: Final = {
    "x-ms-sgx-is-debuggable": "$is-debuggable",
    "x-ms-sgx-mrenclave": "$sgx-mrenclave",
    "x-ms-sgx-mrsigner": "$sgx-mrsigner",
    "x-ms-sgx-product-id": "$product-id",
    "x-ms-sgx-svn": "$svn",
}


def sgx_claims(verified: VerifiedSgxQuote) -> Statement:
    """What a verified quote says to a policy and in the token."""
    members = _report_members(verified.quote)
    incoming: dict[str, ClaimValue] = dict(members)
    for name, alias in _DOLLAR.items():
        incoming[alias] = members[name]
    incoming["x-ms-attestation-type"] = incoming["$tee"] = ATTESTATION_TYPE
    held = _held_data_members(verified.submission)
    incoming.update({name: value for name, value in held.items() if isinstance(value, str)})
    if "maa-ehd" in incoming:
        incoming["$maa-ehd"] = incoming["$aas-ehd"] = incoming["maa-ehd"]
    collateral = _collateral(verified)
    own: dict[str, JsonValue] = {
        **members,
        **held,
        "x-ms-attestation-type": ATTESTATION_TYPE,
        "x-ms-sgx-collateral": collateral,
        "maa-attestationcollateral": collateral,
        TCB_IDENTIFIER: verified.tcb_identifier,
        **tcb_members(verified.tcb),
    }
    marks = ("simulator",) if verified.platform.certification.anchor.simulated else ()
    claims = ClaimSet.of_service((*incoming.items(), *tcb_claims(verified.tcb)))
    return Statement(claims, own, marks=marks)


def _report_members(quote: SgxQuote) -> dict[str, ClaimValue]:
    report = quote.report
    flags = report.flags
    members: dict[str, ClaimValue] = {
        "x-ms-sgx-is-debuggable": bool(flags & DEBUG),
        "x-ms-sgx-mrenclave": report.mr_enclave.hex(),
        "x-ms-sgx-mrsigner": report.mr_signer.hex(),
        "x-ms-sgx-product-id": report.isv_prod_id,
        "x-ms-sgx-svn": report.isv_svn,
        "x-ms-sgx-report-data": report.report_data.hex(),
    }
    if flags & KSS:
        members["x-ms-sgx-config-id"] = report.config_id.hex()
        members["x-ms-sgx-config-svn"] = report.config_svn
        members["x-ms-sgx-isv-extended-product-id"] = report.isv_ext_prod_id.hex()
        members["x-ms-sgx-isv-family-id"] = report.isv_family_id.hex()
    return members


def _held_data_members(submission: Submission) -> Mapping[str, JsonValue]:
    members: dict[str, JsonValue] = {}
    runtime, init_time = submission.runtime_data, submission.init_time_data
    if runtime is not None and runtime.data_type is HeldDataType.JSON:
        members["x-ms-runtime"] = dict(runtime.parsed or {})
    elif runtime is not None:
        text = base64url.encode(runtime.content)
        members.update({"x-ms-sgx-ehd": text, "maa-ehd": text, "aas-ehd": text})
    if init_time is not None and init_time.data_type is HeldDataType.JSON:
        members["x-ms-inittime"] = dict(init_time.parsed or {})
    return members


def _collateral(verified: VerifiedSgxQuote) -> dict[str, JsonValue]:
    # What was sent, with the Open Enclave header where there was one (claims 3.1).
    return {"quotehash": verified.submission.evidence_sha256, **verified.platform.collateral_hashes}

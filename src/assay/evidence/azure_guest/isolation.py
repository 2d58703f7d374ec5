"""`IsolationInfo`: how a guest is isolated from its host, and the proof of the hardware (tpm-and-guest 3.1)."""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple

from assay import limits
from assay.errors import MalformedEvidence, UnsupportedEvidence
from assay.evidence._hcl.runtime_claims import RuntimeClaims, parse_runtime_claims
from assay.evidence.azure_guest.members import Members
from assay.evidence.base import Submission
from assay.evidence.sev_snp_vm import SEV_SNP_VM
from assay.evidence.sev_snp_vm.report import SevSnpVmEvidence
from assay.evidence.tdx_vm import TDX_VM
from assay.evidence.tdx_vm.quote import TdxQuote
from assay.formats.strict_json import JsonValue, encode_ordered

_WHAT: Final = "IsolationInfo"


class IsolationType(str, Enum):
    """The types by their names in requests, compared without regard to case (tpm-and-guest 9, row 24)."""

    TRUSTED_LAUNCH = "TrustedLaunch"
    SEV_SNP = "SevSnp"
    TDX = "Tdx"


class HardwareProof(NamedTuple):
    """A proof of hardware, parsed by its own evidence type, and the runtime claims that it binds.

    `vmpl` is the privilege level of who asked for an SNP report, None where there are no such levels.
    """

    evidence: SevSnpVmEvidence | TdxQuote
    report_data: bytes
    vmpl: int | None
    runtime_claims: RuntimeClaims


class Isolation(NamedTuple):
    """The type, and the proof of a confidential VM; None for Trusted Launch, which has no hardware behind it."""

    type: IsolationType
    proof: HardwareProof | None


_BY_NAME: Final = {one.value.lower(): one for one in IsolationType}


def parse_isolation(members: Members, version: str) -> Isolation:
    """The isolation of a request; version 1.0 has no such member and means Trusted Launch.

    Raises `MalformedEvidence`, and `UnsupportedEvidence` for another type.
    """
    if members.get(_WHAT) is None:
        if version != "1.0":
            raise MalformedEvidence(_WHAT, f"absent in protocol version {version}")
        return Isolation(IsolationType.TRUSTED_LAUNCH, None)
    stated = members.object(_WHAT)
    isolation = _parse_stated(stated)
    if version == "1.0" and isolation.proof is not None:
        raise MalformedEvidence(_WHAT, f"{isolation.type.value} in protocol version 1.0, which is Trusted Launch only")
    return isolation


def _parse_stated(stated: Members) -> Isolation:
    name = stated.get("Type")
    kind = _BY_NAME.get(name.lower()) if isinstance(name, str) else None
    if kind is None:
        known = ", ".join(one.value for one in IsolationType)
        raise UnsupportedEvidence(
            _WHAT, f"type {str(name)[:40]!r}, expected one of {known}", code="UnsupportedIsolation"
        )
    if kind is IsolationType.TRUSTED_LAUNCH:
        _require_no_proof(stated)
        return Isolation(kind, None)
    evidence = stated.object("Evidence")
    claims = parse_runtime_claims(evidence.octets("RunTimeData", limits.HCL_REPORT))
    return Isolation(kind, _hardware_proof(kind, _proof(evidence), claims))


def _hardware_proof(kind: IsolationType, octets: bytes, claims: RuntimeClaims) -> HardwareProof:
    if kind is IsolationType.SEV_SNP:
        snp = SEV_SNP_VM.parse(Submission(octets))
        return HardwareProof(snp, snp.report.report_data, snp.report.vmpl, claims)
    tdx = TDX_VM.parse(Submission(octets))
    return HardwareProof(tdx, tdx.report.report_data, None, claims)


def _require_no_proof(stated: Members) -> None:
    """A proof that nothing would look at is refused rather than ignored."""
    if stated.get("Evidence") is None:
        return
    evidence = stated.object("Evidence")
    if evidence.get("Proof") or evidence.get("RunTimeData"):
        raise MalformedEvidence(_WHAT, "a hardware proof in a Trusted Launch request")


def _proof(evidence: Members) -> bytes:
    """The proof in base64 or base64url, or as the object itself (rest-api 7.5)."""
    value: JsonValue = evidence.get("Proof")
    return encode_ordered(value) if isinstance(value, dict) else evidence.octets("Proof", limits.GUEST_PROOF)

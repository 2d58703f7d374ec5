"""Endorsement documents as received, and the names by which a verification asks for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class DocumentKind(str, Enum):
    """The vendor documents that are known; the value is the stable name in stores and messages."""

    INTEL_ROOT_CRL = "intel.root_ca_crl"
    INTEL_PCK_CRL = "intel.pck_crl"
    INTEL_TCB_INFO = "intel.tcb_info"
    INTEL_QE_IDENTITY = "intel.qe_identity"


@dataclass(frozen=True, slots=True)
class Need:
    """One document that a verification needs: its kind, and what selects it among its kind.

    `platform` is the FMSPC (12 lower-case hex digits) of a TCB info, or `processor` / `platform` for a PCK CRL; `tee`
    is `sgx` or `tdx`; `number` the TCB evaluation data number, or None for the operator's channel (design, section 8).
    `vouched` says that the vendor's own root certified the platform: only then is its service asked.
    """

    kind: DocumentKind
    tee: str = ""
    platform: str = ""
    number: int | None = None
    vouched: bool = field(default=True, compare=False)

    def __str__(self) -> str:
        channel = "" if self.number is None else f", TCB evaluation data number {self.number}"
        match self.kind:
            case DocumentKind.INTEL_ROOT_CRL:
                return "revocation list of the Intel SGX Root CA (root_ca_crl.der)"
            case DocumentKind.INTEL_PCK_CRL:
                return f"revocation list of the Intel SGX PCK {self.platform.capitalize()} CA (pck_crl.der)"
            case DocumentKind.INTEL_TCB_INFO:
                return f"{self.tee.upper()} TCB info of FMSPC {self.platform}{channel} (tcb_info.json)"
            case DocumentKind.INTEL_QE_IDENTITY:
                return f"{self.tee.upper()} quoting enclave identity{channel} (qe_identity.json)"


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """A vendor document exactly as received; compared by identity, so that it can key a cache at no cost.

    `issuer_chain` is the PEM chain that came with it, leaf first (of a revocation list its
    issuers, empty when unknown: verification uses the evidence's own chain); `origin` says in words where it came from.
    """

    kind: DocumentKind
    body: bytes
    issuer_chain: bytes = b""
    origin: str = ""

    def __str__(self) -> str:
        return f"{self.kind.value} ({self.origin})"

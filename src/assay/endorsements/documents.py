"""Endorsement documents as received, and the names by which a verification asks for them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import Enum
from typing import Final


class DocumentKind(str, Enum):
    """The vendor documents that are known; the value is the stable name in stores and messages."""

    INTEL_ROOT_CRL = "intel.root_ca_crl"
    INTEL_PCK_CRL = "intel.pck_crl"
    INTEL_TCB_INFO = "intel.tcb_info"
    INTEL_QE_IDENTITY = "intel.qe_identity"
    AMD_VCEK = "amd.vcek"
    AMD_VLEK = "amd.vlek"
    AMD_AUTHORITY = "amd.authority"
    AMD_CRL = "amd.ark_crl"
    MICROSOFT_UVM = "microsoft.uvm_endorsement"


# Signed anew when they change or end; certificates stay as they are for their whole life.
REVOCATION_LISTS: Final = (DocumentKind.INTEL_ROOT_CRL, DocumentKind.INTEL_PCK_CRL, DocumentKind.AMD_CRL)
OF_INTEL_CHANNEL: Final = (DocumentKind.INTEL_TCB_INFO, DocumentKind.INTEL_QE_IDENTITY)
OF_AMD: Final = (DocumentKind.AMD_VCEK, DocumentKind.AMD_VLEK, DocumentKind.AMD_AUTHORITY, DocumentKind.AMD_CRL)


@dataclass(frozen=True, slots=True)
class Need:
    """One document that a verification needs: its kind, and what selects it among its kind.

    `platform` is the FMSPC (12 lower-case hex digits) of a TCB info, or `processor` / `platform` for a PCK CRL; `tee`
    is `sgx` or `tdx`; `number` the TCB evaluation data number, or None for the operator's channel (design, section 8).
    Of AMD `tee` is the product line; `platform` of a VCEK the chip's identifier and the TCB in hex, of a VLEK the TCB,
    of an authority the kind of key that it certifies (`vcek` or `vlek`). Of an endorsement of a utility machine it is
    the launch measurement in hex; nobody serves those, and evidence need not have one.
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
            case DocumentKind.AMD_VCEK:
                chip, _, tcb = self.platform.partition(":")
                digest = hashlib.sha256(bytes.fromhex(chip)).hexdigest()[:32]
                return f"VCEK certificate of {self.tee}, chip sha256:{digest}, TCB {tcb} (vcek.der)"
            case DocumentKind.AMD_VLEK:
                return f"VLEK certificate of {self.tee}, TCB {self.platform} (vlek.der)"
            case DocumentKind.AMD_AUTHORITY:
                name = "ASK" if self.platform == "vcek" else "ASVK"
                return f"certificates of the {name} and ARK of {self.tee} (cert_chain.pem)"
            case DocumentKind.AMD_CRL:
                return f"revocation list of the ARK of {self.tee} (ark_crl.der)"
            case DocumentKind.MICROSOFT_UVM:
                return f"endorsement of the launch measurement {self.platform} (uvm_endorsements.cose)"


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

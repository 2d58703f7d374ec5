"""The claims that a policy may read, by attestation type: value type, form, and what each says (claims 2 to 8).

Types that are not built yet are listed too, so that a policy written for them can be checked. Rows follow the column
"in" of the tables in claims; readings C1 (strings and aliases always, objects as JSON text under 1.2), C10 and
policy-language Q14 (boot-derived claims only before 1.2) are applied.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from types import MappingProxyType
from typing import Final

from assay.claims import ClaimValue, ValueType
from assay.endorsements.intel.tcb import TcbStatus

_STRING, _INTEGER, _BOOLEAN = ValueType.STRING, ValueType.INTEGER, ValueType.BOOLEAN
_FIXED: Final = frozenset({"1.0", "1.1"})
_JSON: Final = frozenset({"1.2"})
_ALWAYS: Final = _FIXED | _JSON


class Says(Enum):
    """What a claim is about: how far it tells one attester from another."""

    MEASUREMENT = "what runs"
    SIGNER = "who signed what runs"
    IDENTITY = "which product, configuration or owner it is"
    SETTING = "how it was started"
    SVN = "a security version, which only rises"
    DEBUG = "whether others can look inside"
    TCB = "how the vendor rates the platform at the time of appraisal"
    MACHINE = "which machine it is"
    VENDOR_MODULE = "vendor code that the TCB status judges already"
    HELD = "data of one call"
    ASSERTED = "what the attester says of itself, unmeasured"
    REPEATED = "what another claim says already"


@dataclass(frozen=True, slots=True)
class IncomingClaim:
    """One claim of the service.

    `hex_digits` is the exact length of a lower-case hexadecimal value, `values` the closed set of a String's values,
    `safe` the value of a claim about debugging that keeps others out, `replaced_by` today's name of a deprecated one,
    `versions` the language versions under which it is there.
    """

    value_type: ValueType
    says: Says
    hex_digits: int | None = None
    values: tuple[str, ...] = ()
    safe: ClaimValue | None = None
    replaced_by: str | None = None
    versions: frozenset[str] = _ALWAYS


Claims = Mapping[str, IncomingClaim]


def _hex(octets: int, says: Says) -> IncomingClaim:
    return IncomingClaim(_STRING, says, hex_digits=2 * octets)


def _text(says: Says, *values: str) -> IncomingClaim:
    return IncomingClaim(_STRING, says, values=values)


def _integer(says: Says) -> IncomingClaim:
    return IncomingClaim(_INTEGER, says)


def _boolean(says: Says = Says.SETTING, *, safe: bool | None = None) -> IncomingClaim:
    return IncomingClaim(_BOOLEAN, says, safe=safe)


def _renamed(claims: Claims, names: Mapping[str, str]) -> dict[str, IncomingClaim]:
    """Deprecated names of claims, each with what its claim is."""
    return {old: replace(claims[new], says=Says.REPEATED, replaced_by=new) for old, new in names.items()}


_JSON_TEXT: Final = IncomingClaim(_STRING, Says.HELD, versions=_JSON)
_RUNTIME: Final = {"x-ms-runtime": _JSON_TEXT, "x-ms-inittime": _JSON_TEXT}
_INTEL_TCB: Final = {
    "attester_tcb_status": _text(Says.TCB, *(status.value for status in TcbStatus)),
    "attester_advisory_ids": _text(Says.REPEATED),
}
_COMPLIANCE: Final = _text(Says.SIGNER, "azure-compliant-cvm", "azure-compliant-uvm", "azure-signed-katacc-uvm")

# claims 3
_SGX_TODAY: Final[Claims] = {
    "x-ms-attestation-type": _text(Says.IDENTITY, "sgx"),
    "x-ms-sgx-is-debuggable": _boolean(Says.DEBUG, safe=False),
    "x-ms-sgx-mrenclave": _hex(32, Says.MEASUREMENT),
    "x-ms-sgx-mrsigner": _hex(32, Says.SIGNER),
    "x-ms-sgx-product-id": _integer(Says.IDENTITY),
    "x-ms-sgx-svn": _integer(Says.SVN),
    "x-ms-sgx-report-data": _hex(64, Says.HELD),
    "x-ms-sgx-ehd": _text(Says.HELD),
    "x-ms-sgx-collateral": _JSON_TEXT,
    "x-ms-sgx-config-id": _hex(64, Says.IDENTITY),
    "x-ms-sgx-config-svn": _integer(Says.SVN),
    "x-ms-sgx-isv-extended-product-id": _hex(16, Says.IDENTITY),
    "x-ms-sgx-isv-family-id": _hex(16, Says.IDENTITY),
    **_RUNTIME,
    **_INTEL_TCB,
}
_SGX: Final[Claims] = {
    **_SGX_TODAY,
    **_renamed(
        _SGX_TODAY,
        {
            "$is-debuggable": "x-ms-sgx-is-debuggable",
            "$sgx-mrenclave": "x-ms-sgx-mrenclave",
            "$sgx-mrsigner": "x-ms-sgx-mrsigner",
            "$product-id": "x-ms-sgx-product-id",
            "$svn": "x-ms-sgx-svn",
            "$tee": "x-ms-attestation-type",
            "$maa-ehd": "x-ms-sgx-ehd",
            "$aas-ehd": "x-ms-sgx-ehd",
            "maa-ehd": "x-ms-sgx-ehd",
            "aas-ehd": "x-ms-sgx-ehd",
            "$maa-attestationcollateral": "x-ms-sgx-collateral",
        },
    ),
}

# claims 4
_SNP_FLAGS: Final = (
    *("smt-allowed", "migration-allowed", "singlesocket", "cxl-allowed", "mem-aes256-xts-required", "rapl-disabled"),
    *("ciphertext-hiding-dram-enabled", "page-swap-disabled"),
)
_SNP: Final[Claims] = {
    "x-ms-attestation-type": _text(Says.IDENTITY, "sevsnpvm"),
    "x-ms-compliance-status": _COMPLIANCE,
    "x-ms-sevsnpvm-is-debuggable": _boolean(Says.DEBUG, safe=False),
    **{f"x-ms-sevsnpvm-{flag}": _boolean() for flag in _SNP_FLAGS},
    "x-ms-sevsnpvm-guestsvn": _integer(Says.SVN),
    "x-ms-sevsnpvm-familyId": _hex(16, Says.IDENTITY),
    "x-ms-sevsnpvm-imageId": _hex(16, Says.IDENTITY),
    "x-ms-sevsnpvm-vmpl": _integer(Says.SETTING),
    "x-ms-sevsnpvm-reportdata": _hex(64, Says.HELD),
    "x-ms-sevsnpvm-launchmeasurement": _hex(48, Says.MEASUREMENT),
    "x-ms-sevsnpvm-hostdata": _hex(32, Says.IDENTITY),
    "x-ms-sevsnpvm-idkeydigest": _hex(48, Says.SIGNER),
    "x-ms-sevsnpvm-authorkeydigest": _hex(48, Says.SIGNER),
    "x-ms-sevsnpvm-reportid": _hex(32, Says.MACHINE),
    "x-ms-sevsnpvm-chipid": _hex(64, Says.MACHINE),
    # Security versions of one family say nothing about those of another, so the family is told apart.
    "x-ms-sevsnpvm-chip-family": _text(Says.SETTING),
    **{f"x-ms-sevsnpvm-{part}-svn": _integer(Says.SVN) for part in ("bootloader", "tee", "snpfw", "microcode")},
    **_RUNTIME,
}

# claims 5
_TDX: Final[Claims] = {
    "x-ms-attestation-type": _text(Says.IDENTITY, "tdxvm"),
    "x-ms-compliance-status": _COMPLIANCE,
    "eat_profile": _text(Says.REPEATED, "https://aka.ms/maa-eat-profile-tdxvm"),
    "intuse": _text(Says.REPEATED, "generic"),
    "dbgstat": replace(_text(Says.DEBUG, "disabled", "enabled"), safe="disabled"),
    **_INTEL_TCB,
    "tdx_tee_tcb_svn": _hex(16, Says.VENDOR_MODULE),
    "tdx_seamsvn": _integer(Says.SVN),
    "tdx_mrseam": _hex(48, Says.VENDOR_MODULE),
    "tdx_mrsignerseam": _hex(48, Says.SIGNER),
    "tdx_seam_attributes": _hex(8, Says.SETTING),
    "tdx_td_attributes": _hex(8, Says.SETTING),
    "tdx_td_attributes_debug": _boolean(Says.DEBUG, safe=False),
    **{f"tdx_td_attributes_{bit}": _boolean(Says.REPEATED) for bit in ("septve_disable", "protection_keys")},
    **{f"tdx_td_attributes_{bit}": _boolean(Says.REPEATED) for bit in ("key_locker", "perfmon")},
    "tdx_xfam": _hex(8, Says.SETTING),
    "tdx_mrtd": _hex(48, Says.MEASUREMENT),
    **{f"tdx_{name}": _hex(48, Says.IDENTITY) for name in ("mrconfigid", "mrowner", "mrownerconfig")},
    **{f"tdx_rtmr{index}": _hex(48, Says.MEASUREMENT) for index in range(4)},
    "tdx_report_data": _hex(64, Says.HELD),
    # Of a CC event log that came with the quote; the RTMRs say the same in short.
    "events": _text(Says.REPEATED),
    **_RUNTIME,
}

# claims 6; what the guest says of its operating system is not measured (tpm-and-guest 3.5)
_GUEST_BOOT: Final = (
    *("default-securebootkeysvalidated", "dbvalidated", "dbxvalidated", "signingdisabled", "testsigning-enabled"),
    *("flightsigning-enabled", "elam-enabled", "is-windows"),
)
_GUEST: Final[Claims] = {
    "x-ms-attestation-type": _text(Says.IDENTITY, "azurevm"),
    "secureboot": _boolean(),
    **{f"x-ms-azurevm-{name}": _boolean() for name in _GUEST_BOOT},
    "x-ms-azurevm-debuggersdisabled": _boolean(Says.DEBUG, safe=True),
    **{f"x-ms-azurevm-{what}debug-enabled": _boolean(Says.REPEATED) for what in ("boot", "kernel", "hypervisor")},
    "x-ms-azurevm-hvci-policy": _integer(Says.SETTING),
    "x-ms-azurevm-attested-pcrs": _integer(Says.REPEATED),
    "x-ms-azurevm-attested-pcr-values": _JSON_TEXT,
    "x-ms-azurevm-attestation-protocol-ver": _text(Says.REPEATED, "1.0", "2.0"),
    **{f"x-ms-azurevm-{name}": _text(Says.ASSERTED) for name in ("ostype", "osdistro", "osbuild")},
    **{f"x-ms-azurevm-osversion-{part}": _integer(Says.ASSERTED) for part in ("major", "minor")},
    "x-ms-azurevm-vmid": _text(Says.MACHINE),
    "x-ms-azurevm-os-provisioning": _JSON_TEXT,
    "x-ms-isolation-tee": _JSON_TEXT,
    **_RUNTIME,
}

# claims 7; tpm-and-guest 1.6
_TPM: Final[Claims] = {
    "x-ms-attestation-type": _text(Says.IDENTITY, "tpm", "vbs"),
    "aikValidated": _boolean(),
    "aikPubHash": _text(Says.MACHINE),
    "tpmVersion": _integer(Says.SETTING),
    "vbsReportPresent": _boolean(),
    "vsmReportPresent": _boolean(Says.REPEATED),
    **{
        name: replace(_boolean(), versions=_FIXED)
        for name in ("secureBootEnabled", "iommuEnabled", "notSafeMode", "notWinPE", "vbsEnabled")
    },
    "bootDebuggingDisabled": replace(_boolean(Says.DEBUG, safe=True), versions=_FIXED),
    **dict.fromkeys(("events", "bootEvents", "pcrs", "x-ms-tpm-request-key", "x-ms-tpm-other-keys"), _JSON_TEXT),
}

# claims 8
_VBS: Final[Claims] = {
    **_TPM,
    "enclaveAuthorId": _text(Says.SIGNER),
    **{f"enclave{part}Id": _text(Says.IDENTITY) for part in ("Image", "Owner", "Family")},
    "enclaveSvn": _integer(Says.SVN),
    "enclavePlatformSvn": _integer(Says.SVN),
    "enclaveFlags": _integer(Says.SETTING),
}

INCOMING_CLAIMS: Final[Mapping[str, Claims]] = MappingProxyType(
    {
        "SgxEnclave": _SGX,
        "OpenEnclave": _SGX,
        "SevSnpVm": _SNP,
        "TdxVm": _TDX,
        "AzureGuest": _GUEST,
        "Tpm": _TPM,
        "VbsEnclave": _VBS,
    }
)

# Whose callers may send claims of their own, with issuer CustomClaim (policy-language 4).
TAKES_CUSTOM_CLAIMS: Final = frozenset({"Tpm", "VbsEnclave"})

_BASELINE: Final = {"x-ms-sgx-tcbidentifier": _STRING}
_TPM_CONFIGURATION: Final = {
    "require_valid_aik_cert": _BOOLEAN,
    "required_pcr_mask": _INTEGER,
    "allow_debug_enclave": _BOOLEAN,
}
_TPM_PROPERTIES: Final = {"report_validity_in_minutes": _INTEGER, "omit_x5c": _BOOLEAN}
_NONE: Final[Mapping[str, ValueType]] = {}

# What `issueproperty` may set in configurationrules, and in issuancerules (policy-language 9).
CONFIGURATION_PROPERTIES: Final[Mapping[str, Mapping[str, ValueType]]] = MappingProxyType(
    {name: _BASELINE if claims is _SGX else _NONE for name, claims in INCOMING_CLAIMS.items()}
    | dict.fromkeys(TAKES_CUSTOM_CLAIMS, _TPM_CONFIGURATION)
    # Of confidential VMs, whose key the hardware vouches for (ADR 0045).
    | {"AzureGuest": {"require_valid_aik_cert": _BOOLEAN}}
)
ISSUANCE_PROPERTIES: Final[Mapping[str, Mapping[str, ValueType]]] = MappingProxyType(
    dict.fromkeys(INCOMING_CLAIMS, _NONE) | dict.fromkeys(TAKES_CUSTOM_CLAIMS, _TPM_PROPERTIES)
)

"""Windows' tagged events as members of the `events` claim: names, and how each value is written (claims 7.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from assay.errors import MalformedEvidence
from assay.evidence._tcg import sipa
from assay.evidence._tcg.efi import read_utf16
from assay.evidence._tcg.sipa import Tagged
from assay.formats import base64url
from assay.formats.strict_json import JsonValue

_INTEGER_OCTETS: Final = 8


def _flag(tagged: Tagged) -> JsonValue:
    return tagged.is_true


def _raw(tagged: Tagged) -> JsonValue:
    return {"RawData": base64url.encode(tagged.value)}


def _integer(tagged: Tagged) -> JsonValue:
    # Larger than any number that Windows measures: shown as it is, so that no comparison with a number holds.
    return tagged.number if len(tagged.value) <= _INTEGER_OCTETS else _raw(tagged)


def _text(tagged: Tagged) -> JsonValue:
    try:
        return read_utf16(tagged.value, "tagged event").rstrip("\0")
    except MalformedEvidence:
        return _raw(tagged)


def _named(names: Mapping[int, str]) -> Callable[[Tagged], JsonValue]:
    def write(tagged: Tagged) -> JsonValue:
        return {"String": names.get(tagged.number, str(tagged.number)), "Value": _integer(tagged)}

    return write


# TPM and other protectors of BitLocker's key, by bit (tpm-and-guest 5.4).
_UNLOCKED_BY: Final = (
    (0x1, "CACHED"),
    (0x2, "MEDIA"),
    (0x4, "TPM"),
    (0x10, "PIN"),
    (0x20, "EXTERNAL_KEY"),
    (0x40, "RECOVERY"),
    (0x80, "PASSPHRASE"),
    (0x100, "NETWORK"),
    (0x200, "AUTO_UNLOCK"),
)


def _unlock(tagged: Tagged) -> JsonValue:
    names = [name for bit, name in _UNLOCKED_BY if tagged.number & bit]
    return {"String": "|".join(names) or "NONE", "Value": _integer(tagged)}


def _launch_state(tagged: Tagged) -> JsonValue:
    """One octet is the launched environment's own verdict, measured at its locality; a signed form is not verified."""
    return {"SignatureValid": tagged.value == b"\x01"}


_HVCI: Final = _named({0: "Disabled", 1: "HypervisorEnforcedCodeIntegrityEnable"})
_TRANSFER: Final = _named({0: "NONE", 1: "OS_LOADER", 2: "RESUME", 5: "HYPERVISOR_LOADER"})
_DEP: Final = _named({0: "OPT_IN", 1: "OPT_OUT", 2: "ALWAYS_OFF", 3: "ALWAYS_ON"})
_DRIVERS: Final = _named({1: "GOOD_ONLY", 3: "GOOD_AND_UNKNOWN", 7: "GOOD_UNKNOWN_AND_CRITICAL", 8: "ALL"})
_LAUNCH: Final = _named({0: "NONE", 1: "AUTO"})

# Tags of tpm-and-guest 5.4, without the prefix EVENT_ of their names. Of a loaded module those of claims 7.2 only: a
# Windows loads hundreds, and their sizes, addresses, hashes and signers would be most of the claim.
_SINGLE: Final[dict[int, tuple[str, Callable[[Tagged], JsonValue]]]] = {
    0x00020001: ("INFORMATION", _raw),
    0x00020002: ("BOOTCOUNTER", _integer),
    sipa.TRANSFER_CONTROL: ("TRANSFER_CONTROL", _TRANSFER),
    0x00020004: ("APPLICATION_RETURN", _integer),
    0x00020005: ("BITLOCKER_UNLOCK", _unlock),
    0x00020006: ("EVENTCOUNTER", _integer),
    0x00020007: ("COUNTERID", _integer),
    0x00020008: ("MORBIT_NOT_CANCELABLE", _flag),
    sipa.APPLICATION_SVN: ("APPLICATION_SVN", _integer),
    0x0002000A: ("SVN_CHAIN_STATUS", _integer),
    0x0002000B: ("MORBIT_API_STATUS", _integer),
    0x0002000C: ("IDK_GENERATION_STATUS", _integer),
    sipa.BOOT_DEBUGGING: ("BOOTDEBUGGING", _flag),
    0x00040002: ("BOOT_REVOCATION_LIST", _raw),
    sipa.OS_KERNEL_DEBUG: ("OSKERNELDEBUG", _flag),
    sipa.CODE_INTEGRITY: ("CODEINTEGRITY", _flag),
    sipa.TEST_SIGNING: ("TESTSIGNING", _flag),
    0x00050004: ("DATAEXECUTIONPREVENTION", _DEP),
    sipa.SAFE_MODE: ("SAFEMODE", _flag),
    sipa.WIN_PE: ("WINPE", _flag),
    0x00050007: ("PHYSICALADDRESSEXTENSION", _integer),
    0x00050008: ("OSDEVICE", _integer),
    0x00050009: ("SYSTEMROOT", _text),
    0x0005000A: ("HYPERVISOR_LAUNCH_TYPE", _LAUNCH),
    0x0005000B: ("HYPERVISOR_PATH", _text),
    0x0005000C: ("HYPERVISOR_IOMMU_POLICY", _integer),
    sipa.HYPERVISOR_DEBUG: ("HYPERVISOR_DEBUG", _flag),
    0x0005000E: ("DRIVER_LOAD_POLICY", _DRIVERS),
    0x00050010: ("HYPERVISOR_MMIO_NX_POLICY", _integer),
    0x00050011: ("HYPERVISOR_MSR_FILTER_POLICY", _integer),
    0x00050012: ("VSM_LAUNCH_TYPE", _LAUNCH),
    0x00050013: ("OS_REVOCATION_LIST", _raw),
    0x00050014: ("SMT_STATUS", _integer),
    0x00050020: ("VSM_IDK_INFO", _raw),
    sipa.FLIGHT_SIGNING: ("FLIGHTSIGNING", _flag),
    0x00050022: ("PAGEFILE_ENCRYPTION_ENABLED", _flag),
    sipa.VSM_IDKS_INFO: ("VSM_IDKS_INFO", _raw),
    0x00050024: ("HIBERNATION_DISABLED", _flag),
    0x00050025: ("DUMPS_DISABLED", _flag),
    0x00050026: ("DUMP_ENCRYPTION_ENABLED", _flag),
    0x00050027: ("DUMP_ENCRYPTION_KEY_DIGEST", _raw),
    0x00050028: ("LSAISO_CONFIG", _integer),
    0x00050029: ("SBCP_INFO", _raw),
    0x00050030: ("HYPERVISOR_BOOT_DMA_PROTECTION", _flag),
    0x00060001: ("NOAUTHORITY", _raw),
    0x00060002: ("AUTHORITYPUBKEY", _raw),
    0x00070001: ("FILEPATH", _text),
    0x0007000A: ("IMAGEVALIDATED", _flag),
    0x0007000B: ("MODULE_SVN", _integer),
    0x00090001: ("ELAM_KEYNAME", _text),
    0x00090002: ("ELAM_CONFIGURATION", _raw),
    0x00090003: ("ELAM_POLICY", _raw),
    sipa.ELAM_MEASURED: ("ELAM_MEASURED", _raw),
    sipa.VBS_VSM_REQUIRED: ("VBS_VSM_REQUIRED", _flag),
    0x000A0002: ("VBS_SECUREBOOT_REQUIRED", _flag),
    sipa.VBS_IOMMU_REQUIRED: ("VBS_IOMMU_REQUIRED", _flag),
    0x000A0004: ("VBS_MMIO_NX_REQUIRED", _flag),
    0x000A0005: ("VBS_MSR_FILTERING_REQUIRED", _flag),
    sipa.VBS_MANDATORY_ENFORCEMENT: ("VBS_MANDATORY_ENFORCEMENT", _flag),
    sipa.VBS_HVCI_POLICY: ("VBS_HVCI_POLICY", _HVCI),
    0x000A0008: ("VBS_MICROSOFT_BOOT_CHAIN_REQUIRED", _flag),
    0x000A0009: ("VBS_DUMP_USES_AMEROOT", _flag),
    0x000A000A: ("VBS_VSM_NOSECRETS_ENFORCED", _flag),
    0x000B0001: ("KSR_SIGNATURE", _raw),
    0x000C0001: ("DRTM_STATE_AUTH", _launch_state),
    0x000C0002: ("DRTM_SMM", _named({})),
    0x000C0003: ("DRTM_AMD_SMM_HASH", _raw),
    0x000C0004: ("DRTM_AMD_SMM_SIGNER", _raw),
}
# Written as arrays, however often they occur.
_REPEATED: Final[dict[int, tuple[str, Callable[[Tagged], JsonValue]]]] = {
    0x0005000F: ("SI_POLICY", _raw),
    0x00050031: ("SI_POLICY_SIGNER", _raw),
    0x00050032: ("SI_POLICY_UPDATE_SIGNER", _raw),
    sipa.LOADED_MODULE: ("LOADEDMODULE_AGGREGATION", lambda tagged: describe_tagged(tagged.members)),
    sipa.ELAM_AGGREGATION: ("ELAM_AGGREGATION", lambda tagged: describe_tagged(tagged.members)),
}
_AGGREGATIONS: Final = {
    0xC0010004: "TRUSTPOINT_AGGREGATION",
    0x40010005: "KSR_AGGREGATION",
    0x40010006: "KSR_SIGNED_MEASUREMENT",
}


def describe_event(tagged: Iterable[Tagged]) -> dict[str, JsonValue]:
    """`ProcessedData` of a tagged event: its trust boundaries as one, and what stands beside them."""
    bare: list[Tagged] = []
    inside: list[Tagged] = []
    has_boundary = False
    for one in tagged:
        if one.tag == sipa.TRUST_BOUNDARY:
            has_boundary = True
            inside.extend(one.members)
        else:
            bare.append(one)
    described = describe_tagged(bare)
    if has_boundary:
        described["EVENT_TRUSTBOUNDARY"] = describe_tagged(inside)
    return described


def describe_tagged(tagged: Iterable[Tagged]) -> dict[str, JsonValue]:
    """The tags of one level by their names; those without a name are left out.

    A value that repeats with another content becomes a list, so that rules about a single value do not hold
    (tpm-and-guest 5.6).
    """
    described: dict[str, JsonValue] = {}
    repeated: dict[str, list[JsonValue]] = {}
    for one in tagged:
        if one.tag in _REPEATED:
            name, write = _REPEATED[one.tag]
            repeated.setdefault(f"EVENT_{name}", []).append(write(one))
        elif one.tag in _SINGLE:
            name, write = _SINGLE[one.tag]
            _add(described, f"EVENT_{name}", write(one))
        elif one.tag in _AGGREGATIONS:
            _add(described, f"EVENT_{_AGGREGATIONS[one.tag]}", describe_tagged(one.members))
    described.update(repeated)
    return described


def _add(described: dict[str, JsonValue], name: str, value: JsonValue) -> None:
    if name not in described:
        described[name] = value
        return
    before = described[name]
    known = before if isinstance(before, list) else [before]
    if value not in known:
        described[name] = [*known, value]

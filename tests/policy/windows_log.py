"""A plain reader of Windows measured-boot logs, and hand-made logs, as the `events` claim (tpm-and-guest 5.1 to 5.6).

For tests of policies only: it verifies nothing, and is not the reader of the evidence type.
"""

from __future__ import annotations

import base64
import json
import struct
import uuid

SEPARATOR, EVENT_TAG, VARIABLE = 0x4, 0x6, 0x80000001
TYPES = {SEPARATOR: "EV_SEPARATOR", EVENT_TAG: "EV_EVENT_TAG", VARIABLE: "EV_EFI_VARIABLE_DRIVER_CONFIG"}
TRUST_BOUNDARY, MODULES = 0x40010001, 0x40010003
GLOBAL_VARIABLE = "8BE4DF61-93CA-11D2-AA0D-00E098032B8C"
BOOLEANS = {
    0x00040001: "EVENT_BOOTDEBUGGING",
    0x00050001: "EVENT_OSKERNELDEBUG",
    0x00050002: "EVENT_CODEINTEGRITY",
    0x00050003: "EVENT_TESTSIGNING",
    0x00050005: "EVENT_SAFEMODE",
    0x00050006: "EVENT_WINPE",
    0x00050021: "EVENT_FLIGHTSIGNING",
    0x0007000A: "EVENT_IMAGEVALIDATED",
    0x000A0001: "EVENT_VBS_VSM_REQUIRED",
    0x000A0003: "EVENT_VBS_IOMMU_REQUIRED",
    0x000A0006: "EVENT_VBS_MANDATORY_ENFORCEMENT",
}
INTEGERS = {0x00020009: "EVENT_APPLICATION_SVN", 0x0007000B: "EVENT_MODULE_SVN"}
NAMED = {
    0x00020003: "EVENT_TRANSFER_CONTROL",
    0x00020005: "EVENT_BITLOCKER_UNLOCK",
    0x00050004: "EVENT_DATAEXECUTIONPREVENTION",
    0x000A0007: "EVENT_VBS_HVCI_POLICY",
}
RAW = {0x00040002: "EVENT_BOOT_REVOCATION_LIST", 0x00050013: "EVENT_OS_REVOCATION_LIST"}
SI_POLICY, FILE_PATH = 0x0005000F, 0x00070001


def unpadded(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def _tags(data):
    place = 0
    while place < len(data):
        tag, size = struct.unpack_from("<II", data, place)
        yield tag, data[place + 8 : place + 8 + size]
        place += 8 + size


def _boundary(data):
    """The members of one trust boundary, or of one module."""
    members: dict = {}
    for tag, value in _tags(data):
        number = int.from_bytes(value[:8], "little")
        if tag in BOOLEANS:
            members[BOOLEANS[tag]] = number != 0
        elif tag in INTEGERS:
            members[INTEGERS[tag]] = number
        elif tag in NAMED:
            is_enabled = tag == 0x000A0007 and number == 1
            members[NAMED[tag]] = {
                "Value": number,
                "String": "HypervisorEnforcedCodeIntegrityEnable" if is_enabled else "?",
            }
        elif tag in RAW:
            members[RAW[tag]] = {"RawData": unpadded(value)}
        elif tag == SI_POLICY:
            members.setdefault("EVENT_SI_POLICY", []).append({"RawData": unpadded(value)})
        elif tag == FILE_PATH:
            members["EVENT_FILEPATH"] = value.decode("utf-16-le").rstrip("\0")
        elif tag == MODULES:
            members.setdefault("EVENT_LOADEDMODULE_AGGREGATION", []).append(_boundary(value))
    return members


def _variable(data):
    name_length, size = struct.unpack_from("<QQ", data, 16)
    name, end = data[32 : 32 + 2 * name_length], 32 + 2 * name_length
    return {
        "VariableGuid": str(uuid.UUID(bytes_le=data[:16])).upper(),
        "UnicodeName": name.decode("utf-16-le"),
        "VariableData": unpadded(data[end : end + size]),
    }


def _records(log):
    """PCR, type and data of each event; the first has the old form, and says whether the others have."""
    _, _, size = struct.unpack_from("<II20xI", log)
    first = log[32 : 32 + size]
    sizes = {}
    if first.startswith(b"Spec ID Event03"):
        (count,) = struct.unpack_from("<I", first, 24)
        sizes = dict(struct.unpack_from("<HH", first, 28 + 4 * index) for index in range(count))
    yield 0, 3, first
    place = 32 + size
    while place < len(log):
        pcr, kind = struct.unpack_from("<II", log, place)
        place += 8
        if sizes:
            (count,) = struct.unpack_from("<I", log, place)
            place += 4
            for _ in range(count):
                (algorithm,) = struct.unpack_from("<H", log, place)
                place += 2 + sizes[algorithm]
        else:
            place += 20
        (size,) = struct.unpack_from("<I", log, place)
        yield pcr, kind, log[place + 4 : place + 4 + size]
        place += 4 + size


def events_of_log(log):
    """The `events` claim of a log; what follows a PCR's separator says nothing."""
    events, ended = [], set()
    for sequence, (pcr, kind, data) in enumerate(_records(log)):
        processed = {}
        if pcr not in ended and kind == VARIABLE:
            processed = _variable(data)
        if pcr not in ended and kind == EVENT_TAG:
            boundaries = [value for tag, value in _tags(data) if tag == TRUST_BOUNDARY]
            modules = [_boundary(value) for tag, value in _tags(data) if tag == MODULES]
            processed = {"EVENT_TRUSTBOUNDARY": _boundary(b"".join(boundaries))} if boundaries else {}
            processed |= {"EVENT_LOADEDMODULE_AGGREGATION": modules} if modules else {}
        if kind == SEPARATOR:
            ended.add(pcr)
        events.append(event(sequence, pcr, TYPES.get(kind, f"type {kind:x}"), processed))
    return json.dumps({"Events": events}, separators=(",", ":"))


def event(sequence, pcr, kind, processed):
    return {"EventSeq": sequence, "PcrIndex": pcr, "EventTypeString": kind, "ProcessedData": processed}


def events_of(*described):
    """The `events` claim of hand-made events: PCR, type and processed data of each."""
    return json.dumps({"Events": [event(index, *one) for index, one in enumerate(described)]}, separators=(",", ":"))


def boundary(pcr, **members):
    """A trust boundary measured into a PCR."""
    return pcr, "EV_EVENT_TAG", {"EVENT_TRUSTBOUNDARY": {f"EVENT_{name}": value for name, value in members.items()}}


def variable(name, data, guid=GLOBAL_VARIABLE):
    """A boot variable, its data in base64url."""
    return 7, "EV_EFI_VARIABLE_DRIVER_CONFIG", {"VariableGuid": guid, "UnicodeName": name, "VariableData": data}

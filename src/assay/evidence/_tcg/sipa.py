"""Windows' tagged events (SIPA, the WBCL): nested sequences of tag, size, value (tpm-and-guest 5.4)."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from assay import limits
from assay.errors import LimitExceeded, MalformedEvidence
from assay.formats.reader import Reader

_WHAT: Final = "tagged event"
_AGGREGATION: Final = 0x40000000
_TAG: Final = struct.Struct("<II")

TRUST_BOUNDARY: Final = 0x40010001
ELAM_AGGREGATION: Final = 0x40010002
LOADED_MODULE: Final = 0x40010003
TRANSFER_CONTROL: Final = 0x00020003
APPLICATION_SVN: Final = 0x00020009
BOOT_DEBUGGING: Final = 0x00040001
OS_KERNEL_DEBUG: Final = 0x00050001
CODE_INTEGRITY: Final = 0x00050002
TEST_SIGNING: Final = 0x00050003
SAFE_MODE: Final = 0x00050005
WIN_PE: Final = 0x00050006
HYPERVISOR_DEBUG: Final = 0x0005000D
FLIGHT_SIGNING: Final = 0x00050021
VSM_IDKS_INFO: Final = 0x00050023
ELAM_MEASURED: Final = 0x00090004
VBS_VSM_REQUIRED: Final = 0x000A0001
VBS_IOMMU_REQUIRED: Final = 0x000A0003
VBS_MANDATORY_ENFORCEMENT: Final = 0x000A0006
VBS_HVCI_POLICY: Final = 0x000A0007
# PCRs that Windows measures tagged events into: after a static launch, and after a dynamic one.
TAGGED_PCRS: Final = frozenset((11, 12, 13, 14, 17, 18, 19, 20, 21, 22))


class _Head(NamedTuple):
    tag: int
    size: int


class Tagged(NamedTuple):
    """One tag and its value; an aggregation has members instead of a meaning of its own."""

    tag: int
    value: bytes
    members: tuple[Tagged, ...]

    @property
    def is_true(self) -> bool:
        """The value as a flag: any octet that is not zero."""
        return any(self.value)

    @property
    def number(self) -> int:
        """The value as a little-endian number."""
        return int.from_bytes(self.value, "little")


def parse_tagged(octets: bytes) -> tuple[Tagged, ...]:
    """The tagged values of an event, to its last octet.

    Raises `MalformedEvidence`, and `LimitExceeded` for nesting or numbers that no Windows writes.
    """
    return _parse(octets, limits.TAGGED_DEPTH, [limits.TAGS])


def _parse(octets: bytes, depth: int, left: list[int]) -> tuple[Tagged, ...]:
    if depth < 0:
        raise LimitExceeded("nesting of tagged events", limit=limits.TAGGED_DEPTH)
    reader = Reader(octets, _WHAT, MalformedEvidence)
    found: list[Tagged] = []
    while reader.remaining:
        left[0] -= 1
        if left[0] < 0:
            raise LimitExceeded("tags of one event", limit=limits.TAGS)
        tag, size = _Head._make(reader.structure(_TAG, "tag and size"))
        value = reader.take(size, "value")
        found.append(Tagged(tag, value, _parse(value, depth - 1, left) if tag & _AGGREGATION else ()))
    return tuple(found)


def parse_if_tagged(octets: bytes) -> tuple[Tagged, ...] | None:
    """The tagged values, or None when the octets are none of Windows' doing: they begin with no group it uses."""
    if len(octets) < _HEADER or int.from_bytes(octets[:4], "little") >> 16 not in _GROUPS:
        return None
    try:
        return parse_tagged(octets)
    except (MalformedEvidence, LimitExceeded):
        return None


_HEADER: Final = 8
# The upper half of every tag of the table in tpm-and-guest 5.4.
_GROUPS: Final = frozenset((0x4001, 0xC001, 0x8008, *range(0x0002, 0x000D)))

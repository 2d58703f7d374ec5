"""The SGX extension of a PCK certificate (quote-verification section 2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from assay import limits
from assay.errors import MalformedEndorsement
from assay.formats.der import BOOLEAN, ENUMERATED, INTEGER, OCTET_STRING, SEQUENCE, DerReader

SGX_EXTENSION: Final = "1.2.840.113741.1.13.1"
_WHAT: Final = "SGX extension"
# The same identifier in DER, without tag and length.
_ARC: Final = bytes.fromhex("2a864886f84d010d01")


@dataclass(frozen=True, slots=True)
class PckExtension:
    """What Intel certifies of a platform: its identity and the SVNs that TCB evaluation uses.

    `platform_instance_id` and the configuration exist only under the Platform CA.
    """

    ppid: bytes
    components: tuple[int, ...]
    pce_svn: int
    cpu_svn: bytes
    pce_id: bytes
    fmspc: bytes
    sgx_type: int
    platform_instance_id: bytes | None
    dynamic_platform: bool | None
    cached_keys: bool | None
    smt_enabled: bool | None


def parse_pck_extension(value: bytes) -> PckExtension:
    """The extension's value; elements are found by identifier, in any order. Raises `MalformedEndorsement`."""
    outer = DerReader(value, _WHAT)
    elements = _elements(outer.expect(SEQUENCE, "extension"), _ARC)
    outer.finish()
    tcb = _parse_tcb(_content(elements, 2, SEQUENCE))
    configuration = _elements(_content(elements, 7, SEQUENCE), _ARC + b"\x07") if 7 in elements else {}
    return PckExtension(
        ppid=_octets(elements, 1, 16),
        components=tcb.components,
        pce_svn=tcb.pce_svn,
        cpu_svn=tcb.cpu_svn,
        pce_id=_octets(elements, 3, 2),
        fmspc=_octets(elements, 4, 6),
        sgx_type=_number(elements, 5, ENUMERATED, 2),
        platform_instance_id=_octets(elements, 6, 16) if 6 in elements else None,
        dynamic_platform=_flag(configuration, 1),
        cached_keys=_flag(configuration, 2),
        smt_enabled=_flag(configuration, 3),
    )


class _Tcb(NamedTuple):
    components: tuple[int, ...]
    pce_svn: int
    cpu_svn: bytes


@lru_cache(maxsize=limits.DOCUMENTS)
def _parse_tcb(content: bytes) -> _Tcb:
    """The SVNs; remembered, since machines of one model at one patch level have them in common."""
    tcb = _elements(content, _ARC + b"\x02")
    components = tuple([_number(tcb, i, INTEGER, 0xFF) for i in range(1, 17)])
    return _Tcb(components, _number(tcb, 17, INTEGER, 0xFFFF), _octets(tcb, 18, 16))


_Elements = Mapping[int, tuple[int, bytes]]


def _elements(content: bytes, arc: bytes) -> _Elements:
    """The `SEQUENCE { OID, value }` elements by the last arc of their identifier, whose other arcs must be `arc`."""
    found: dict[int, tuple[int, bytes]] = {}
    for identifier, tag, value in DerReader(content, _WHAT).pairs():
        last = identifier[-1] if identifier else 0
        if identifier[:-1] != arc or last >= 0x80 or last in found:
            raise MalformedEndorsement(_WHAT, f"unexpected or repeated element {identifier.hex()}")
        found[last] = (tag, value)
    return found


def _content(elements: _Elements, last: int, tag: int) -> bytes:
    found, content = elements.get(last, (0, b""))
    if found != tag:
        raise MalformedEndorsement(_WHAT, f"element {last} is missing or of another type")
    return content


def _octets(elements: _Elements, last: int, size: int) -> bytes:
    content = _content(elements, last, OCTET_STRING)
    if len(content) != size:
        raise MalformedEndorsement(_WHAT, f"element {last}: {len(content)} octets instead of {size}")
    return content


def _number(elements: _Elements, last: int, tag: int, most: int) -> int:
    content = _content(elements, last, tag)
    if not content or (len(content) > 1 and content[0] == 0 and content[1] < 0x80):
        raise MalformedEndorsement(_WHAT, f"element {last}: an integer not in its shortest form")
    number = int.from_bytes(content, "big", signed=True)
    if not 0 <= number <= most:
        raise MalformedEndorsement(_WHAT, f"element {last}: {number} is not from 0 to {most}")
    return number


def _flag(elements: _Elements, last: int) -> bool | None:
    if last not in elements:
        return None
    content = _content(elements, last, BOOLEAN)
    # Both 0x01 and 0xff occur for true (quote-verification section 2).
    if content not in (b"\x00", b"\x01", b"\xff"):
        raise MalformedEndorsement(_WHAT, f"element {last}: not a boolean")
    return content != b"\x00"

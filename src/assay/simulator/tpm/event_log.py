"""Event logs of measured boots, with any record chosen, and the PCRs that a TPM would have after them."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from assay.simulator.tpm.structures import SHA1, SHA256, SHA384, SHA512

# TCG PC Client profile 10.4.1.
NO_ACTION, SEPARATOR, EVENT_TAG, S_CRTM_VERSION, COMPACT_HASH, IPL = 0x3, 0x4, 0x6, 0x8, 0xC, 0xD
VARIABLE_DRIVER_CONFIG, VARIABLE_BOOT, BOOT_APPLICATION = 0x80000001, 0x80000002, 0x80000003
EFI_ACTION, VARIABLE_AUTHORITY = 0x80000007, 0x800000E0

NO_PCR: Final = 0xFFFFFFFF
GLOBAL_VARIABLE: Final = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
SECURITY_DATABASE: Final = "d719b2cb-3d3a-4596-a3bc-dad00e67656f"
X509_SIGNATURE: Final = "a5c059a1-94e4-4aa7-87b5-ab155c2bf072"
SHA256_SIGNATURE: Final = "c1c41626-504c-4092-aca9-41f936934328"

_HASHES: Final = {SHA1: "sha1", SHA256: "sha256", SHA384: "sha384", SHA512: "sha512"}
_DYNAMIC: Final = range(17, 23)


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """One record: its digests are of `measured`, or of `data` where that is None, in `banks` or in all hashes."""

    pcr: int
    kind: int
    data: bytes
    measured: bytes | None = None
    banks: tuple[int, ...] | None = None

    def digests(self, algorithms: Sequence[int]) -> dict[int, bytes]:
        # Every event is measured into one bank at least, as by a Windows whose TPM has no SHA-256.
        chosen = [one for one in algorithms if self.banks is None or one in self.banks] or list(algorithms)
        content = self.data if self.measured is None else self.measured
        if self.kind == NO_ACTION:
            return {one: bytes(_new(one).digest_size) for one in chosen}
        return {one: _new(one, content).digest() for one in chosen}


@dataclass(frozen=True, slots=True)
class LogForm:
    """How a log is written: its hashes (SHA-1 alone and not `agile` is the old form), and every odd thing about it."""

    algorithms: tuple[int, ...] = (SHA1, SHA256)
    agile: bool = True
    header_index: int = 0
    locality: int | None = None
    padding: bytes = b""
    vendor: bytes = b""
    # Digests that stand in the log in place of the true ones, by the event's place and the hash.
    forged: Mapping[tuple[int, int], bytes] = field(default_factory=dict)


FORM: Final = LogForm()
LEGACY: Final = LogForm((SHA1,), agile=False)
CC: Final = LogForm((SHA384,), header_index=1)


def _new(algorithm: int, content: bytes = b"") -> hashlib._Hash:
    return hashlib.new(_HASHES[algorithm], content, usedforsecurity=algorithm != SHA1)


def encode_log(events: Sequence[LoggedEvent], form: LogForm = FORM) -> bytes:
    """The log; forged digests are counted from the first of `events`."""
    records = [_agile_header(form)] if form.agile else []
    if form.locality is not None:
        start = LoggedEvent(0, NO_ACTION, b"StartupLocality\0" + bytes((form.locality,)))
        records.append(_record(start, start.digests(form.algorithms), form))
    for place, event in enumerate(events):
        digests = event.digests(form.algorithms)
        digests.update({hash_: digest for (where, hash_), digest in form.forged.items() if where == place})
        records.append(_record(event, digests, form))
    return b"".join(records) + form.padding


def _agile_header(form: LogForm) -> bytes:
    sizes = b"".join(struct.pack("<HH", one, _new(one).digest_size) for one in form.algorithms)
    data = b"Spec ID Event03\0" + struct.pack("<IBBBBI", 0, 0, 2, 0, 2, len(form.algorithms)) + sizes
    data += bytes((len(form.vendor),)) + form.vendor
    return struct.pack("<II20sI", form.header_index, NO_ACTION, bytes(20), len(data)) + data


def _record(event: LoggedEvent, digests: Mapping[int, bytes], form: LogForm) -> bytes:
    if form.agile:
        listed = b"".join(struct.pack("<H", one) + digest for one, digest in digests.items())
        head = struct.pack("<III", event.pcr, event.kind, len(digests)) + listed
    else:
        head = struct.pack("<II", event.pcr, event.kind) + digests[SHA1]
    return head + struct.pack("<I", len(event.data)) + event.data


def pcr_values(events: Sequence[LoggedEvent], form: LogForm = FORM) -> dict[int, dict[int, bytes]]:
    """All 24 PCRs of each bank, by hash, of a TPM that was extended with the events."""
    return {one: _bank(events, one, form) for one in form.algorithms}


def _bank(events: Sequence[LoggedEvent], algorithm: int, form: LogForm) -> dict[int, bytes]:
    size = _new(algorithm).digest_size
    is_dynamic = any(event.pcr in _DYNAMIC for event in events)
    values = {pcr: (b"\xff" if pcr in _DYNAMIC and not is_dynamic else b"\0") * size for pcr in range(24)}
    values[0] = (form.locality or 0).to_bytes(size, "big")
    for event in events:
        digest = event.digests(form.algorithms).get(algorithm)
        if digest is not None and event.kind != NO_ACTION and event.pcr != NO_PCR:
            values[event.pcr] = _new(algorithm, values[event.pcr] + digest).digest()
    return values


def _guid(text: str) -> bytes:
    first, second, third, fourth, fifth = (bytes.fromhex(part) for part in text.split("-"))
    return first[::-1] + second[::-1] + third[::-1] + fourth + fifth


def variable_data(name: str, content: bytes, guid: str = GLOBAL_VARIABLE) -> bytes:
    """UEFI_VARIABLE_DATA."""
    return _guid(guid) + struct.pack("<QQ", len(name), len(content)) + name.encode("utf-16-le") + content


def variable(name: str, content: bytes, guid: str = GLOBAL_VARIABLE) -> LoggedEvent:
    """A variable of the secure boot policy."""
    return LoggedEvent(7, VARIABLE_DRIVER_CONFIG, variable_data(name, content, guid))


def signature_list(
    *entries: bytes, kind: str = X509_SIGNATURE, owner: str = GLOBAL_VARIABLE, header: bytes = b""
) -> bytes:
    """An EFI_SIGNATURE_LIST of entries that all have one size."""
    size = 16 + len(entries[0]) if entries else 16
    whole = 28 + len(header) + size * len(entries)
    listed = b"".join(_guid(owner) + entry for entry in entries)
    return _guid(kind) + struct.pack("<III", whole, len(header), size) + header + listed


def separator(pcr: int, content: bytes = bytes(4), banks: tuple[int, ...] | None = None) -> LoggedEvent:
    return LoggedEvent(pcr, SEPARATOR, content, banks=banks)


def tagged(tag: int, value: bytes) -> bytes:
    """One tag of Windows."""
    return struct.pack("<II", tag, len(value)) + value


def boundary(pcr: int, *members: bytes, banks: tuple[int, ...] | None = None) -> LoggedEvent:
    """A trust boundary that Windows measured."""
    return LoggedEvent(pcr, EVENT_TAG, tagged(0x40010001, b"".join(members)), banks=banks)


def with_data(event: LoggedEvent, data: bytes) -> LoggedEvent:
    """The event with other data under the digest it had."""
    return replace(event, data=data, measured=event.data if event.measured is None else event.measured)

"""The log of a measured boot, as TCG's PC Client profile lays it out: crypto-agile, SHA-1 only, or a CC event log.

What is parsed here is a claim of the sender: `replay` compares it with PCRs, `measured` says what may be believed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Final, NamedTuple

from assay import limits
from assay.errors import LimitExceeded, MalformedEvidence, UnsupportedEvidence
from assay.evidence._tcg.algorithms import HashAlgorithm
from assay.evidence._tcg.event_types import NO_ACTION
from assay.evidence._tcg.pcrs import PCR_COUNT
from assay.formats.reader import Reader

_WHAT: Final = "event log"
_SPEC_ID: Final = b"Spec ID Event03\0"
_STARTUP_LOCALITY: Final = b"StartupLocality\0"
# PC Client profile 10.4.5.3: TPM2_Startup at locality 0 or 3, or an H-CRTM before it.
_LOCALITIES: Final = (0, 3, 4)
# Windows' trust point, a quote over the log, stands behind the last event under no PCR (tpm-and-guest 5.1).
_NO_PCR: Final = 0xFFFFFFFF
# CC event logs (ACPI CCEL): 0 is MRTD, which nothing extends, 1 to 4 are RTMR 0 to 3.
_CC_REGISTERS: Final = 5
_LEGACY_DIGEST: Final = 20
_BLANK: Final = (b"\x00", b"\xff")


class LogForm(Enum):
    """How the records of a log are laid out, and what their index means."""

    CRYPTO_AGILE = "crypto-agile"
    LEGACY = "SHA-1"
    CC = "confidential computing"


class Event(NamedTuple):
    """One record: its place in the log, PCR (or measurement register), type, digests by TPM_ALG_ID, and data."""

    sequence: int
    pcr: int
    kind: int
    digests: Mapping[int, bytes]
    data: bytes

    @property
    def is_extended(self) -> bool:
        """Whether a PCR was extended with it: EV_NO_ACTION never is, whatever it says (attack case TPM-15)."""
        return self.kind != NO_ACTION and self.pcr != _NO_PCR


class EventLog(NamedTuple):
    """A parsed log: its hashes as TPM_ALG_ID, its events in order, the locality at which the TPM was started."""

    form: LogForm
    algorithms: tuple[int, ...]
    events: tuple[Event, ...]
    startup_locality: int


def parse_event_log(octets: bytes) -> EventLog:
    """A TPM's log, in either form; zeros or ones after the last event are no events.

    Raises `MalformedEvidence`, `LimitExceeded`, and `UnsupportedEvidence` for a CC event log.
    """
    return _Parser(octets, is_cc=False).log()


def parse_cc_event_log(octets: bytes) -> EventLog:
    """A CC event log (CCEL), whose indices are measurement registers; raises as `parse_event_log` does."""
    return _Parser(octets, is_cc=True).log()


def join_event_logs(logs: Iterable[EventLog]) -> EventLog:
    """Logs of one boot, one after the other, numbered through (claims 7.2); raises `MalformedEvidence` for none.

    The locality is the first log's: a later one begins no boot.
    """
    parts = tuple(logs)
    if not parts:
        raise MalformedEvidence(_WHAT, "there is no log")
    if len(parts) == 1:
        return parts[0]
    events = [event for log in parts for event in log.events]
    numbered = tuple(event._replace(sequence=place) for place, event in enumerate(events))
    algorithms = tuple(dict.fromkeys(algorithm for log in parts for algorithm in log.algorithms))
    return EventLog(parts[0].form, algorithms, numbered, parts[0].startup_locality)


class _Parser:
    """One pass over a log: header, records until the padding, startup locality."""

    __slots__ = ("_blank_from", "_indices", "_is_cc", "_reader", "_sizes")

    def __init__(self, octets: bytes, *, is_cc: bool) -> None:
        if len(octets) > limits.EVENT_LOG:
            raise LimitExceeded("event log, octets", limit=limits.EVENT_LOG, found=len(octets))
        self._reader = Reader(octets, _WHAT, MalformedEvidence)
        self._blank_from = min(len(octets.rstrip(blank)) for blank in _BLANK)
        if not self._blank_from:
            raise MalformedEvidence(_WHAT, "there is no event", offset=0)
        self._is_cc, self._indices = is_cc, _CC_REGISTERS if is_cc else PCR_COUNT
        self._sizes: dict[int, int] = {}

    def log(self) -> EventLog:
        header = self._legacy_record(0)
        if header.kind == NO_ACTION and header.data.startswith(_SPEC_ID):
            self._require_header_index(header.pcr)
            self._sizes = _parse_spec_id(header.data)
            form = LogForm.CC if self._is_cc else LogForm.CRYPTO_AGILE
        elif self._is_cc:
            raise MalformedEvidence(_WHAT, "a CC event log begins with a Spec ID event", offset=0)
        else:
            form = LogForm.LEGACY
        events = [header]
        record = self._legacy_record if form is LogForm.LEGACY else self._agile_record
        while self._reader.remaining and self._reader.offset < self._blank_from:
            if len(events) == limits.EVENT_LOG_EVENTS:
                raise LimitExceeded("events of a log", limit=limits.EVENT_LOG_EVENTS)
            events.append(record(len(events)))
        algorithms = tuple(self._sizes) or (int(HashAlgorithm.SHA1),)
        return EventLog(form, algorithms, tuple(events), _startup_locality(events))

    def _require_header_index(self, index: int) -> None:
        if self._is_cc and index != 1:
            raise MalformedEvidence(_WHAT, f"the Spec ID event of a CC event log has index {index}, not 1", offset=0)
        if not self._is_cc and index != 0:
            raise UnsupportedEvidence(
                _WHAT, f"the Spec ID event has index {index}: no log of a TPM", code="NoTpmEventLog", offset=0
            )

    def _legacy_record(self, sequence: int) -> Event:
        reader = self._reader
        pcr, kind = self._index(), reader.u32("event type")
        digest = reader.take(_LEGACY_DIGEST, "SHA-1 digest")
        data = reader.take(reader.u32("event size"), "event data")
        return Event(sequence, pcr, kind, {HashAlgorithm.SHA1: digest}, data)

    def _agile_record(self, sequence: int) -> Event:
        reader = self._reader
        pcr, kind, count = self._index(), reader.u32("event type"), reader.u32("number of digests")
        if not 1 <= count <= limits.EVENT_DIGESTS:
            raise MalformedEvidence(_WHAT, f"{count} digests of one event", offset=reader.offset - 4)
        digests: dict[int, bytes] = {}
        for _ in range(count):
            algorithm = reader.u16("hash of a digest")
            size = self._sizes.get(algorithm)
            if size is None or algorithm in digests:
                problem = "is not announced by the log" if size is None else "occurs twice in one event"
                raise MalformedEvidence(_WHAT, f"hash {algorithm:#06x} {problem}", offset=reader.offset - 2)
            digests[algorithm] = reader.take(size, "digest")
        data = reader.take(reader.u32("event size"), "event data")
        return Event(sequence, pcr, kind, digests, data)

    def _index(self) -> int:
        index = self._reader.u32("PCR index")
        if index >= self._indices and (self._is_cc or index != _NO_PCR):
            what = "measurement register" if self._is_cc else "PCR"
            raise MalformedEvidence(_WHAT, f"there is no {what} {index}", offset=self._reader.offset - 4)
        return index


def _parse_spec_id(data: bytes) -> dict[int, int]:
    """TCG_EfiSpecIDEvent: the digest size of each hash of the log."""
    reader = Reader(data, "Spec ID event", MalformedEvidence)
    reader.take(len(_SPEC_ID) + 4 + 4, "signature, platform class, versions")
    count = reader.u32("number of hashes")
    if not 1 <= count <= limits.EVENT_DIGESTS:
        raise MalformedEvidence("Spec ID event", f"{count} hashes", offset=reader.offset - 4)
    sizes: dict[int, int] = {}
    for _ in range(count):
        algorithm, size = reader.u16("hash"), reader.u16("digest size")
        if algorithm in sizes:
            raise MalformedEvidence("Spec ID event", f"hash {algorithm:#06x} occurs twice")
        if algorithm in _KNOWN_SIZES and size != _KNOWN_SIZES[algorithm]:
            raise MalformedEvidence("Spec ID event", f"{size} octets for a digest of hash {algorithm:#06x}")
        sizes[algorithm] = size
    reader.take(reader.u8("vendor information size"), "vendor information")
    reader.finish()
    return sizes


_KNOWN_SIZES: Final = {int(algorithm): algorithm.digest_size for algorithm in HashAlgorithm}


def _startup_locality(events: list[Event]) -> int:
    """PC Client profile 10.4.5.3: stated at most once, of PCR 0, before anything was extended."""
    locality, has_begun, is_stated = 0, False, False
    for event in events:
        has_begun = has_begun or event.is_extended
        if event.kind != NO_ACTION or not event.data.startswith(_STARTUP_LOCALITY):
            continue
        stated = event.data[len(_STARTUP_LOCALITY) :]
        if has_begun or is_stated or event.pcr != 0 or len(stated) != 1 or stated[0] not in _LOCALITIES:
            raise MalformedEvidence(_WHAT, f"event {event.sequence} states a startup locality where none can be")
        locality, is_stated = stated[0], True
    return locality

"""What of a log may be believed, once its replay gave the quoted PCRs (tpm-and-guest 5.2, 6).

A replay proves digests. Data is proven where its hash is the digest; the type of an event is proven by nothing (attack
case TPM-13), so that separators are known by their digests and tagged events by their data.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from typing import Final, NamedTuple

from assay.errors import LimitExceeded, MalformedEvidence
from assay.evidence._tcg import event_types as types
from assay.evidence._tcg.algorithms import STRONG_HASHES, HashAlgorithm
from assay.evidence._tcg.efi import EfiVariable, parse_variable
from assay.evidence._tcg.event_log import Event, EventLog, LogForm
from assay.evidence._tcg.pcrs import PcrBank
from assay.evidence._tcg.sipa import TAGGED_PCRS, Tagged, parse_if_tagged

# PCRs of the firmware: each ends with one separator of four zeros (PC Client profile 3.3.2.2). A TD measures its
# secure boot policy into RTMR 0 (UEFI 2.10, 38.4.1), which has as many separators as PCRs go into it.
_FIRMWARE: Final = {LogForm.CRYPTO_AGILE: range(8), LogForm.LEGACY: range(8), LogForm.CC: range(1, 2)}
SECURE_BOOT_PCR: Final = 7
SECURE_BOOT_RTMR_INDEX: Final = 1
# PC Client profile 3.3.4.2; RTMR 0 has the same number in CC event logs.
_BOOT_VARIABLES: Final = 1
_READY: Final = bytes(4)
# Besides: an error, and what Windows' loader writes. The other error value, 1, is known by its event's type only: it is
# the boot order of many machines, too.
_SEPARATORS: Final = (_READY, b"\xff" * 4, b"WBCL")
_HASHES: Final = (HashAlgorithm.SHA1, *sorted(STRONG_HASHES))
_SEPARATOR_OF: Final = {
    (int(algorithm), algorithm.digest(content)): content for algorithm in _HASHES for content in _SEPARATORS
}
_VARIABLES: Final = frozenset(
    (
        types.EFI_VARIABLE_DRIVER_CONFIG,
        types.EFI_VARIABLE_BOOT,
        types.EFI_VARIABLE_BOOT2,
        types.EFI_VARIABLE_AUTHORITY,
    )
)


class Standing(Enum):
    """Whether the data of an event may be believed, or why not."""

    COVERED = "covered by its digest"
    NOT_COVERED = "not covered by its digest"
    NOT_QUOTED = "in no accepted bank of the quote"
    NOT_EXTENDED = "extended into no PCR"
    AFTER_SEPARATOR = "after the separator of its PCR"
    PCR_REFUSED = "in a PCR without one separator of zeros"


class MeasuredEvent(NamedTuple):
    """An event with what is proven of it: `kind` as its data and digest show, `content` None unless COVERED.

    `variable` and `tagged` are the content where it is one.
    """

    event: Event
    kind: int
    standing: Standing
    content: bytes | None = None
    variable: EfiVariable | None = None
    tagged: tuple[Tagged, ...] | None = None


class MeasuredLog(NamedTuple):
    """The events of a log in order, none left out."""

    events: tuple[MeasuredEvent, ...]

    def tagged(self, *pcrs: int) -> Iterator[Tagged]:
        """What Windows measured into some PCRs before it ended them, in order."""
        for measured in self.events:
            if measured.tagged is not None and measured.event.pcr in pcrs:
                yield from measured.tagged

    def variables(self, pcr: int) -> tuple[EfiVariable, ...]:
        """The configuration variables measured into a PCR before its separator, in order."""
        return tuple(
            measured.variable
            for measured in self.events
            if measured.kind == types.EFI_VARIABLE_DRIVER_CONFIG
            and measured.event.pcr == pcr
            and measured.variable is not None
        )

    def hides(self, *pcrs: int) -> bool:
        """Whether some PCRs were extended, before their separator, with what the log does not show."""
        return any(one.standing is Standing.NOT_COVERED and one.event.pcr in pcrs for one in self.events)


def measure(log: EventLog, accepted: Iterable[PcrBank]) -> MeasuredLog:
    """What of a log is proven by quoted banks whose every value it replays to, and that the caller accepts.

    A PCR that no such bank has proves nothing (attack case TPM-17).
    """
    reading = _Reading(log, tuple(accepted))
    return MeasuredLog(tuple(reading.of(event) for event in log.events))


def measure_cc(log: EventLog, rtmrs: Sequence[bytes]) -> MeasuredLog:
    """What of a CC event log is proven by the RTMRs of a verified quote, to which `replay_rtmrs` gave the log.

    The registers are numbered as in the log: 1 to 4.
    """
    return measure(log, (PcrBank(HashAlgorithm.SHA384, dict(enumerate(rtmrs, start=1))),))


class _Reading:
    """One pass over a log: which PCRs have ended, and which give no claims at all."""

    __slots__ = ("_banks", "_ended", "_refused", "_secure_boot")

    def __init__(self, log: EventLog, banks: tuple[PcrBank, ...]) -> None:
        # The strongest first: the first that has a digest decides whether data is covered, no other may differ.
        self._banks = sorted(banks, key=lambda bank: bank.algorithm, reverse=True)
        self._ended: set[int] = set()
        self._secure_boot = SECURE_BOOT_RTMR_INDEX if log.form is LogForm.CC else SECURE_BOOT_PCR
        self._refused = self._without_separator(log)

    def _without_separator(self, log: EventLog) -> frozenset[int]:
        """The PCRs of the firmware that have not exactly the separator they must have (attack case TPM-19)."""
        ends: dict[int, set[bytes]] = {pcr: set() for pcr in _FIRMWARE[log.form]}
        for event in log.events:
            if event.pcr in ends and event.is_extended:
                content = self._separator(event)
                ends[event.pcr].update(() if content is None else (content,))
        return frozenset(pcr for pcr, found in ends.items() if found != {_READY})

    def of(self, event: Event) -> MeasuredEvent:
        if not event.is_extended:
            return MeasuredEvent(event, event.kind, Standing.NOT_EXTENDED)
        if not any(True for _ in self._digests(event)):
            return MeasuredEvent(event, event.kind, Standing.NOT_QUOTED)
        separator = self._separator(event)
        if separator is not None:
            self._ended.add(event.pcr)
            return MeasuredEvent(event, types.SEPARATOR, Standing.COVERED, separator)
        if event.pcr in self._ended:
            return MeasuredEvent(event, event.kind, Standing.AFTER_SEPARATOR)
        if event.pcr in self._refused:
            return MeasuredEvent(event, event.kind, Standing.PCR_REFUSED)
        return self._covered(event)

    def _covered(self, event: Event) -> MeasuredEvent:
        is_covered = self._covers(event, event.data)
        if event.pcr in TAGGED_PCRS:
            tagged = parse_if_tagged(event.data) if is_covered else None
            if tagged is not None:
                return MeasuredEvent(event, types.EVENT_TAG, Standing.COVERED, event.data, None, tagged)
        variable = self._variable(event)
        if variable is not None and (is_covered or self._covers_content(event, variable)):
            kind = event.kind if event.kind in _VARIABLES else types.EFI_VARIABLE_DRIVER_CONFIG
            return MeasuredEvent(event, kind, Standing.COVERED, event.data, variable)
        content = event.data if is_covered else self._command(event)
        standing = Standing.NOT_COVERED if content is None else Standing.COVERED
        return MeasuredEvent(event, event.kind, standing, content)

    def _command(self, event: Event) -> bytes | None:
        """What of a boot loader's text its digest covers: grub measures it without prefix and ending zero.

        Not where claims come from: behind a prefix, what is read there would not be recognised.
        """
        if event.kind != types.IPL or event.pcr == self._secure_boot or event.pcr in TAGGED_PCRS:
            return None
        text = event.data.rstrip(b"\0")
        return next((one for one in (text, text.partition(b": ")[2]) if self._covers(event, one)), None)

    def _covers_content(self, event: Event, variable: EfiVariable) -> bool:
        """Boot variables are often measured without their names (tpm-and-guest 5.2).

        Where they are measured only: elsewhere it would turn the data of other events into a variable's content.
        """
        is_boot_variable = event.kind == types.EFI_VARIABLE_BOOT and event.pcr == _BOOT_VARIABLES
        return is_boot_variable and self._covers(event, variable.content)

    def _covers(self, event: Event, content: bytes) -> bool:
        digests = tuple(self._digests(event))
        return bool(digests) and all(
            hmac.compare_digest(algorithm.digest(content), digest) for algorithm, digest in digests
        )

    def _digests(self, event: Event) -> Iterator[tuple[HashAlgorithm, bytes]]:
        for bank in self._banks:
            digest = event.digests.get(bank.algorithm)
            if digest is not None and event.pcr in bank.values:
                yield bank.algorithm, digest

    def _separator(self, event: Event) -> bytes | None:
        """The content of a separator, by its digest whatever the log says; None for other events."""
        for algorithm, digest in self._digests(event):
            known = _SEPARATOR_OF.get((int(algorithm), digest))
            if known is not None:
                return known
        if event.kind != types.SEPARATOR or parse_if_tagged(event.data) or self._variable(event):
            return None
        return event.data if self._covers(event, event.data) else None

    def _variable(self, event: Event) -> EfiVariable | None:
        """The variable that an event's data is: said by its type, or where secure boot is measured by its form."""
        if event.kind not in _VARIABLES and event.pcr != self._secure_boot:
            return None
        try:
            return parse_variable(event.data)
        except (MalformedEvidence, LimitExceeded):
            return None

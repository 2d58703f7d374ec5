"""PCRs as a log says they became, for comparison with what a TPM quoted (tpm-and-guest 5.1, 6)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from assay.errors import UnsupportedEvidence
from assay.evidence._tcg.algorithms import HashAlgorithm
from assay.evidence._tcg.event_log import EventLog, LogForm
from assay.evidence._tcg.pcrs import PCR_COUNT, PcrBank
from assay.verdict import Mismatch, Seen

# PCRs of a dynamic launch: all ones until one happens, which resets them (PC Client profile 4.6).
_DYNAMIC: Final = range(17, 23)
# Extending a PCR is hashing: bound once, since a log does it hundreds of times.
_EXTENSIONS: Final[dict[HashAlgorithm, Callable[[bytes], bytes]]] = {
    HashAlgorithm.SHA1: lambda octets: hashlib.sha1(octets, usedforsecurity=False).digest(),
    HashAlgorithm.SHA256: lambda octets: hashlib.sha256(octets).digest(),
    HashAlgorithm.SHA384: lambda octets: hashlib.sha384(octets).digest(),
    HashAlgorithm.SHA512: lambda octets: hashlib.sha512(octets).digest(),
}
# TDX module: RTMR 0 to 3; index 0 of a CC event log is MRTD, which events do not extend.
_RTMRS: Final = 4


class Difference(NamedTuple):
    """A quoted PCR whose value is not what the log gives."""

    algorithm: HashAlgorithm
    pcr: int
    quoted: bytes
    replayed: bytes


def replay(log: EventLog, algorithm: HashAlgorithm) -> PcrBank:
    """All 24 PCRs of a bank after the log, those without events at their initial value.

    An event without a digest for the bank was not extended in it. Raises `UnsupportedEvidence` for SM3.
    """
    size = algorithm.digest_size
    values = dict.fromkeys(range(PCR_COUNT), bytes(size))
    if not any(event.is_extended and event.pcr in _DYNAMIC for event in log.events):
        values.update(dict.fromkeys(_DYNAMIC, b"\xff" * size))
    values[0] = bytes(size - 1) + bytes((log.startup_locality,))
    _extend_all(values, log, algorithm)
    return PcrBank(algorithm, values)


def replay_rtmrs(log: EventLog) -> tuple[bytes, bytes, bytes, bytes]:
    """RTMR 0 to 3 after a CC event log; raises `UnsupportedEvidence` for a log of a TPM."""
    if log.form is not LogForm.CC:
        raise UnsupportedEvidence("event log", "a TPM's log says nothing about RTMRs", code="NoCcEventLog")
    values = dict.fromkeys(range(_RTMRS + 1), bytes(HashAlgorithm.SHA384.digest_size))
    _extend_all(values, log, HashAlgorithm.SHA384)
    return values[1], values[2], values[3], values[4]


def _extend_all(values: dict[int, bytes], log: EventLog, algorithm: HashAlgorithm) -> None:
    extension = _EXTENSIONS.get(algorithm)
    if extension is None:
        raise UnsupportedEvidence(
            "PCR bank", f"{algorithm.label} is not computed here", code="UnsupportedHashAlgorithm"
        )
    for event in log.events:
        digest = event.digests.get(algorithm)
        if digest is not None and event.is_extended:
            values[event.pcr] = extension(values[event.pcr] + digest)


def differences(log: EventLog, quoted: Iterable[PcrBank]) -> tuple[Difference, ...]:
    """Every quoted PCR, of every bank, that the log does not give: those without events among them (TPM-18)."""
    return tuple(
        Difference(bank.algorithm, pcr, value, replayed)
        for bank in quoted
        for replays in (replay(log, bank.algorithm).values,)
        for pcr, value in sorted(bank.values.items())
        for replayed in (replays[pcr],)
        if value != replayed
    )


def seen_replay(log: EventLog, quoted: Iterable[PcrBank]) -> Seen:
    """The test of a check: the log gives every quoted PCR; raises `Mismatch`, also when nothing was quoted."""
    banks = tuple(quoted)
    if not any(bank.values for bank in banks):
        raise Mismatch("no quoted PCR", _REPLAYED)
    found = differences(log, banks)
    if found:
        names = tuple(f"{one.algorithm.label} PCR {one.pcr}: quoted {one.quoted.hex()}" for one in found)
        raise Mismatch(names, tuple(f"{one.algorithm.label} PCR {one.pcr}: {one.replayed.hex()}" for one in found))
    return Seen(tuple(f"{len(bank.values)} PCRs of {bank.algorithm.label}" for bank in banks), _REPLAYED)


_REPLAYED: Final = "every quoted PCR as the log gives it"

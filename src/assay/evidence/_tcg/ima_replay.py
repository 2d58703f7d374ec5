"""What of an IMA list is proven by PCR 10, and what it says to policies (tpm-and-guest 7)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from assay.errors import LimitExceeded, MalformedEndorsement
from assay.evidence._tcg.algorithms import HashAlgorithm
from assay.evidence._tcg.event_log import EventLog
from assay.evidence._tcg.ima import IMA_PCR, ImaEntry
from assay.evidence._tcg.pcrs import PcrBank
from assay.evidence._tcg.replay import replay, seen_replay
from assay.pki.certificate import parse_certificate
from assay.pki.names import read_name
from assay.verdict import Mismatch, Seen

if TYPE_CHECKING:
    from assay.formats.strict_json import JsonValue

IMA_EVENT: Final = "IMA_MEASUREMENT_EVENT"
IMA_VIOLATIONS: Final = "imaViolations"
_BOOT_AGGREGATE: Final = "boot_aggregate"
# Linux, ima_crypto.c: PCR 0 to 7; since 5.8 also 8 and 9, of the boot loader.
_AGGREGATED: Final = (8, 10)
_SHA1_SIZE: Final = 20


class ImaProof(NamedTuple):
    """The entries up to the quoted PCR 10: later ones prove nothing, nor does the data of a violation."""

    entries: tuple[ImaEntry, ...]
    is_aggregate_checked: bool

    @property
    def violations(self) -> int:
        return sum(entry.is_violation for entry in self.entries)


def _own_hash(algorithm: HashAlgorithm) -> Callable[[ImaEntry], bytes]:
    """Linux since 5.8: each bank with its own hash of the template data."""
    return lambda entry: b"\xff" * algorithm.digest_size if entry.is_violation else algorithm.digest(entry.content)


def _padded_hash(algorithm: HashAlgorithm) -> Callable[[ImaEntry], bytes]:
    """Linux before: the template hash, a SHA-1, with zeros behind it."""
    size = algorithm.digest_size
    return lambda entry: (b"\xff" * _SHA1_SIZE if entry.is_violation else entry.template_hash).ljust(size, b"\0")


def seen_ima(log: EventLog, entries: Sequence[ImaEntry], quoted: Iterable[PcrBank]) -> Seen:
    """The test of a check: the log gives every quoted PCR but 10, and the list gives PCR 10.

    Raises `Mismatch`.
    """
    banks = tuple(quoted)
    others = (
        PcrBank(bank.algorithm, {pcr: bank.values[pcr] for pcr in bank.values if pcr != IMA_PCR}) for bank in banks
    )
    seen = seen_replay(log, others)
    proof = prove_ima(log, entries, banks)
    return Seen((*_texts(seen.observed), f"{len(proof.entries)} of {len(entries)} IMA entries"), seen.expected)


def _texts(observed: object) -> tuple[str, ...]:
    return tuple(map(str, observed)) if isinstance(observed, tuple) else (str(observed),)


def prove_ima(log: EventLog, entries: Sequence[ImaEntry], quoted: Iterable[PcrBank]) -> ImaProof:
    """The entries that lead from the log's PCR 10 to the quoted one, in every bank that has it.

    Raises `Mismatch`: no such place, another place in another bank, a template hash that is none, a boot aggregate
    of other PCRs.
    """
    banks = [bank for bank in quoted if IMA_PCR in bank.values]
    if not banks:
        raise Mismatch(f"PCR {IMA_PCR} is not quoted", _QUOTED)
    places = {_place(log, entries, bank) for bank in banks}
    if len(places) != 1 or None in places:
        raise Mismatch("no entry after which all banks are as quoted", _QUOTED)
    proven = tuple(entries[: max(place for place in places if place is not None)])
    for number, entry in enumerate(proven):
        if (
            not entry.is_violation
            and hashlib.sha1(entry.content, usedforsecurity=False).digest() != entry.template_hash
        ):
            raise Mismatch(f"entry {number} has another template hash than its data", "the SHA-1 of the template data")
    return ImaProof(proven, _is_aggregate_checked(proven, banks))


_QUOTED: Final = f"a list that leads to the quoted PCR {IMA_PCR}"


def _place(log: EventLog, entries: Sequence[ImaEntry], bank: PcrBank) -> int | None:
    """After how many entries the bank's PCR 10 is as quoted; one way of extending for the whole list."""
    start, wanted = replay(log, bank.algorithm).values[IMA_PCR], bank.values[IMA_PCR]
    for measured in (_own_hash(bank.algorithm), _padded_hash(bank.algorithm)):
        value = start
        for place in range(len(entries) + 1):
            if hmac.compare_digest(value, wanted):
                return place
            if place < len(entries):
                value = bank.algorithm.digest(value + measured(entries[place]))
    return None


def _is_aggregate_checked(proven: Sequence[ImaEntry], banks: Iterable[PcrBank]) -> bool:
    """The first entry is the hash of the boot's PCRs, where those of its bank are quoted."""
    if not proven or proven[0].is_violation or proven[0].path != _BOOT_AGGREGATE:
        return False
    name, _, digest = proven[0].file_hash.rpartition(":")
    for bank in banks:
        if bank.algorithm.label.lower() == name:
            expected = {_aggregate(bank, count).hex() for count in _AGGREGATED if _has(bank, count)}
            if expected and digest not in expected:
                raise Mismatch(f"boot aggregate {digest}", tuple(sorted(expected)))
            return bool(expected)
    return False


def _has(bank: PcrBank, count: int) -> bool:
    return all(pcr in bank.values for pcr in range(count))


def _aggregate(bank: PcrBank, count: int) -> bytes:
    return bank.algorithm.digest(b"".join(bank.values[pcr] for pcr in range(count)))


def describe_ima(proof: ImaProof) -> Iterator[dict[str, JsonValue]]:
    """Proven entries as events, without their numbers, for `events_claim`."""
    for entry in proof.entries:
        processed = {} if entry.is_violation else _processed(entry)
        yield {"PcrIndex": IMA_PCR, "EventTypeString": IMA_EVENT, "ProcessedData": processed}


def _processed(entry: ImaEntry) -> dict[str, JsonValue]:
    content = entry.buffer
    if content is None:
        return {"FilePath": entry.path, "FileHash": entry.file_hash}
    if not _is_hash_of(entry.file_hash, content):
        return {}
    if entry.path == "kernel_version":
        return {"KernelVersion": content.rstrip(b"\0\n").decode("utf-8", "replace")}
    return {"Keyring": entry.path, **_subject(content)}


def _is_hash_of(file_hash: str, content: bytes) -> bool:
    name, _, digest = file_hash.rpartition(":")
    known = {algorithm.label.lower(): algorithm for algorithm in HashAlgorithm if algorithm.is_strong}
    known["sha1"] = HashAlgorithm.SHA1
    return name in known and known[name].digest(content).hex() == digest


def _subject(content: bytes) -> dict[str, JsonValue]:
    """The subject of a key's certificate; a buffer that is none has no subject."""
    try:
        return {"CertificateSubject": read_name(parse_certificate(content).subject).text}
    except (MalformedEndorsement, LimitExceeded):
        return {}

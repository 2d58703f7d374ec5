"""PCR banks and selections, and the digest of what a selection chooses (TPM 2.0 library, part 2, 10.6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from assay import limits
from assay.errors import LimitExceeded, MalformedEvidence
from assay.evidence._tcg.algorithms import HashAlgorithm, hash_algorithm
from assay.formats.reader import BigEndianReader

PCR_COUNT: Final = 24
_WHAT: Final = "PCR selection"


class PcrBank(NamedTuple):
    """The values of one bank by PCR index: each as long as the bank's digest, each index below 24."""

    algorithm: HashAlgorithm
    values: Mapping[int, bytes]


class PcrSelection(NamedTuple):
    """Which PCRs of one bank were chosen, ascending."""

    algorithm: HashAlgorithm
    indices: tuple[int, ...]


def pcr_bank(algorithm: HashAlgorithm, values: Sequence[tuple[int, bytes]]) -> PcrBank:
    """A bank of (index, value) pairs.

    Raises `MalformedEvidence` for an index that repeats or no PCR has, and for a value of another length.
    """
    bank: dict[int, bytes] = {}
    for index, value in values:
        if not 0 <= index < PCR_COUNT:
            raise MalformedEvidence("PCR bank", f"PCR {index}: the last is {PCR_COUNT - 1}")
        if index in bank:
            raise MalformedEvidence("PCR bank", f"PCR {index} occurs twice in {algorithm.label}")
        if len(value) != algorithm.digest_size:
            size = algorithm.digest_size
            raise MalformedEvidence("PCR bank", f"PCR {index}: {len(value)} octets, {algorithm.label} has {size}")
        bank[index] = value
    return PcrBank(algorithm, bank)


def parse_selections(reader: BigEndianReader) -> tuple[PcrSelection, ...]:
    """A TPML_PCR_SELECTION: one entry for each bank, none twice, so that the order of the composite is unambiguous.

    Raises `MalformedEvidence` (a bank twice, an unknown hash, a PCR above 23) and `LimitExceeded`.
    """
    count = reader.u32("number of PCR banks")
    if count > limits.PCR_BANKS:
        raise LimitExceeded("PCR banks of a selection", limit=limits.PCR_BANKS, found=count)
    selections: list[PcrSelection] = []
    for _ in range(count):
        algorithm = hash_algorithm(reader.u16("hash of the bank"), _WHAT)
        if any(selection.algorithm is algorithm for selection in selections):
            raise MalformedEvidence(_WHAT, f"the bank {algorithm.label} occurs twice")
        bitmap = int.from_bytes(reader.take(reader.u8("size of the bitmap"), "bitmap"), "little")
        if bitmap >> PCR_COUNT:
            raise MalformedEvidence(_WHAT, f"a PCR above {PCR_COUNT - 1} is selected")
        selections.append(PcrSelection(algorithm, _indices(bitmap)))
    return tuple(selections)


def _indices(bitmap: int) -> tuple[int, ...]:
    return tuple(index for index in range(PCR_COUNT) if bitmap >> index & 1)


def encode_selections(selections: Sequence[PcrSelection]) -> bytes:
    """The TPML_PCR_SELECTION of 3-octet bitmaps, as every TPM 2.0 of a PC writes it."""
    encoded = [len(selections).to_bytes(4, "big")]
    for selection in selections:
        bitmap = sum(1 << index for index in selection.indices)
        encoded.append(selection.algorithm.to_bytes(2, "big") + b"\x03" + bitmap.to_bytes(3, "little"))
    return b"".join(encoded)


def concatenated(selections: Sequence[PcrSelection], banks: Mapping[HashAlgorithm, PcrBank]) -> bytes:
    """The selected values in the order of the selection; every one must be in `banks` (`KeyError`)."""
    return b"".join(banks[chosen.algorithm].values[index] for chosen in selections for index in chosen.indices)


def composite_digest(
    selections: Sequence[PcrSelection], banks: Mapping[HashAlgorithm, PcrBank], algorithm: HashAlgorithm
) -> bytes:
    """The `pcrDigest` of a quote; `algorithm` is the hash of the signature scheme, not of the bank."""
    return algorithm.digest(concatenated(selections, banks))


_POLICY_PCR: Final = bytes.fromhex("0000017f")


def pcr_policy_digest(
    selections: Sequence[PcrSelection], banks: Mapping[HashAlgorithm, PcrBank], algorithm: HashAlgorithm
) -> bytes:
    """The authPolicy of a key that TPM2_PolicyPCR alone binds to these values (tpm-and-guest 0.1)."""
    values = composite_digest(selections, banks, algorithm)
    return algorithm.digest(bytes(algorithm.digest_size) + _POLICY_PCR + encode_selections(selections) + values)

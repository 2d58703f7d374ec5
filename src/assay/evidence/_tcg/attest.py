"""TPMS_ATTEST: what a TPM says under its own signature (TPM 2.0 library, part 2, 10.12)."""

from __future__ import annotations

from typing import Final, NamedTuple

from assay import limits
from assay.errors import LimitExceeded, MalformedEvidence, UnsupportedEvidence
from assay.evidence._tcg.pcrs import PcrSelection, parse_selections
from assay.formats.reader import BigEndianReader

_WHAT: Final = "TPM attestation structure"
# TPM_GENERATED_VALUE: a restricted key signs no octets of others that begin so.
TPM_GENERATED: Final = 0xFF544347
ATTEST_CERTIFY: Final = 0x8017
ATTEST_QUOTE: Final = 0x8018
_KINDS: Final = {ATTEST_CERTIFY: "a certification", ATTEST_QUOTE: "a quote", 0x801A: "a creation"}


class AttestHeader(NamedTuple):
    """What every attestation structure begins with; `octets` is the whole structure, as it was signed."""

    octets: bytes
    qualified_signer: bytes
    extra_data: bytes
    clock: int
    reset_count: int
    restart_count: int
    safe: bool
    firmware_version: int


class Quote(NamedTuple):
    """TPMS_ATTEST of TPM2_Quote."""

    header: AttestHeader
    selections: tuple[PcrSelection, ...]
    pcr_digest: bytes


class Certification(NamedTuple):
    """TPMS_ATTEST of TPM2_Certify: the names of a key in the same TPM."""

    header: AttestHeader
    name: bytes
    qualified_name: bytes


def parse_quote(octets: bytes) -> Quote:
    """A quote, and nothing after it.

    Raises `MalformedEvidence`, and `UnsupportedEvidence` with the code `NotTpmGenerated` or `AttestTypeMismatch`.
    """
    reader, header = _begin(octets, ATTEST_QUOTE)
    quote = Quote(header, parse_selections(reader), reader.sized("PCR digest"))
    reader.finish()
    return quote


def parse_certification(octets: bytes) -> Certification:
    """A certification, and nothing after it; raises as `parse_quote` does."""
    reader, header = _begin(octets, ATTEST_CERTIFY)
    certification = Certification(header, reader.sized("name"), reader.sized("qualified name"))
    reader.finish()
    return certification


def _begin(octets: bytes, expected: int) -> tuple[BigEndianReader, AttestHeader]:
    if len(octets) > limits.ATTEST_STRUCTURE:
        raise LimitExceeded(f"{_WHAT}, octets", limit=limits.ATTEST_STRUCTURE, found=len(octets))
    reader = BigEndianReader(octets, _WHAT, MalformedEvidence)
    magic = reader.u32("magic")
    if magic != TPM_GENERATED:
        raise UnsupportedEvidence(
            _WHAT, f"magic {magic:#010x}, a TPM writes {TPM_GENERATED:#010x}", code="NotTpmGenerated", offset=0
        )
    kind = reader.u16("type")
    if kind != expected:
        seen = _KINDS.get(kind, "another structure")
        raise UnsupportedEvidence(
            _WHAT, f"type {kind:#06x} ({seen}) instead of {_KINDS[expected]}", code="AttestTypeMismatch", offset=4
        )
    header = AttestHeader(
        octets,
        reader.sized("qualified signer"),
        reader.sized("extra data"),
        reader.u64("clock"),
        reader.u32("reset count"),
        reader.u32("restart count"),
        _flag(reader),
        reader.u64("firmware version"),
    )
    return reader, header


def _flag(reader: BigEndianReader) -> bool:
    value = reader.u8("safe")
    if value > 1:
        raise MalformedEvidence(_WHAT, f"safe is {value}, neither 0 nor 1", offset=reader.offset - 1)
    return bool(value)

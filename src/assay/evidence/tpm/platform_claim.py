"""The platform claim of version 1: what Windows' NCryptCreateClaim gives (tpm-and-guest 1.3)."""

from __future__ import annotations

from typing import Final, NamedTuple

from assay import limits
from assay.errors import LimitExceeded, MalformedEvidence
from assay.evidence._tcg.algorithms import hash_algorithm
from assay.evidence._tcg.attest import Quote, parse_quote
from assay.evidence._tcg.pcrs import PCR_COUNT, PcrBank, pcr_bank
from assay.evidence._tcg.signature import TpmSignature, parse_signature
from assay.formats.reader import Reader

_WHAT: Final = "platform claim"
_MAGIC: Final = b"TPLA"


class PlatformClaim(NamedTuple):
    """A quote with its signature over one bank of all PCRs."""

    quote: Quote
    signature: TpmSignature
    bank: PcrBank


def parse_platform_claim(octets: bytes) -> PlatformClaim:
    """A claim, and nothing after it; raises `MalformedEvidence` and what its parts raise."""
    if len(octets) > limits.PLATFORM_CLAIM:
        raise LimitExceeded(f"{_WHAT}, octets", limit=limits.PLATFORM_CLAIM, found=len(octets))
    reader = Reader(octets, _WHAT, MalformedEvidence)
    if reader.take(len(_MAGIC), "magic") != _MAGIC:
        raise MalformedEvidence(_WHAT, "does not begin with TPLA", offset=0)
    version = reader.u32("version")
    if version != 0:
        raise MalformedEvidence(_WHAT, f"version {version}, not 0", offset=4)
    algorithm = hash_algorithm(reader.u32("bank"), _WHAT)
    signature, quote, values = (reader.u32(f"size of the {part}") for part in ("signature", "quote", "PCR values"))
    size = algorithm.digest_size
    if values != PCR_COUNT * size:
        raise MalformedEvidence(_WHAT, f"{values} octets of PCR values, 24 of {algorithm.label} have {24 * size}")
    claim = PlatformClaim(
        signature=parse_signature(reader.take(signature, "signature")),
        quote=parse_quote(reader.take(quote, "quote")),
        bank=pcr_bank(algorithm, [(index, reader.take(size, f"PCR {index}")) for index in range(PCR_COUNT)]),
    )
    reader.finish()
    return claim

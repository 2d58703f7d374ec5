"""Bit flips of a good endorsement of a utility machine: all of it is signed or part of the signature's certificates."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from assay.endorsements.anchors import SIMULATOR_UVM_ISSUER
from assay.errors import VerificationFailed
from assay.evidence.sev_snp_vm.uvm_checks import UVM_CHECKS, UvmCase
from assay.formats.cbor import encode_cbor
from assay.simulator.microsoft.uvm import Generation, UvmForm, mint_uvm_endorsement
from assay.verdict import run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MEASUREMENT: Final = bytes(range(48))
FORM: Final = UvmForm(MEASUREMENT)
# With an unprotected header, the one part that nobody signs (RFC 9052, 4.4).
STAMP: Final = b"a time stamp that is not read"
ENDORSEMENTS: Final = {
    "JSON": mint_uvm_endorsement(FORM),
    "hash envelope": mint_uvm_endorsement(replace(FORM, generation=Generation.HASH_ENVELOPE)),
    "with a time stamp": mint_uvm_endorsement(replace(FORM, unprotected={"timestamp": STAMP})),
}
_UNSIGNED: Final = encode_cbor({"timestamp": STAMP})


def flips(name: str) -> Iterator[tuple[int, int]]:
    return ((offset, bit) for offset in range(len(ENDORSEMENTS[name])) for bit in range(8))


def is_accepted(content: bytes) -> bool:
    try:
        run(UVM_CHECKS, UvmCase((content,), MEASUREMENT, (SIMULATOR_UVM_ISSUER,)), [])
    except VerificationFailed:
        return False
    return True


def survivors(name: str, chosen: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The flips that were accepted outside the unsigned header; anything but a refusal is raised."""
    good = ENDORSEMENTS[name]
    start = good.find(_UNSIGNED)
    unsigned = range(start, start + len(_UNSIGNED)) if start >= 0 else range(0)
    found = []
    for offset, bit in chosen:
        content = bytearray(good)
        content[offset] ^= 1 << bit
        if is_accepted(bytes(content)) and offset not in unsigned:
            found.append((offset, bit))
    return found

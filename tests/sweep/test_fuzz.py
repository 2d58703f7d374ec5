"""Fuzzing of every parser with a time budget (`make sweep`): mutated good inputs, nothing but refusals may come out.

`ASSAY_FUZZ_SECONDS` is the budget of one target (60 unless set). Inputs that raise something else are kept under
`.assay/fuzz/`, and are tried first in the next run.
"""

from __future__ import annotations

import hashlib
import os
import random
import time
from pathlib import Path

import pytest

from .fuzz_targets import Target, targets

SECONDS = float(os.environ.get("ASSAY_FUZZ_SECONDS", "60"))
KEPT = Path(__file__).resolve().parents[2] / ".assay" / "fuzz"
_INTERESTING = (0, 1, 0x7F, 0x80, 0xFF, 0x22, 0x5C, 0x7B, 0x7D, 0x5B, 0x5D, 0x2E, 0x3D, 0x0A)


def mutate(content: bytes, chance: random.Random, others: tuple[bytes, ...]) -> bytes:
    """A few random edits: flips, stores, cuts, repeats, insertions, splices, length fields set to extremes."""
    edited = bytearray(content)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(edited) + 1)
        size = chance.choice((1, 1, 2, 4, 8, chance.randint(1, 64)))
        match chance.randrange(8):
            case 0 if edited:
                edited[at % len(edited)] ^= 1 << chance.randrange(8)
            case 1 if edited:
                edited[at % len(edited)] = chance.choice(_INTERESTING)
            case 2:
                del edited[at : at + size]
            case 3:
                edited[at:at] = edited[max(0, at - size) : at] * chance.choice((1, 2, 40))
            case 4:
                edited[at:at] = chance.randbytes(size)
            case 5:
                other = chance.choice(others)
                start = chance.randrange(len(other) + 1)
                edited[at : at + size] = other[start : start + size]
            case 6:
                edited[at : at + 4] = chance.choice(
                    (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\xfe\xff\0\0")
                )
            case _:
                del edited[at:]
    return bytes(edited)


def _try(target: Target, content: bytes) -> None:
    try:
        target.run(content)
    except target.allowed:
        pass
    except Exception:
        folder = KEPT / target.name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / hashlib.sha256(content).hexdigest()[:16]).write_bytes(content)
        raise


@pytest.mark.sweep
@pytest.mark.parametrize("target", targets(), ids=lambda target: target.name)
def test_a_parser_raises_nothing_but_refusals(target: Target) -> None:
    for kept in sorted((KEPT / target.name).glob("*")):
        _try(target, kept.read_bytes())
    chance = random.Random(f"{target.name} {SECONDS}")
    pool = list(target.seeds)
    deadline, tried = time.monotonic() + SECONDS, 0
    while time.monotonic() < deadline:
        content = mutate(chance.choice(pool), chance, target.seeds)
        _try(target, content)
        tried += 1
        # Some mutants breed, so that edits pile up; the pool stays small and always holds the good inputs.
        if chance.random() < 0.01:
            pool = [*target.seeds, *pool[-200:], content]
    print(f"\n{target.name}: {tried} inputs")
    assert tried > 100

"""Which processor an FMSPC belongs to, by the model in it.

Digits 3 to 6 of an FMSPC are those of the CPUID signature without its stepping: extended model, extended family,
family, model. Intel publishes the models of its processors in the Software Developer's Manual, volume 4, table 2-1; the
layout is a reading of the FMSPCs of known machines.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# Names in lower case and without spaces, as rules write them.
_MODELS: Final[Mapping[str, str]] = {
    "506e": "skylake",
    "706a": "geminilake",
    "706e": "icelake",
    "606a": "icelakesp",
    "606c": "icelaked",
    "806e": "kabylake",
    "906e": "coffeelake",
    "a065": "cometlake",
    "a066": "cometlake",
    "a067": "rocketlake",
    "806f": "sapphirerapids",
    "c06f": "emeraldrapids",
    "a06d": "graniterapids",
    "a06e": "graniterapidsd",
    "a06f": "sierraforest",
}


def generation_names(fmspc: bytes) -> tuple[str, ...]:
    """The names of a platform's generation: its FMSPC, and the processor where the model is known."""
    text = fmspc.hex()
    name = _MODELS.get(text[2:6])
    return (text,) if name is None else (text, name)

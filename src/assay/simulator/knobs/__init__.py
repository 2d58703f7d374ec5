"""Every named change of a good recipe: `KNOBS` must be refused (or move the status), `VARIANTS` must be accepted.

Those that begin with `TDX_` turn what only trust domains have; most of the others turn what TDX has in common with SGX.
"""

from __future__ import annotations

from typing import Final

from assay.errors import ConfigurationError
from assay.simulator.knobs.chain import CHAIN_KNOBS
from assay.simulator.knobs.collateral import COLLATERAL_KNOBS
from assay.simulator.knobs.envelope import ENVELOPE_KNOBS
from assay.simulator.knobs.knob import Knob
from assay.simulator.knobs.quote import QUOTE_KNOBS
from assay.simulator.knobs.quoting_enclave import QUOTING_ENCLAVE_KNOBS
from assay.simulator.knobs.revocation import REVOCATION_KNOBS
from assay.simulator.knobs.tcb import TCB_KNOBS
from assay.simulator.knobs.trust_domain import TDX_KNOBS, TDX_VARIANTS
from assay.simulator.knobs.variants import VARIANTS

KNOBS: Final[tuple[Knob, ...]] = (
    *QUOTE_KNOBS,
    *CHAIN_KNOBS,
    *QUOTING_ENCLAVE_KNOBS,
    *COLLATERAL_KNOBS,
    *REVOCATION_KNOBS,
    *TCB_KNOBS,
    *ENVELOPE_KNOBS,
)

_BY_NAME: Final = {knob.name: knob for knob in (*KNOBS, *VARIANTS, *TDX_KNOBS, *TDX_VARIANTS)}


def find_knob(name: str) -> Knob:
    """The knob or variant of a name; raises `ConfigurationError` when there is none."""
    knob = _BY_NAME.get(name)
    if knob is None:
        raise ConfigurationError(f"the simulator has no knob {name!r}; it has: {', '.join(sorted(_BY_NAME))}")
    return knob


__all__ = ["KNOBS", "TDX_KNOBS", "TDX_VARIANTS", "VARIANTS", "Knob", "find_knob"]

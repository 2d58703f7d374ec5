"""Every named change of a good SEV-SNP recipe: `SNP_KNOBS` must be refused, `SNP_VARIANTS` accepted."""

from __future__ import annotations

from typing import Final

from assay.errors import ConfigurationError
from assay.simulator.amd.chain_knobs import CHAIN_KNOBS
from assay.simulator.amd.knob import SnpKnob
from assay.simulator.amd.report_knobs import REPORT_KNOBS, VARIANTS

SNP_KNOBS: Final[tuple[SnpKnob, ...]] = (*CHAIN_KNOBS, *REPORT_KNOBS)
SNP_VARIANTS: Final = VARIANTS

_BY_NAME: Final = {knob.name: knob for knob in (*SNP_KNOBS, *SNP_VARIANTS)}


def find_snp_knob(name: str) -> SnpKnob:
    """The knob or variant of a name; raises `ConfigurationError` when there is none."""
    knob = _BY_NAME.get(name)
    if knob is None:
        raise ConfigurationError(f"the simulator has no SEV-SNP knob {name!r}; it has: {', '.join(sorted(_BY_NAME))}")
    return knob

"""Good evidence of every type, in the form that each of its checks looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.simulator import Recipe, SnpRecipe, find_knob, simulate, simulate_snp, tdx_recipe
from tests.appraisals import AT, HELD, Case, simulated_case
from tests.guests import TDX, guest_case
from tests.snp_cases import snp_case

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from assay.evidence.base import AnyEvidenceType

GOOD: Mapping[str, Callable[[], Case]] = {
    "SgxEnclave": lambda: simulated_case(simulate(Recipe(AT, HELD))),
    "OpenEnclave": lambda: simulated_case(find_knob("oe-evidence-claims").apply(Recipe(AT, HELD))),
    "AzureGuest": lambda: guest_case(TDX),
    "SevSnpVm": lambda: snp_case(simulate_snp(SnpRecipe(AT, HELD))),
    "TdxVm": lambda: simulated_case(find_knob("td-log").apply(find_knob("td-1.5").turn(tdx_recipe(AT, HELD)))),
}


def good_case(kind: AnyEvidenceType) -> Case:
    """Good evidence of the type beside its endorsements."""
    return GOOD[kind.name]()

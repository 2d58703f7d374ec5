"""Good evidence of every type, in the form that each of its checks looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.simulator import Recipe, SnpRecipe, find_knob, simulate, simulate_snp, tdx_recipe
from assay.simulator.tpm.request import ENCLAVE
from tests.appraisals import AT, HELD, Case, simulated_case
from tests.guests import SNP, TDX, guest_case
from tests.snp_cases import snp_case
from tests.tpm_cases import case as tpm_case

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from assay.evidence.base import AnyEvidenceType

GOOD: Mapping[str, Callable[[], Case]] = {
    "SgxEnclave": lambda: simulated_case(simulate(Recipe(AT, HELD))),
    "OpenEnclave": lambda: simulated_case(find_knob("oe-evidence-claims").apply(Recipe(AT, HELD))),
    "AzureGuest": lambda: guest_case(SNP),
    "SevSnpVm": lambda: snp_case(simulate_snp(SnpRecipe(AT, HELD))),
    "Tpm": tpm_case,
    "VbsEnclave": lambda: tpm_case(ENCLAVE),
    "TdxVm": lambda: simulated_case(find_knob("td-log").apply(find_knob("td-1.5").turn(tdx_recipe(AT, HELD)))),
}


def good_case(kind: AnyEvidenceType, check: str = "") -> Case:
    """Good evidence of the type beside its endorsements, in which a check is not passed over."""
    return guest_case(TDX) if check.startswith("isolation.tdx.") else GOOD[kind.name]()

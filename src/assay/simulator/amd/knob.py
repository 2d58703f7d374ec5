"""A knob of SEV-SNP recipes, and the small functions that knobs are written with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from assay.simulator.amd.chip import ARC, TCB, Chip, Tcb
from assay.simulator.amd.hierarchy import amd_hierarchy, forged_hierarchy
from assay.simulator.amd.recipe import SnpRecipe, simulate_snp

if TYPE_CHECKING:
    from assay.simulator.amd.certificates import AmdCertificate
    from assay.simulator.amd.recipe import SimulatedSnp

Turn = Callable[[SnpRecipe], SnpRecipe]
STRANGER: Final = "amd stranger"


@dataclass(frozen=True, slots=True)
class SnpKnob:
    """One named change; `trips` is the check that must refuse it, `rule` the rule without which it is accepted."""

    name: str
    description: str
    trips: str
    cases: tuple[str, ...]
    turn: Turn
    rule: str = ""

    def apply(self, recipe: SnpRecipe) -> SimulatedSnp:
        return simulate_snp(self.turn(recipe))


def on_report(**fields: object) -> Turn:
    return lambda recipe: replace(recipe, report=replace(recipe.report, **fields))  # type: ignore[arg-type]


def on_chip(edit: Callable[[Chip], Chip]) -> Turn:
    return lambda recipe: replace(recipe, chip=edit(recipe.chip))


def on_leaf(edit: Callable[[AmdCertificate], AmdCertificate]) -> Turn:
    return lambda recipe: replace(recipe, leaf=edit)


def on_extension(last: str, value: bytes | None) -> Turn:
    return on_leaf(lambda form: replace(form, extensions=form.having(f"{ARC}.{last}", value)))


def on_authority(edit: Callable[[AmdCertificate], AmdCertificate]) -> Turn:
    def turn(recipe: SnpRecipe) -> SnpRecipe:
        above, vlek = recipe.authorities, recipe.chip.vlek
        return replace(recipe, hierarchy=above.with_authority(edit(above.authority(vlek=vlek)), vlek=vlek))

    return turn


def on_root(edit: Callable[[AmdCertificate], AmdCertificate]) -> Turn:
    return lambda recipe: replace(recipe, hierarchy=replace(recipe.authorities, ark=edit(recipe.authorities.ark)))


def on_list(**fields: object) -> Turn:
    def turn(recipe: SnpRecipe) -> SnpRecipe:
        assert recipe.crl is not None
        return replace(recipe, crl=replace(recipe.crl, **fields))  # type: ignore[arg-type]

    return turn


def forged(recipe: SnpRecipe) -> SnpRecipe:
    return replace(recipe, hierarchy=forged_hierarchy(recipe.chip.product))


def cpuid_of_other_line(recipe: SnpRecipe) -> SnpRecipe:
    cpuid = (0x19, 0x11, 0x01) if recipe.chip.product == "Milan" else (0x19, 0x01, 0x01)
    return replace(recipe, chip=replace(recipe.chip, cpuid=cpuid))


def authority_of_other_line(recipe: SnpRecipe) -> SnpRecipe:
    other = amd_hierarchy("Genoa" if recipe.chip.product == "Milan" else "Milan")
    return replace(recipe, hierarchy=other)


def other_kind(recipe: SnpRecipe) -> SnpRecipe:
    """A report that names the other kind of key than the one that signed it."""
    return on_report(key_info=0 if recipe.chip.vlek else 4)(recipe)


def revoke(recipe: SnpRecipe) -> SnpRecipe:
    return on_list(revoked=(recipe.authorities.authority(vlek=recipe.chip.vlek).serial,))(recipe)


def expired(form: AmdCertificate) -> AmdCertificate:
    return replace(form, not_after=form.not_before + timedelta(days=1))


def beyond(component: str) -> Tcb:
    return replace(TCB, **{component: getattr(TCB, component) + 1})


def numbers(r: int, s: int) -> tuple[bytes, bytes]:
    return r.to_bytes(72, "little"), s.to_bytes(72, "little")


def knob(name: str, description: str, trips: tuple[str, str], turn: Turn, rule: str = "") -> SnpKnob:
    """A knob; `trips` are the check that must refuse it, and its attack cases separated by spaces."""
    return SnpKnob(f"snp-{name}", description, trips[0], tuple(trips[1].split()), turn, rule)

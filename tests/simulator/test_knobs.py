"""The table of knobs itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from assay.errors import ConfigurationError
from assay.simulator import KNOBS, VARIANTS, Knob, Machine, Platform, Recipe, find_knob, simulate

AT = datetime(2026, 3, 1, 12, 30, 15, tzinfo=UTC)
BASE = Recipe(AT, b"held")
ALL = (*KNOBS, *VARIANTS)
SGX_CASES = [f"QV-{n:02}" for n in (*range(1, 20), 24, 28, 29)]
COLLATERAL_CASES = [f"CO-{n:02}" for n in (*range(1, 10), *range(13, 21))]


def test_there_are_at_least_forty_five_negatives() -> None:
    assert len(KNOBS) >= 45


def test_names_are_unique() -> None:
    assert len({knob.name for knob in ALL}) == len(ALL)


@pytest.mark.parametrize("case", [*SGX_CASES, *COLLATERAL_CASES])
def test_every_attack_case_of_evidence_and_collateral_has_a_knob(case: str) -> None:
    assert any(case in knob.cases for knob in ALL)


@pytest.mark.parametrize("knob", ALL, ids=lambda knob: knob.name)
def test_a_knob_changes_what_is_made_and_makes_it_again(knob: Knob) -> None:
    made = knob.apply(BASE)
    assert made != simulate(BASE)
    assert knob.apply(BASE) == made
    assert knob.description.endswith(".")
    assert knob.trips


@pytest.mark.parametrize("knob", KNOBS, ids=lambda knob: knob.name)
def test_a_knob_turns_on_other_platforms_and_envelopes(knob: Knob) -> None:
    machine = Machine(Platform(name="other", ca="platform", fmspc="0011aabbccdd", pce_id="0000"))
    base = replace(BASE, machine=machine)
    assert knob.apply(base) != simulate(base)


def test_a_knob_is_found_by_its_name() -> None:
    assert find_knob("debug").rule == "no debug enclaves"
    with pytest.raises(ConfigurationError, match="no knob 'nothing'"):
        find_knob("nothing")

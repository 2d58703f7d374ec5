"""A seeded sample of the flips of an endorsement of a utility machine (all of them: `make sweep`)."""

from __future__ import annotations

import random

import pytest

from tests.sweep.uvm_bit_flips import ENDORSEMENTS, flips, is_accepted, survivors


@pytest.mark.parametrize("name", ENDORSEMENTS)
def test_the_endorsement_without_a_flip_is_accepted(name: str) -> None:
    assert is_accepted(ENDORSEMENTS[name])


@pytest.mark.filterwarnings("ignore:Attribute's length must be", "ignore:Parsed a serial number")
@pytest.mark.parametrize("name", ENDORSEMENTS)
def test_a_flipped_bit_is_refused(name: str) -> None:
    assert survivors(name, random.Random(31).sample(list(flips(name)), 300)) == []

"""Every bit flip of an endorsement of a utility machine."""

from __future__ import annotations

import pytest

from tests.sweep.uvm_bit_flips import ENDORSEMENTS, flips, survivors


@pytest.mark.sweep
@pytest.mark.filterwarnings("ignore:Attribute's length must be", "ignore:Parsed a serial number")
@pytest.mark.parametrize("name", ENDORSEMENTS)
def test_every_flipped_bit_of_an_endorsement_is_refused(name: str) -> None:
    assert survivors(name, flips(name)) == []

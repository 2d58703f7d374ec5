"""Every bit of good evidence and good collateral, flipped (`make sweep`)."""

from __future__ import annotations

import pytest

from .bit_flips import TARGETS, UNSIGNED, good_content, is_listed, sweep


@pytest.mark.sweep
@pytest.mark.filterwarnings("ignore:Attribute's length must be", "ignore:Parsed a serial number")
@pytest.mark.parametrize("target", TARGETS)
def test_every_flipped_bit_is_refused(target: str) -> None:
    survivors = sweep(target)
    print(f"\n{target}: {8 * len(good_content(target))} flips, {len(survivors)} survivors")
    assert [survivor for survivor in survivors if not is_listed(survivor)] == []
    # A rule that nothing needs any more is taken off the list.
    assert bool(survivors) == (target in UNSIGNED)

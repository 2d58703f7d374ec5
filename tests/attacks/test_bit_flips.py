"""A seeded sample of the bit-flip sweep (all of it: `make sweep`)."""

from __future__ import annotations

import pytest

from tests.appraisals import judge
from tests.sweep.bit_flips import TARGETS, Flip, good_case, good_content, is_listed, sample, survives


@pytest.mark.parametrize("target", TARGETS)
def test_the_document_without_a_flip_is_accepted(target: str) -> None:
    assert judge(good_case(TARGETS[target].turned)).verdict.decisive is None


@pytest.mark.filterwarnings("ignore:Attribute's length must be", "ignore:Parsed a serial number")
def test_a_flipped_bit_is_refused() -> None:
    survivors = [survivor for survivor in map(survives, sample(70 * len(TARGETS), seed=2026)) if survivor is not None]
    assert [survivor for survivor in survivors if not is_listed(survivor)] == []


def test_a_flip_in_a_listed_field_is_accepted_and_one_beside_it_is_not() -> None:
    content = good_content("TCB info")
    start = content.index(b'"signature":"') + len(b'"signature":"')
    letter = next(offset for offset in range(start, len(content)) if chr(content[offset]) in "abcdef")
    survivor = survives(Flip("TCB info", letter, 5))
    assert survivor is not None
    assert is_listed(survivor)
    assert survives(Flip("TCB info", letter, 0)) is None

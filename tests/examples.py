"""How many examples a property test tries: a few in a plain run, all of them under the profile of `make sweep`."""

from __future__ import annotations

from typing import Final

from hypothesis import settings

# `pytest --hypothesis-profile=thorough`; registered in conftest.py, loaded before any test is imported.
THOROUGH: Final = "thorough"
_SHARE: Final = 20
_FEWEST: Final = 25


def examples(full: int) -> int:
    """The number for `max_examples` of a property that deserves `full` of them."""
    if settings.get_current_profile_name() == THOROUGH:
        return full
    return min(full, max(full // _SHARE, _FEWEST))

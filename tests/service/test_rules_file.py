"""`assay serve --platform-rules FILE`: what the file sets beside the other options, and what is none."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from assay.errors import ConfigurationError
from assay.evidence.platform_rules import Listing, MinimumTcb, PlatformRules
from assay.service.settings_from_options import settings_from_options

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """
allowMigration = false
[generations]
allow = ["Genoa", "Sapphire Rapids"]
[minimumTcb.SapphireRapids]
tcbDate = 2024-03-13T00:00:00Z
"""
EXPECTED = PlatformRules(
    allow_migration=False,
    generations=Listing(frozenset({"genoa", "sapphirerapids"})),
    minimum_tcb=(MinimumTcb("sapphirerapids", tcb_date=datetime(2024, 3, 13, tzinfo=UTC)),),
)


def rules_of(directory: Path, text: str | None, **options: object) -> PlatformRules:
    file = directory / "rules.toml"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    return settings_from_options({"dev": True, "state_dir": directory, "platform_rules": file, **options}).rules


def test_the_rules_of_the_file_are_in_force_beside_the_other_options(tmp_path: Path) -> None:
    assert rules_of(tmp_path, TEXT) == EXPECTED
    strict = rules_of(tmp_path, TEXT, strict=True, accept_tcb="any")
    assert (strict.strict, strict.generations, len(strict.accepted_tcb)) == (True, EXPECTED.generations, 9)


@pytest.mark.parametrize("text", [None, "not toml", "[generation]\nallow = []", "strict = true", "highestVmpl = 0.5"])
def test_a_file_that_is_none_of_rules_stops_the_start(tmp_path: Path, text: str | None) -> None:
    """A rule that is not understood may have been a restriction."""
    with pytest.raises(ConfigurationError):
        rules_of(tmp_path, text)

"""Finds the evidence, vectors and specifications that stand beside the project, and skips where they do not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("ASSAY_SHARED", Path(__file__).resolve().parents[2] / "shared"))


def has_shared() -> bool:
    return (SHARED / "evidence").is_dir()


def shared_path(relative: str) -> Path:
    """The path of a shared file or folder; skips the test when it is not there."""
    path = SHARED / relative
    if not path.exists():
        pytest.skip(f"the shared vectors are not here: {relative}")
    return path

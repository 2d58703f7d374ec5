"""Lists the shared vectors for parametrised tests, and reads one as a case."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from assay.evidence.base import Submission
from tests.appraisals import PRODUCTION, Case, binary, documents_in, evidence_type, read_json
from tests.shared_vectors import SHARED

if TYPE_CHECKING:
    from pathlib import Path

EVIDENCE = SHARED / "evidence"


@dataclass(frozen=True)
class Vector:
    """One vector folder; `base` is the folder that a negative replaces files of."""

    folder: Path
    base: Path | None = None
    meta: dict[str, Any] = field(default_factory=dict, compare=False)

    def read(self, *names: str) -> bytes | None:
        """The first of these files, each sought in the vector before its base."""
        paths = (folder / name for name in names for folder in (self.folder, self.base) if folder is not None)
        return next((path.read_bytes() for path in paths if path.is_file()), None)

    @property
    def at(self) -> datetime:
        return datetime.fromisoformat(self.meta["verify_at"]["suggested"])

    def case(self, kind: str, *names: str, at: datetime | None = None) -> Case:
        """The evidence in one of the named files under the vector's collateral, judged by the production roots."""
        evidence = self.read(*names)
        assert evidence is not None
        folders = (self.folder, self.base) if self.base is not None else (self.folder,)
        submission = Submission(evidence, runtime_data=binary(self.read("runtime_data.bin")))
        return Case(evidence_type(kind), submission, documents_in(*folders), at or self.at, PRODUCTION)


def vectors(kind: str, *, base_kind: str | None = None) -> list[Any]:
    """The vectors of a kind as parameters, or one skipped parameter where the shared folder is absent."""
    found = []
    for folder in sorted((EVIDENCE / kind).glob("*/")):
        meta: dict[str, Any] = read_json(folder / "meta.json")
        base = meta.get("base")
        if base_kind is None or (base is not None and base["kind"] == base_kind):
            path = None if base is None else EVIDENCE / base["kind"] / base["id"]
            found.append(pytest.param(Vector(folder, path, meta), id=folder.name))
    skip = pytest.mark.skip(reason=f"the shared vectors are not here: evidence/{kind}")
    return found or [pytest.param(None, marks=skip)]

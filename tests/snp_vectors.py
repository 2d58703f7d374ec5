"""The shared SEV-SNP vectors: their folders laid out with what a negative replaces, and what must come out."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from assay.formats import pem
from tests.appraisals import read_json
from tests.shared_vectors import SHARED

if TYPE_CHECKING:
    from pathlib import Path

EVIDENCE = SHARED / "evidence"
LISTS = EVIDENCE / "roots" / "amd"
# Which check may refuse for the step that a vector names.
STEPS = {
    "report signature": ("report.signature", "evidence.form", "report.chip_id"),
    "ARK root of trust": ("vek_chain.root",),
    "parsing": ("evidence.form",),
    "VCEK issuer / signature by ASK": ("vek_chain.signature", "vek_certificate.product"),
}
STATED_INVALID = ("report.signature",)
_FAMILIES = ("snp-report", "cvm-snp", "aci")


@dataclass(frozen=True)
class SnpVector:
    """One folder with a report, over the folder that it replaces files of."""

    folder: Path
    base: Path
    meta: dict[str, Any]

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def at(self) -> datetime:
        text = self.meta["verify_at"].get("suggested")
        return datetime.fromisoformat(text) if text else datetime(2025, 9, 1, tzinfo=UTC)

    @property
    def has_certificates(self) -> bool:
        return any(
            (folder / name).exists()
            for folder in (self.folder, self.base)
            for name in ("vcek.der", "vlek.der", "platform_certificates.pem", "host-amd-cert-base64")
        )

    @property
    def is_valid(self) -> bool:
        # What a source does not state is consistent, as the recomputation beside the vectors found.
        return self.meta["expected"]["verdict"] != "invalid" and self.has_certificates

    @property
    def refused_by(self) -> tuple[str, ...]:
        return STEPS.get(self.meta["expected"].get("failing_step", ""), STATED_INVALID)

    @property
    def product(self) -> str:
        return next((line for line in ("genoa", "turin") if line in self.base.name), "milan")

    def lay_out(self, directory: Path) -> Path:
        """The folder of the base with the files of the vector over it."""
        directory.mkdir(exist_ok=True)
        for folder in dict.fromkeys((self.base, self.folder)):
            for file in folder.iterdir():
                if file.is_file():
                    shutil.copyfile(file, directory / file.name)
        return directory

    def report(self) -> bytes:
        return next(f / "report.bin" for f in (self.folder, self.base) if (f / "report.bin").exists()).read_bytes()

    def chain(self) -> bytes:
        """The certificates of the folders in PEM, leaf first."""
        found = []
        for names in (("vcek.der", "vlek.der"), ("ask.der", "asvk.der"), ("ark.der",)):
            places = [f / name for f in (self.folder, self.base) for name in names if (f / name).exists()]
            found += [pem.encode(places[0].read_bytes(), "CERTIFICATE")] if places else []
        return b"".join(found)


def snp_vectors() -> list[SnpVector]:
    """Every vector with a report, negatives among them; none where the shared folder is absent."""
    found = []
    for family in (*_FAMILIES, "negative"):
        for folder in sorted((EVIDENCE / family).glob("*/")):
            meta: dict[str, Any] = read_json(folder / "meta.json")
            base = folder
            if family == "negative":
                if meta["base"]["kind"] != "snp-report":
                    continue
                base = EVIDENCE / "snp-report" / meta["base"]["id"]
            if any((place / "report.bin").exists() for place in (folder, base)):
                found.append(SnpVector(folder, base, meta))
    return found

"""Recipes of synthetic SEV-SNP evidence, and their making."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime  # kept at run time: a field of a record that command lines read
from typing import TYPE_CHECKING, Final

from assay.formats import pem
from assay.simulator.amd.certificates import AmdCertificate, mint
from assay.simulator.amd.chip import CHIP, Chip, leaf_form
from assay.simulator.amd.hierarchy import AmdHierarchy, amd_hierarchy
from assay.simulator.amd.report import REPORT, SnpReport, mint_snp_report
from assay.simulator.amd.revocation import LIST, AmdRevocationList, mint_amd_list

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from assay.formats.strict_json import JsonValue

TYPE_NAME: Final = "SevSnpVm"


@dataclass(frozen=True, slots=True)
class SnpRecipe:
    """A base recipe is good; a negative is a recipe with one thing replaced.

    `leaf` changes the certificate of the signing key, `certificates` the chain that goes with the report (leaf,
    authority, root in DER). `crl` None makes no revocation list. `enveloped` False hands over the report alone, with
    the certificates beside it; `endorsements` are those of a utility VM.
    """

    at: datetime
    runtime_data: bytes | None = None
    submitted_runtime_data: bytes | None = None
    init_time_data: bytes | None = None
    chip: Chip = CHIP
    report: SnpReport = REPORT
    hierarchy: AmdHierarchy | None = None
    leaf: Callable[[AmdCertificate], AmdCertificate] | None = None
    certificates: Callable[[tuple[bytes, ...]], tuple[bytes, ...]] | None = None
    crl: AmdRevocationList | None = LIST
    crl_of: str = ""
    enveloped: bool = True
    endorsements: bytes | None = None

    @property
    def authorities(self) -> AmdHierarchy:
        return self.hierarchy or amd_hierarchy(self.chip.product)

    def chain(self) -> tuple[bytes, ...]:
        """The certificates beside the report, in DER."""
        form = leaf_form(self.chip)
        form = form if self.leaf is None else self.leaf(form)
        above, vlek = self.authorities, self.chip.vlek
        chain = (mint(form, above.authority(vlek=vlek)), above.authority_certificate(vlek=vlek), above.root())
        return chain if self.certificates is None else self.certificates(chain)

    def bound_report(self) -> SnpReport:
        """The report with the hashes of the held data that this recipe binds."""
        report = self.report
        if self.runtime_data is not None:
            report = replace(report, report_data=hashlib.sha256(self.runtime_data).digest() + bytes(32))
        if self.init_time_data is not None:
            report = replace(report, host_data=hashlib.sha256(self.init_time_data).digest())
        return report


@dataclass(frozen=True, slots=True)
class SimulatedSnp:
    """Synthetic evidence with its endorsements; `evidence` is the envelope of the wire, or the report alone."""

    at: datetime
    report: bytes
    evidence: bytes
    file_name: str
    runtime_data: bytes | None
    chain: tuple[bytes, ...]
    crl: bytes | None
    vlek: bool
    type_name: str = TYPE_NAME

    def write(self, directory: Path) -> None:
        """Writes the evidence, the held data and the endorsements as the vector folders name them."""
        self.write_endorsements(directory / "collateral")
        (directory / "report.bin").write_bytes(self.report)
        (directory / self.file_name).write_bytes(self.evidence)
        if self.runtime_data is not None:
            (directory / "runtime_data.bin").write_bytes(self.runtime_data)

    def write_endorsements(self, collateral: Path) -> None:
        """Writes certificates and revocation list alone."""
        collateral.mkdir(parents=True, exist_ok=True)
        names = ("vlek.der", "asvk.der", "ark.der") if self.vlek else ("vcek.der", "ask.der", "ark.der")
        for name, content in zip(names, self.chain, strict=False):
            (collateral / name).write_bytes(content)
        if self.crl is not None:
            (collateral / "ark_crl.der").write_bytes(self.crl)


def simulate_snp(recipe: SnpRecipe) -> SimulatedSnp:
    """What the recipe makes; the same recipe makes the same bytes."""
    report, chain = mint_snp_report(recipe.bound_report(), recipe.chip), recipe.chain()
    root = amd_hierarchy(recipe.crl_of).ark if recipe.crl_of else recipe.authorities.ark
    submitted = recipe.submitted_runtime_data
    return SimulatedSnp(
        at=recipe.at,
        report=report,
        evidence=_envelope(report, chain, recipe.endorsements) if recipe.enveloped else report,
        file_name="snp_evidence.json" if recipe.enveloped else "report.bin",
        runtime_data=recipe.runtime_data if submitted is None else submitted,
        chain=chain,
        crl=None if recipe.crl is None else mint_amd_list(recipe.crl, recipe.at, root),
        vlek=recipe.chip.vlek,
    )


def _envelope(report: bytes, chain: tuple[bytes, ...], endorsements: bytes | None) -> bytes:
    text = b"".join(pem.encode(one, "CERTIFICATE") for one in chain)
    members: dict[str, JsonValue] = {"SnpReport": _text(report), "VcekCertChain": _text(text)}
    if endorsements is not None:
        members["Endorsements"] = _text(endorsements)
    return json.dumps(members).encode("ascii")


def _text(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode("ascii").rstrip("=")

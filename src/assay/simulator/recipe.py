"""Recipes: everything that a piece of synthetic evidence of Intel's TEEs is made from, and its making."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime  # kept at run time: a field of a record that command lines read
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding

from assay.simulator.intel.collateral import DOCUMENTS, TDX_DOCUMENTS, Collateral, Documents, mint_collateral
from assay.simulator.intel.enclave import Enclave, bind
from assay.simulator.intel.hierarchy import HIERARCHY
from assay.simulator.intel.quote import (
    ENCLAVE,
    MACHINE,
    QUOTE_FORM,
    TDX_MACHINE,
    TDX_QUOTE_FORM,
    Machine,
    QuoteForm,
    mint_quote,
)
from assay.simulator.intel.trust_domain import TD_1_0, TRUST_DOMAIN, TrustDomain
from assay.simulator.open_enclave import (
    REPORT,
    SGX_ECDSA,
    EvidenceForm,
    ReportForm,
    mint_evidence,
    mint_report,
)
from assay.simulator.tpm.event_log import CC, LoggedEvent, encode_log, pcr_values
from assay.simulator.tpm.structures import SHA384

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Recipe:
    """A base recipe is good; a negative is a recipe with one thing replaced.

    `at` is the instant that the documents are made for. `runtime_data` is bound in the report data (else the enclave's
    own report data stands); `submitted_runtime_data` is handed over in its place. `envelope` None means a bare quote. A
    `domain` attests in the place of the enclave (see `tdx_recipe`). `events` are what a domain measured into its RTMRs;
    `event_log` is handed over in the place of their log.
    In evidence of the SGX ECDSA format the report data binds the custom claims, and so there is no runtime data.
    """

    at: datetime
    runtime_data: bytes | None = None
    submitted_runtime_data: bytes | None = None
    enclave: Enclave = ENCLAVE
    machine: Machine = MACHINE
    quote: QuoteForm = QUOTE_FORM
    documents: Documents = DOCUMENTS
    envelope: ReportForm | EvidenceForm | None = None
    domain: TrustDomain | None = None
    events: tuple[LoggedEvent, ...] | None = None
    event_log: bytes | None = None

    def submitted_log(self) -> bytes | None:
        """The CC event log beside the quote."""
        if self.event_log is not None or self.events is None:
            return self.event_log
        return encode_log(self.events, CC)

    def attester(self) -> Enclave | TrustDomain:
        """The enclave or trust domain with the report data that this recipe binds."""
        if self.domain is None:
            return self.bound_enclave()
        domain = self.domain
        if self.events is not None:
            extended = pcr_values(self.events, CC)[SHA384]
            domain = replace(domain, rtmrs=(extended[1], extended[2], extended[3], extended[4]))
        if self.runtime_data is None:
            return domain
        return replace(domain, report_data=bind(self.runtime_data))

    def bound_enclave(self) -> Enclave:
        """The enclave with the report data that this recipe binds."""
        if isinstance(self.envelope, EvidenceForm) and self.envelope.format == SGX_ECDSA:
            if self.runtime_data is not None:
                raise ValueError("evidence of the SGX ECDSA format binds its custom claims, not runtime data")
            return replace(self.enclave, report_data=bind(self.envelope.bound()))
        if self.runtime_data is None:
            return self.enclave
        return replace(self.enclave, report_data=bind(self.runtime_data))


@dataclass(frozen=True, slots=True)
class Simulated:
    """Synthetic evidence with its collateral; `evidence` is the envelope, or the quote itself where there is none.

    `type_name` is the evidence type, `file_name` what the vector folders call such evidence.
    """

    type_name: str
    at: datetime
    quote: bytes
    evidence: bytes
    file_name: str
    runtime_data: bytes | None
    collateral: Collateral
    root: bytes
    event_log: bytes | None = None

    def write(self, directory: Path) -> None:
        """Writes `quote.bin`, the envelope, the held data and the collateral as the vector folders name them."""
        self.collateral.write(directory / "collateral")
        (directory / "quote.bin").write_bytes(self.quote)
        (directory / self.file_name).write_bytes(self.evidence)
        if self.runtime_data is not None:
            (directory / "runtime_data.bin").write_bytes(self.runtime_data)
        if self.event_log is not None:
            (directory / "event_log.bin").write_bytes(self.event_log)


def simulate(recipe: Recipe) -> Simulated:
    """What the recipe makes; the same recipe makes the same bytes.

    `root` is the DER of the synthetic root that a verifier must pin: the genuine one even where the recipe forges the
    hierarchy.
    """
    quote = mint_quote(recipe.attester(), recipe.machine, recipe.quote)
    submitted = recipe.submitted_runtime_data
    return Simulated(
        type_name=_type_name(recipe),
        at=recipe.at,
        quote=quote,
        evidence=_enclose(quote, recipe.envelope),
        file_name=_file_name(recipe.envelope),
        runtime_data=recipe.runtime_data if submitted is None else submitted,
        collateral=mint_collateral(recipe.documents, recipe.at, recipe.machine),
        root=HIERARCHY.root_certificate().public_bytes(Encoding.DER),
        event_log=recipe.submitted_log(),
    )


def simulate_sgx(
    at: datetime, *, runtime_data: bytes | None = None, enclave: Enclave = ENCLAVE, machine: Machine = MACHINE
) -> Simulated:
    """A good SGX quote of the enclave on the machine, with good collateral; judged UpToDate at `at`."""
    return simulate(Recipe(at, runtime_data, enclave=enclave, machine=machine))


def simulate_open_enclave(
    at: datetime,
    *,
    runtime_data: bytes | None = None,
    enclave: Enclave = ENCLAVE,
    machine: Machine = MACHINE,
    envelope: ReportForm | EvidenceForm = REPORT,
) -> Simulated:
    """A good Open Enclave report, or evidence where the envelope says so, with good collateral."""
    return simulate(Recipe(at, runtime_data, enclave=enclave, machine=machine, envelope=envelope))


def tdx_recipe(
    at: datetime,
    runtime_data: bytes | None = None,
    *,
    domain: TrustDomain = TRUST_DOMAIN,
    machine: Machine = TDX_MACHINE,
    version: int = 4,
) -> Recipe:
    """The recipe of good TDX evidence; version 5 is needed for reports of TD 1.5."""
    form = replace(TDX_QUOTE_FORM, version=version)
    return Recipe(at, runtime_data, machine=machine, quote=form, documents=TDX_DOCUMENTS, domain=domain)


def simulate_tdx(
    at: datetime,
    *,
    runtime_data: bytes | None = None,
    domain: TrustDomain = TRUST_DOMAIN,
    machine: Machine = TDX_MACHINE,
) -> Simulated:
    """A good TDX quote of the domain on the machine, with good collateral; version 5 for TD 1.5."""
    version = 4 if domain.body == TD_1_0 else 5
    return simulate(tdx_recipe(at, runtime_data, domain=domain, machine=machine, version=version))


def _type_name(recipe: Recipe) -> str:
    if recipe.domain is not None:
        return "TdxVm"
    return "SgxEnclave" if recipe.envelope is None else "OpenEnclave"


def _file_name(envelope: ReportForm | EvidenceForm | None) -> str:
    match envelope:
        case None:
            return "quote.bin"
        case ReportForm():
            return "oe_report.bin"
        case EvidenceForm():
            return "evidence.bin"


def _enclose(quote: bytes, envelope: ReportForm | EvidenceForm | None) -> bytes:
    if envelope is None:
        return quote
    return mint_report(quote, envelope) if isinstance(envelope, ReportForm) else mint_evidence(quote, envelope)

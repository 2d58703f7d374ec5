"""Genuine evidence of Intel's platforms, where the shared vectors stand beside the project, judged at its time."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from assay.client.shells import submission
from demo.samples import DESCRIPTOR, MR_ENCLAVE, MR_TD, flip
from demo.steps import Accepted, Refused, Step

# The same place as in tests/shared_vectors.py.
SHARED: Final = Path(os.environ.get("ASSAY_SHARED", Path(__file__).resolve().parents[2] / "shared"))


@dataclass(frozen=True, slots=True)
class Measurement:
    """Where a quote has what was measured, and the claim that must say the same."""

    name: str
    claim: str
    offset: int
    size: int


ENCLAVE: Final = Measurement("MRENCLAVE", "x-ms-sgx-mrenclave", MR_ENCLAVE, 32)
DOMAIN: Final = Measurement("MRTD", "tdx_mrtd", MR_TD, 48)
DOMAIN_1_5: Final = Measurement("MRTD", "tdx_mrtd", DESCRIPTOR + MR_TD, 48)


@dataclass(frozen=True, slots=True)
class Vector:
    """A vector's folder, its evidence file and what is known of it; `refused_by` names a check, or nothing."""

    type: str
    folder: str
    file: str
    what: str
    refused_by: str = ""
    measured: Measurement = ENCLAVE

    @property
    def path(self) -> Path:
        return SHARED / "evidence" / self.folder


@dataclass(frozen=True, slots=True)
class Moment:
    """Vectors that are judged at one time, which is inside the validity of all their documents."""

    at: str
    vectors: tuple[Vector, ...]


MOMENTS: Final = (
    Moment(
        "2025-06-21T10:32:27Z",
        (
            Vector(
                "TdxVm",
                "tdx-quote-v4/tdx4-b0c06f-uptodate-dcapqvl",
                "quote.bin",
                "Emerald Rapids, quote version 4",
                measured=DOMAIN,
            ),
        ),
    ),
    Moment(
        "2025-02-28T10:37:20Z",
        (
            Vector(
                "TdxVm",
                "tdx-quote-v5/tdx5-90c06f-relaunch-oe",
                "quote.bin",
                "Emerald Rapids, TD 1.5, to launch again",
                "tcb.status",
                DOMAIN_1_5,
            ),
        ),
    ),
    Moment(
        "2023-05-12T13:43:27Z",
        (
            Vector(
                "SgxEnclave",
                "sgx-quote/sgx-cfl-azure-intelsdk-debug",
                "quote.bin",
                "Coffee Lake on Azure, Intel SGX SDK",
            ),
        ),
    ),
    Moment(
        "2022-04-28T23:28:09Z",
        (
            Vector(
                "OpenEnclave",
                "oe-sgx/oe-evidence-plugin-2022",
                "evidence.bin",
                "Coffee Lake on Azure, OE evidence",
            ),
            Vector(
                "OpenEnclave",
                "oe-sgx/oe-report-azure-release",
                "oe_report.bin",
                "Coffee Lake on Azure, OE report, out of date",
                "tcb.status",
            ),
        ),
    ),
)


def moments_here() -> tuple[Moment, ...]:
    """The moments all of whose vectors are here."""
    return tuple(m for m in MOMENTS if all((vector.path / vector.file).is_file() for vector in m.vectors))


def genuine_steps(moment: Moment) -> tuple[Step, ...]:
    return tuple(step for vector in moment.vectors for step in _steps(vector))


def _steps(vector: Vector) -> tuple[Step, ...]:
    evidence = (vector.path / vector.file).read_bytes()
    quote = (vector.path / "quote.bin").read_bytes()
    held = vector.path / "runtime_data.bin"
    runtime_data = held.read_bytes() if held.is_file() else None
    measured = vector.measured
    start, end = measured.offset, measured.offset + measured.size
    members = {measured.claim: quote[start:end].hex()}
    expected = Refused(400, vector.refused_by) if vector.refused_by else Accepted(("verify-at",), members)
    tampered = flip(evidence, evidence.index(quote[:start]) + start)
    return (
        Step(vector.type, vector.what, "as received", submission(evidence, runtime_data=runtime_data), expected),
        Step(
            vector.type,
            vector.what,
            f"a bit of {measured.name} flipped",
            submission(tampered, runtime_data=runtime_data),
            Refused(400, "quote.signature"),
        ),
    )

"""Evidence for the stock clients, and what their results must say."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from assay.simulator import Enclave
from tests.service.material import HELD, quote, report
from tests.shared_vectors import shared_path


@dataclass(frozen=True)
class Sample:
    """One piece of evidence with the data that it binds; `runtime_json` says that the data is a JSON object."""

    name: str
    kind: str
    evidence: bytes
    runtime: bytes
    runtime_json: bool
    mr_enclave: str
    mr_signer: str
    product_id: int
    svn: int
    is_debuggable: bool


def simulated_samples() -> list[Sample]:
    enclave = Enclave()
    said = (enclave.mr_enclave.hex(), enclave.mr_signer.hex(), enclave.isv_prod_id, enclave.isv_svn, False)
    return [
        Sample("simulated quote", "SgxEnclave", quote().evidence, HELD, True, *said),
        Sample("simulated report", "OpenEnclave", report().evidence, HELD, True, *said),
    ]


def genuine_samples() -> list[Sample]:
    """The libraries' own samples; their manifest says what a token must carry."""
    folder = shared_path("vectors/azure-sdk/evidence")
    found = []
    for entry in json.loads((folder / "manifest.json").read_text()):
        runtime = (folder / f"{entry['name']}.runtime.bin").read_bytes()
        for kind, suffix in (("SgxEnclave", "quote"), ("OpenEnclave", "oe-report")):
            file = folder / f"{entry['name']}.{suffix}.bin"
            if file.exists():
                found.append(_genuine(entry, kind, file.read_bytes(), runtime))
    assert len(found) > 10
    return found


def _genuine(entry: dict[str, Any], kind: str, evidence: bytes, runtime: bytes) -> Sample:
    return Sample(
        entry["name"],
        kind,
        evidence,
        runtime,
        # The clients themselves refuse what is not JSON, the NUL of the C++ sample among it.
        entry["runtime_is_json"],
        entry["mrenclave"],
        entry["mrsigner"],
        entry["product_id"],
        entry["svn"],
        entry["is_debuggable"],
    )

"""Evidence of the machine that this program runs on, from whichever interface the machine has."""

from __future__ import annotations

from assay.client.local.machine import Machine, this_machine
from assay.client.local.source import (
    Asked,
    Finding,
    LocalEvidence,
    LocalEvidenceFailed,
    Presence,
    Source,
    report_data_of,
)
from assay.client.local.sources import SOURCE_NAMES, collect_local, find_source, look_around

__all__ = [
    "Asked",
    "Finding",
    "LocalEvidence",
    "LocalEvidenceFailed",
    "Machine",
    "Presence",
    "SOURCE_NAMES",
    "Source",
    "collect_local",
    "find_source",
    "look_around",
    "report_data_of",
    "this_machine",
]

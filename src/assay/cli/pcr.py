"""`assay pcr`: values of platform configuration registers."""

from __future__ import annotations

from typing import Final

from assay.cli.lazy import Entry, LazyGroup

pcr: Final = LazyGroup(
    "pcr",
    {"predict": Entry("assay.cli.pcr_predict", "predict", "What PCRs will be after a log or its parts.")},
    "Values of a TPM's platform configuration registers (PCRs).\n\n"
    "\b\nExamples:\n"
    "  assay pcr predict boot.log\n"
    "  assay pcr predict boot.log --pcr 7 --policy > machine.policy",
)

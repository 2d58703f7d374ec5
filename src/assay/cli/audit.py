"""`assay audit`: the record of decisions and changes, proven, read and purged."""

from __future__ import annotations

from typing import Final

from assay.cli.lazy import Entry, LazyGroup

audit: Final = LazyGroup(
    "audit",
    {
        "verify": Entry("assay.cli.audit_verify", "verify", "Recompute every hash chain.", "service"),
        "show": Entry("assay.cli.audit_show", "show", "Read and filter records.", "service"),
        "heads": Entry("assay.cli.audit_heads", "heads", "Print the heads of chains, to keep elsewhere.", "service"),
        "purge": Entry("assay.cli.audit_purge", "purge", "Remove old records, provably.", "service"),
    },
    "Prove, read and purge the record of decisions and changes.\n\n"
    "\b\nExamples:\n"
    "  assay audit verify\n"
    "  assay audit show --since 2026-03-01 --outcome refused\n"
    "  assay audit heads > heads-2026-03-01.json\n\n"
    "A decision takes 900 octets of disk where decisions come one at a time, 150 to 350 where many come at once: at a "
    "thousand an hour at most 22 MB a day. Records hold digests and identifiers, never evidence, tokens or secrets.",
)

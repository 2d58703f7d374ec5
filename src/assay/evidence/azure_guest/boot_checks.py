"""The checks of a guest's boot: which PCRs were quoted, and that the log gives each (tpm-and-guest 3.2, step 6; 6)."""

from __future__ import annotations

from typing import Final

from assay.errors import BindingMismatch, RuleViolated
from assay.evidence._tcg.replay import seen_replay
from assay.evidence.azure_guest.attestation_info import AttestationInfo
from assay.verdict import Check, Mismatch, Seen

# tpm-and-guest 6, PCR selection: what claims are computed from must be quoted.
_FIRMWARE: Final = tuple(range(8))
_WINDOWS: Final = (11, 12, 13)


def _cover(info: AttestationInfo) -> Seen:
    required = (*_FIRMWARE, *_WINDOWS) if info.system.is_windows else _FIRMWARE
    missing = tuple(index for index in required if index not in info.tpm.pcrs.values)
    if missing:
        raise Mismatch(f"PCR {', '.join(map(str, missing))} not quoted", f"PCR {', '.join(map(str, required))}")
    return Seen(tuple(sorted(info.tpm.pcrs.values)), required)


def _replay(info: AttestationInfo) -> Seen:
    return seen_replay(info.log, (info.tpm.pcrs,))


BOOT_CHECKS: Final[tuple[Check[AttestationInfo], ...]] = (
    Check(
        "tpm_quote.cover",
        "RequiredPcrNotQuoted",
        "tpm-and-guest 3.1 and 6; attack case AZ-07",
        "quote PCR 0 to 7, and 11 to 13 on Windows",
        RuleViolated,
        _cover,
    ),
    Check(
        "log.replay",
        "EventLogMismatch",
        "tpm-and-guest 3.2, step 6; attack case TPM-18",
        "send the whole event log of this boot, unchanged",
        BindingMismatch,
        _replay,
    ),
)

"""The rule of `--strict` on events whose data does not fit their digest (tpm-and-guest 5.2, attack case TPM-14)."""

from __future__ import annotations

from typing import Final, NamedTuple

from assay.errors import RuleViolated
from assay.evidence._tcg.event_types import event_type_name
from assay.evidence._tcg.measured import MeasuredLog, Standing
from assay.verdict import NOT_APPLICABLE, Check, Mismatch, Seen

# Of firmware's secure boot policy, and of what Windows' loader says of the system, after either launch. No genuine log
# is known that has an event there which cannot be read.
_READABLE: Final = frozenset((7, 12, 13, 19, 20))


class HiddenCase(NamedTuple):
    """What a log proves, and whether the operator is strict."""

    measured: MeasuredLog
    strict: bool


def _hidden(case: HiddenCase) -> Seen:
    if not case.strict:
        return NOT_APPLICABLE
    hidden = tuple(
        f"event {one.event.sequence} ({event_type_name(one.event.kind)}, PCR {one.event.pcr})"
        for one in case.measured.events
        if one.standing is Standing.NOT_COVERED and one.event.pcr in _READABLE
    )
    if hidden:
        raise Mismatch(hidden, _COVERED)
    return Seen("none hidden", _COVERED)


_COVERED: Final = "data under its own digest in PCR 7, 12, 13, 19 and 20, up to their separators"

HIDDEN_CHECKS: Final[tuple[Check[HiddenCase], ...]] = (
    Check(
        "log.hidden",
        "EventHidden",
        "tpm-and-guest 5.2; attack case TPM-14; rule of --strict",
        "send the event log as the firmware and the loader wrote it",
        RuleViolated,
        _hidden,
    ),
)

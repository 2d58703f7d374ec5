"""The CC event log of a trust domain against its RTMRs (attack case QV-30)."""

from __future__ import annotations

from typing import Final, NamedTuple

from assay.errors import BindingMismatch, RuleViolated
from assay.evidence._tcg.replay import replay_rtmrs
from assay.evidence.base import PlatformRules
from assay.evidence.tdx_vm.quote import TdxQuote
from assay.verdict import NOT_APPLICABLE, Check, Mismatch, Seen


class EventLogCase(NamedTuple):
    """A verified quote, with or without a log."""

    quote: TdxQuote
    rules: PlatformRules


def _present(case: EventLogCase) -> Seen:
    if not case.rules.require_event_log:
        return NOT_APPLICABLE
    if case.quote.log is None and any(map(any, case.quote.report.rtmrs)):
        raise Mismatch("RTMRs that were extended, and no event log", "the event log that extended them")
    return Seen("sent, or nothing was extended", "the event log of what was extended")


def _replay(case: EventLogCase) -> Seen:
    if case.quote.log is None:
        return NOT_APPLICABLE
    quoted, replayed = case.quote.report.rtmrs, replay_rtmrs(case.quote.log)
    differing = [index for index, rtmr in enumerate(quoted) if rtmr != replayed[index]]
    if differing:
        raise Mismatch(
            tuple(f"RTMR{index} {quoted[index].hex()}" for index in differing),
            tuple(f"RTMR{index} {replayed[index].hex()} by the log" for index in differing),
        )
    return Seen(f"{len(case.quote.log.events)} events", "every RTMR as the log gives it")


EVENT_LOG_CHECKS: Final[tuple[Check[EventLogCase], ...]] = (
    Check(
        "event_log.present",
        "EventLogRequired",
        "attack case QV-30; rule requireEventLog",
        "send the CC event log of the machine (ACPI table CCEL) as eventLog",
        RuleViolated,
        _present,
    ),
    Check(
        "event_log.replay",
        "EventLogMismatch",
        "attack case QV-30; tpm-and-guest 5.1",
        "send the whole CC event log of this boot, as it was when the quote was made",
        BindingMismatch,
        _replay,
    ),
)

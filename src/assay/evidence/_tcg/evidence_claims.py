"""The JSON evidence claims of policies 1.2: `events`, `bootEvents` and `pcrs` (claims 7.2, tpm-and-guest 5.6)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from assay import limits
from assay.errors import LimitExceeded
from assay.evidence._tcg.event_types import event_type_name
from assay.evidence._tcg.measured import MeasuredEvent, MeasuredLog
from assay.evidence._tcg.pcrs import PcrBank
from assay.evidence._tcg.tagged_json import describe_event
from assay.formats import base64url

if TYPE_CHECKING:
    from assay.formats.strict_json import JsonValue

EVENTS: Final = "events"
BOOT_EVENTS: Final = "bootEvents"
PCRS: Final = "pcrs"


def events_claim(measured: MeasuredLog, more: Iterable[dict[str, JsonValue]] = ()) -> str:
    """The value of `events` (or `bootEvents`): every event of the log, with data only where it is proven.

    `more` are events of other logs without their numbers (`ima.describe_ima`), which go on. Raises `LimitExceeded`.
    """
    events = [_describe(one) for one in measured.events]
    events.extend({"EventSeq": place, **event} for place, event in enumerate(more, start=len(events)))
    text = json.dumps({"Events": events}, separators=(",", ":"), ensure_ascii=False)
    if len(text) > limits.EVENTS_CLAIM:
        raise LimitExceeded("events claim, characters", limit=limits.EVENTS_CLAIM, found=len(text))
    return text


def _describe(measured: MeasuredEvent) -> dict[str, JsonValue]:
    event = measured.event
    return {
        "EventSeq": event.sequence,
        "PcrIndex": event.pcr,
        "EventTypeString": event_type_name(measured.kind),
        "EventType": event.kind,
        "ProcessedData": _processed(measured),
    }


def _processed(measured: MeasuredEvent) -> dict[str, JsonValue]:
    if measured.tagged is not None:
        return describe_event(measured.tagged)
    if measured.variable is not None:
        guid, name, content = measured.variable
        return {"VariableGuid": guid, "UnicodeName": name, "VariableData": base64url.encode(content)}
    return {}


def pcrs_claim(banks: Iterable[PcrBank]) -> str:
    """The value of `pcrs`: every quoted value in lower-case hex, by index and then bank."""
    values: dict[int, dict[str, str]] = {}
    for bank in banks:
        for index, value in bank.values.items():
            values.setdefault(index, {})[bank.algorithm.label] = value.hex()
    listed = [{"Index": index, "Digests": digests} for index, digests in sorted(values.items())]
    return json.dumps({"PCRs": listed}, separators=(",", ":"))

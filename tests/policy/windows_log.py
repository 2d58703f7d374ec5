"""Hand-made logs as the `events` claim, and the claim of a real log under its own PCRs (tpm-and-guest 5.6)."""

from __future__ import annotations

import json

from assay.evidence._tcg.algorithms import HashAlgorithm
from assay.evidence._tcg.event_log import parse_event_log
from assay.evidence._tcg.evidence_claims import events_claim
from assay.evidence._tcg.measured import measure
from assay.evidence._tcg.replay import replay

GLOBAL_VARIABLE = "8BE4DF61-93CA-11D2-AA0D-00E098032B8C"


def events_of_log(log):
    """The `events` claim of a log that a machine quoted in all of its banks."""
    parsed = parse_event_log(log)
    return events_claim(measure(parsed, [replay(parsed, HashAlgorithm(one)) for one in parsed.algorithms]))


def event(sequence, pcr, kind, processed):
    return {"EventSeq": sequence, "PcrIndex": pcr, "EventTypeString": kind, "ProcessedData": processed}


def events_of(*described):
    """The `events` claim of hand-made events: PCR, type and processed data of each."""
    return json.dumps({"Events": [event(index, *one) for index, one in enumerate(described)]}, separators=(",", ":"))


def boundary(pcr, **members):
    """A trust boundary measured into a PCR."""
    return pcr, "EV_EVENT_TAG", {"EVENT_TRUSTBOUNDARY": {f"EVENT_{name}": value for name, value in members.items()}}


def variable(name, data, guid=GLOBAL_VARIABLE):
    """A boot variable, its data in base64url."""
    return 7, "EV_EFI_VARIABLE_DRIVER_CONFIG", {"VariableGuid": guid, "UnicodeName": name, "VariableData": data}

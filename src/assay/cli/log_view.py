"""Event logs and IMA lists for people: every event decoded, the PCRs they lead to, what differs from a quote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from assay.cli.octets import describe_octets
from assay.errors import AssayError, MalformedEvidence, UnsupportedEvidence
from assay.evidence._tcg import event_types as types
from assay.evidence._tcg.algorithms import STRONG_HASHES, HashAlgorithm
from assay.evidence._tcg.attest import Quote, parse_quote
from assay.evidence._tcg.boot_claims import secure_boot, windows_boot
from assay.evidence._tcg.event_log import EventLog, LogForm, parse_cc_event_log, parse_event_log
from assay.evidence._tcg.ima import parse_ima_log
from assay.evidence._tcg.measured import (
    SECURE_BOOT_PCR,
    SECURE_BOOT_RTMR_INDEX,
    MeasuredEvent,
    MeasuredLog,
    measure,
    measure_cc,
)
from assay.evidence._tcg.pcrs import PcrBank, composite_digest
from assay.evidence._tcg.replay import differences, replay, replay_rtmrs
from assay.evidence._tcg.secure_boot_keys import classify_secure_boot_keys
from assay.evidence._tcg.tagged_json import describe_event

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assay.formats.strict_json import JsonObject, JsonValue

_COMPUTED: Final = (HashAlgorithm.SHA1, *sorted(STRONG_HASHES))
_TEXTS: Final = frozenset((types.ACTION, types.EFI_ACTION, types.IPL))
_UTF16_TEXTS: Final = frozenset((types.S_CRTM_VERSION,))
_SHOWN_TEXT: Final = 200


class LogView(NamedTuple):
    """A parsed log and what inspect says of it."""

    log: EventLog
    kind: str
    fields: JsonObject


def view_event_log(content: bytes) -> LogView:
    """A log of a TPM, or a CC event log; raises `MalformedEvidence` and `LimitExceeded`."""
    try:
        log = parse_event_log(content)
    except UnsupportedEvidence:
        log = parse_cc_event_log(content)
    return view_log(log)


def view_log(log: EventLog) -> LogView:
    """A parsed log for people."""
    return _view_rtmrs(log) if log.form is LogForm.CC else _view_pcrs(log)


def computed_banks(log: EventLog) -> tuple[PcrBank, ...]:
    """The log's banks whose hash is computed here, weakest first."""
    return tuple(replay(log, algorithm) for algorithm in _COMPUTED if algorithm in log.algorithms)


def _view_pcrs(log: EventLog) -> LogView:
    banks = computed_banks(log)
    measured = measure(log, banks)
    used = sorted({event.pcr for event in log.events if event.is_extended})
    fields: dict[str, JsonValue] = {
        **_overview(log),
        "pcrs": {bank.algorithm.label.lower(): _hex_values(bank, used) for bank in banks},
        "secure_boot": _secure_boot(measured, SECURE_BOOT_PCR),
        "windows": _windows(measured),
        "events": [_event(one) for one in measured.events],
    }
    return LogView(log, f"event log ({log.form.value})", fields)


def _view_rtmrs(log: EventLog) -> LogView:
    rtmrs = replay_rtmrs(log)
    measured = measure_cc(log, rtmrs)
    fields: dict[str, JsonValue] = {
        **_overview(log),
        "rtmrs": {f"RTMR{index}": value.hex() for index, value in enumerate(rtmrs)},
        "secure_boot": _secure_boot(measured, SECURE_BOOT_RTMR_INDEX),
        "events": [_event(one) for one in measured.events],
    }
    return LogView(log, "CC event log (CCEL) of a trust domain", fields)


def _overview(log: EventLog) -> dict[str, JsonValue]:
    names = {int(algorithm): algorithm.label for algorithm in HashAlgorithm}
    return {
        "hashes": [names.get(algorithm, f"{algorithm:#06x}") for algorithm in log.algorithms],
        "events_logged": len(log.events),
        "startup_locality": log.startup_locality,
    }


def _hex_values(bank: PcrBank, pcrs: Iterable[int]) -> JsonValue:
    return {str(pcr): bank.values[pcr].hex() for pcr in pcrs}


def _secure_boot(measured: MeasuredLog, pcr: int) -> JsonValue:
    keys = classify_secure_boot_keys(measured, pcr=pcr)
    return {
        "enabled": secure_boot(measured, pcr),
        "default_keys": keys.are_defaults,
        "dbx_known": keys.dbx.is_known,
        "differing": list(keys.differing),
    }


def _windows(measured: MeasuredLog) -> JsonValue:
    boot = windows_boot(measured)
    if not boot.is_measured:
        return "nothing measured"
    return {name: value for name, value in boot._asdict().items() if name != "is_measured"}


def _event(measured: MeasuredEvent) -> JsonValue:
    event = measured.event
    described: dict[str, JsonValue] = {
        "event": event.sequence,
        "pcr": event.pcr,
        "type": types.event_type_name(event.kind),
    }
    if measured.kind != event.kind:
        described["really"] = types.event_type_name(measured.kind)
    described["data"] = _data(measured)
    described["data_is"] = measured.standing.value
    return described


def _data(measured: MeasuredEvent) -> JsonValue:
    event = measured.event
    if measured.tagged is not None:
        return dict(describe_event(measured.tagged))
    if measured.variable is not None:
        guid, name, content = measured.variable
        return {"guid": guid, "name": name, "content": describe_octets(content)}
    if event.kind in _TEXTS or event.kind in _UTF16_TEXTS:
        text = event.data.decode("utf-16-le" if event.kind in _UTF16_TEXTS else "utf-8", "replace").rstrip("\0")
        return text if text.isprintable() and len(text) <= _SHOWN_TEXT else describe_octets(event.data)
    return describe_octets(event.data)


def view_ima(content: bytes) -> JsonObject:
    """An IMA list; raises `MalformedEvidence`, `LimitExceeded`."""
    entries = parse_ima_log(content)
    shown: list[JsonValue] = [
        {"template": one.template, "path": one.path, "digest": one.file_hash, "violation": one.is_violation}
        for one in entries
    ]
    return {"entries": shown, "violations": sum(one.is_violation for one in entries)}


def compare_pcrs(log: EventLog, quoted: Iterable[PcrBank]) -> JsonValue:
    """What differs between PCR values and the log; an empty list where nothing does."""
    return [
        {
            "pcr": f"{one.algorithm.label.lower()} {one.pcr}",
            "quoted": one.quoted.hex(),
            "replayed": one.replayed.hex(),
        }
        for one in differences(log, quoted)
    ]


def compare_quote(log: EventLog, octets: bytes) -> JsonValue:
    """Whether a quote is over what the log gives. A quote has one digest for all: it does not say which PCR differs."""
    try:
        quote = parse_quote(octets)
    except MalformedEvidence as error:
        return f"no quote: {error.message}"
    banks = {chosen.algorithm: replay(log, chosen.algorithm) for chosen in quote.selections}
    selected = ", ".join(
        f"{chosen.algorithm.label.lower()} {' '.join(map(str, chosen.indices))}" for chosen in quote.selections
    )
    verdict = "the quote is over what the log gives" if _is_over(quote, banks) else "THE QUOTE IS OVER OTHER VALUES"
    return {"selection": selected, "verdict": verdict}


def _is_over(quote: Quote, banks: dict[HashAlgorithm, PcrBank]) -> bool:
    """By any hash: the signature, which names it, is not at hand."""
    return any(composite_digest(quote.selections, banks, algorithm) == quote.pcr_digest for algorithm in STRONG_HASHES)


def is_event_log(content: bytes) -> bool:
    """Whether octets that begin like no other evidence are a log to their end."""
    try:
        view_event_log(content)
    except AssayError:
        return False
    return True

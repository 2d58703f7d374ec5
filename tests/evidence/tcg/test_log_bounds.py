"""Bounds and refusals of the parsers of logs that no attack case names."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from assay import limits
from assay.errors import AssayError, LimitExceeded, MalformedEvidence, UnsupportedEvidence
from assay.evidence._tcg.algorithms import HashAlgorithm
from assay.evidence._tcg.efi import parse_signature_lists, parse_variable
from assay.evidence._tcg.event_log import join_event_logs, parse_cc_event_log, parse_event_log
from assay.evidence._tcg.ima import parse_ima_log
from assay.evidence._tcg.replay import replay
from assay.evidence._tcg.sipa import parse_tagged
from assay.evidence._tcg.tagged_json import describe_tagged
from assay.simulator.tpm.event_log import (
    CC,
    NO_ACTION,
    SHA256_SIGNATURE,
    LogForm,
    LoggedEvent,
    encode_log,
    signature_list,
    tagged,
    variable_data,
)
from assay.simulator.tpm.structures import SHA384


def spec_id(hashes: bytes, count: int) -> bytes:
    data = b"Spec ID Event03\0" + bytes(8) + struct.pack("<I", count) + hashes + b"\0"
    return struct.pack("<II20sI", 0, NO_ACTION, bytes(20), len(data)) + data


def ima_entry(template: bytes, fields: int) -> bytes:
    data = bytes(4) * fields
    return struct.pack("<I20sI", 10, bytes(20), len(template)) + template + struct.pack("<I", len(data)) + data


REFUSED: dict[str, tuple[Callable[[bytes], object], bytes, type[AssayError]]] = {
    "a CC event log under another index": (
        parse_cc_event_log,
        encode_log([], LogForm((SHA384,), header_index=2)),
        MalformedEvidence,
    ),
    "an event of MR 5": (parse_cc_event_log, encode_log([LoggedEvent(5, 5, b"")], CC), MalformedEvidence),
    "no hash announced": (parse_event_log, spec_id(b"", 0), MalformedEvidence),
    "17 hashes announced": (parse_event_log, spec_id(bytes(68), 17), MalformedEvidence),
    "SHA-256 of 20 octets": (parse_event_log, spec_id(struct.pack("<HH", 0xB, 20), 1), MalformedEvidence),
    "octets after the vendor's": (parse_event_log, spec_id(struct.pack("<HHB", 0xB, 32, 0), 1), MalformedEvidence),
    "a long variable name": (parse_variable, variable_data("x" * 513, b""), LimitExceeded),
    "a variable and more": (parse_variable, variable_data("x", b"") + b"\0", MalformedEvidence),
    "a name that is no UTF-16": (parse_variable, bytes(16) + struct.pack("<QQ", 1, 0) + b"\0\xd8", MalformedEvidence),
    "a database of too many entries": (
        parse_signature_lists,
        signature_list(*[bytes(32)] * (limits.SIGNATURE_DATA + 1), kind=SHA256_SIGNATURE),
        LimitExceeded,
    ),
    "too many tags": (parse_tagged, tagged(1, b"") * (limits.TAGS + 1), LimitExceeded),
    "a tag cut short": (parse_tagged, tagged(1, b"value")[:-1], MalformedEvidence),
    "too many IMA entries": (parse_ima_log, ima_entry(b"x", 1) * (limits.IMA_ENTRIES + 1), LimitExceeded),
    "too many IMA fields": (parse_ima_log, ima_entry(b"x", limits.IMA_FIELDS + 1), LimitExceeded),
    "fields of another template": (parse_ima_log, ima_entry(b"ima-ng", 3), MalformedEvidence),
    "a template that is no ASCII": (parse_ima_log, ima_entry(b"\xff", 1), MalformedEvidence),
    "a line of three words": (parse_ima_log, b"10 00 ima-ng\n", MalformedEvidence),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_out_of_bounds_is_refused(name: str) -> None:
    parse, octets, failure = REFUSED[name]
    with pytest.raises(failure):
        parse(octets)


def test_no_logs_are_no_log() -> None:
    with pytest.raises(MalformedEvidence):
        join_event_logs([])


def test_a_bank_whose_hash_is_not_computed_here_is_not_replayed() -> None:
    log = parse_event_log(encode_log([LoggedEvent(0, 5, b"")]))
    with pytest.raises(UnsupportedEvidence):
        replay(log, HashAlgorithm.SM3_256)


def test_a_template_is_its_own_format() -> None:
    """Kernels with `ima_template_fmt` write the fields into the name."""
    (entry,) = parse_ima_log(ima_entry(b"d-ng|n-ng|sig", 3))
    assert [name for name, _ in entry.fields] == ["d-ng", "n-ng", "sig"]


def test_text_that_is_no_utf_16_is_shown_as_it_is() -> None:
    assert describe_tagged(parse_tagged(tagged(0x00070001, b"\0\xd8"))) == {"EVENT_FILEPATH": {"RawData": "ANg"}}


def test_measurements_of_the_kernels_integrity_are_described() -> None:
    content = tagged(0x40010005, tagged(0x000B0001, b"s"))
    assert describe_tagged(parse_tagged(content)) == {
        "EVENT_KSR_AGGREGATION": {"EVENT_KSR_SIGNATURE": {"RawData": "cw"}}
    }

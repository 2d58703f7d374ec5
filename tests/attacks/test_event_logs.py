"""Attack cases of event logs: what is dropped, added, edited or called something else proves nothing."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.errors import AssayError, LimitExceeded, MalformedEvidence
from assay.evidence._tcg import event_types as types
from assay.evidence._tcg.algorithms import HashAlgorithm
from assay.evidence._tcg.boot_claims import BootClaims, boot_claims, idks_values, secure_boot, windows_boot
from assay.evidence._tcg.efi import parse_signature_lists
from assay.evidence._tcg.event_log import parse_event_log
from assay.evidence._tcg.evidence_claims import events_claim
from assay.evidence._tcg.measured import MeasuredLog, Standing, measure
from assay.evidence._tcg.pcrs import PcrBank
from assay.evidence._tcg.replay import differences, replay, seen_replay
from assay.simulator.tpm import boots
from assay.simulator.tpm.event_log import (
    EFI_ACTION,
    EVENT_TAG,
    FORM,
    GLOBAL_VARIABLE,
    IPL,
    LEGACY,
    NO_ACTION,
    SECURITY_DATABASE,
    SHA256_SIGNATURE,
    VARIABLE_AUTHORITY,
    VARIABLE_BOOT,
    VARIABLE_DRIVER_CONFIG,
    LogForm,
    LoggedEvent,
    boundary,
    encode_log,
    pcr_values,
    separator,
    signature_list,
    tagged,
    variable,
    variable_data,
    with_data,
)
from assay.simulator.tpm.structures import SHA1, SHA256
from assay.verdict import Mismatch

Events = Sequence[LoggedEvent]

WINDOWS = boots.windows_boot()
LINUX = boots.linux_boot()
ALL = range(24)
OFF = boots.FirmwareForm(secure_boot=b"\0")
DEBUGGED = boots.windows_boot(boots.WindowsForm(boot_debugging=True, safe_mode=True))


def banks(events: Events, pcrs: Sequence[int] = ALL, form: LogForm = FORM) -> list[PcrBank]:
    """What a TPM that was extended with the events quotes of its SHA-256 bank."""
    values = pcr_values(events, form)[SHA256]
    return [PcrBank(HashAlgorithm.SHA256, {pcr: values[pcr] for pcr in pcrs})]


def judged(sent: Events, machine: Events | None = None, pcrs: Sequence[int] = ALL) -> MeasuredLog:
    """What a log proves about a machine: it must replay first."""
    log, quoted = parse_event_log(encode_log(sent)), banks(sent if machine is None else machine, pcrs)
    seen_replay(log, quoted)
    return measure(log, quoted)


def claims(sent: Events, machine: Events | None = None, pcrs: Sequence[int] = ALL) -> BootClaims:
    return boot_claims(judged(sent, machine, pcrs))


def place(events: Events, mark: bytes) -> int:
    (found,) = (index for index, event in enumerate(events) if mark in event.data)
    return found


def changed(events: Events, index: int, event: LoggedEvent) -> list[LoggedEvent]:
    return [*events[:index], event, *events[index + 1 :]]


SECURE_BOOT = place(WINDOWS, "SecureBoot".encode("utf-16-le"))
SAFE_MODE = place(WINDOWS, struct.pack("<II", 0x00050005, 1))


def test_the_control_has_every_claim() -> None:
    assert all(claims(WINDOWS))


# TPM-18: a log that is not the whole story.


@pytest.mark.parametrize("index", range(len(WINDOWS)))
def test_a_log_without_one_event_does_not_replay(index: int) -> None:
    with pytest.raises(Mismatch):
        claims([*WINDOWS[:index], *WINDOWS[index + 1 :]], WINDOWS)


@pytest.mark.parametrize("pcr", sorted({event.pcr for event in WINDOWS}))
def test_a_log_without_all_events_of_one_pcr_does_not_replay(pcr: int) -> None:
    """A comparison of only those PCRs that the log mentions would pass."""
    with pytest.raises(Mismatch):
        claims([event for event in WINDOWS if event.pcr != pcr], WINDOWS)


@pytest.mark.parametrize("length", range(1, len(WINDOWS)))
def test_a_log_cut_after_any_event_does_not_replay(length: int) -> None:
    with pytest.raises(Mismatch):
        claims(WINDOWS[:length], WINDOWS)


def test_events_in_another_order_do_not_replay() -> None:
    first, second = SECURE_BOOT, SECURE_BOOT + 1
    swapped = changed(changed(WINDOWS, first, WINDOWS[second]), second, WINDOWS[first])
    with pytest.raises(Mismatch):
        claims(swapped, WINDOWS)


def test_an_invented_event_does_not_replay() -> None:
    with pytest.raises(Mismatch):
        claims([*WINDOWS, boundary(13, tagged(0x00050002, b"\1"), banks=(SHA256,))], WINDOWS)


def test_an_event_moved_to_another_pcr_does_not_replay() -> None:
    with pytest.raises(Mismatch):
        claims(changed(WINDOWS, SECURE_BOOT, replace(WINDOWS[SECURE_BOOT], pcr=6)), WINDOWS)


def test_nothing_quoted_is_nothing_replayed() -> None:
    log = parse_event_log(encode_log(WINDOWS))
    for quoted in ([], [PcrBank(HashAlgorithm.SHA256, {})]):
        with pytest.raises(Mismatch):
            seen_replay(log, quoted)


def test_every_differing_pcr_is_named() -> None:
    log = parse_event_log(encode_log([event for event in WINDOWS if event.pcr not in (4, 7)]))
    assert [one.pcr for one in differences(log, banks(WINDOWS))] == [4, 7]


def test_each_quoted_bank_must_replay() -> None:
    values = pcr_values(WINDOWS)
    log = parse_event_log(encode_log(WINDOWS, LogForm(forged={(SECURE_BOOT, SHA1): bytes(20)})))
    seen_replay(log, banks(WINDOWS))
    with pytest.raises(Mismatch):
        seen_replay(log, [*banks(WINDOWS), PcrBank(HashAlgorithm.SHA1, values[SHA1])])


def test_a_log_of_sha1_alone_replays_no_other_bank() -> None:
    log = parse_event_log(encode_log(LINUX, LEGACY))
    with pytest.raises(Mismatch):
        seen_replay(log, banks(LINUX))


@pytest.mark.parametrize("locality", [0, 3, 4])
def test_the_startup_locality_decides_pcr_0(locality: int) -> None:
    form = LogForm(locality=locality)
    seen_replay(parse_event_log(encode_log(WINDOWS, form)), banks(WINDOWS, form=form))
    if locality:
        with pytest.raises(Mismatch):
            seen_replay(parse_event_log(encode_log(WINDOWS, form)), banks(WINDOWS))


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param([LoggedEvent(0, NO_ACTION, b"StartupLocality\0\x01")], id="locality 1"),
        pytest.param([LoggedEvent(0, NO_ACTION, b"StartupLocality\0")], id="no locality"),
        pytest.param([LoggedEvent(1, NO_ACTION, b"StartupLocality\0\x03")], id="of PCR 1"),
        pytest.param([LoggedEvent(0, NO_ACTION, b"StartupLocality\0\x03")] * 2, id="twice"),
        pytest.param([*WINDOWS[:1], LoggedEvent(0, NO_ACTION, b"StartupLocality\0\x03")], id="late"),
    ],
)
def test_a_startup_locality_where_none_can_be_is_refused(sent: Events) -> None:
    with pytest.raises(MalformedEvidence):
        parse_event_log(encode_log(sent))


# TPM-14: data that its digest does not cover.


def test_secure_boot_edited_to_on_is_not_on() -> None:
    machine = boots.windows_boot(boots.WindowsForm(firmware=OFF))
    edited = changed(machine, SECURE_BOOT, with_data(machine[SECURE_BOOT], WINDOWS[SECURE_BOOT].data))
    assert not claims(edited, machine).secure_boot_enabled
    assert "SecureBoot" not in events_claim(judged(edited, machine))


@pytest.mark.parametrize("index", range(len(WINDOWS)))
def test_edited_data_of_any_event_makes_no_claim(index: int) -> None:
    """Nothing of the new data is claimed, and what is claimed without it is no better than before."""
    event = WINDOWS[index]
    edited = changed(WINDOWS, index, with_data(event, event.data[:-1] + bytes((event.data[-1] ^ 1,))))
    judgement = judged(edited, WINDOWS)
    assert (
        judgement.events[index + 1].standing is not Standing.COVERED
        or judgement.events[index + 1].kind == types.SEPARATOR
    )
    listed = json.loads(events_claim(judgement))["Events"][index + 1]
    assert listed["EventSeq"] == index + 1
    assert listed["ProcessedData"] == {}
    assert all(not after or before for before, after in zip(claims(WINDOWS), boot_claims(judgement), strict=True))


def test_a_property_hidden_behind_other_data_is_not_absent() -> None:
    """The claims that are true when nothing was measured are false when something was hidden (ADR 0037)."""
    hidden = changed(DEBUGGED, SAFE_MODE, with_data(DEBUGGED[SAFE_MODE], b"nothing to see"))
    found = claims(hidden, DEBUGGED)
    assert not found.not_safe_mode
    assert not found.not_win_pe
    boot = windows_boot(judged(hidden, DEBUGGED))
    assert not boot.is_readable
    assert not boot.debuggers_disabled
    assert not boot.signing_disabled


def test_data_that_only_the_weaker_bank_covers_is_not_believed() -> None:
    machine = boots.windows_boot(boots.WindowsForm(firmware=OFF))
    forged = {(SECURE_BOOT, SHA256): hashlib.sha256(machine[SECURE_BOOT].data).digest()}
    sent = changed(machine, SECURE_BOOT, WINDOWS[SECURE_BOOT])
    log = parse_event_log(encode_log(sent, LogForm(forged=forged)))
    quoted = [PcrBank(HashAlgorithm.SHA1, pcr_values(sent)[SHA1]), *banks(machine)]
    seen_replay(log, quoted)
    assert not secure_boot(measure(log, quoted))


# TPM-13: the type of an event is proven by nothing.


@pytest.mark.parametrize("kind", [EFI_ACTION, IPL, VARIABLE_AUTHORITY, 0x12345678])
def test_secure_boot_off_called_something_else_does_not_make_room_for_a_late_one(kind: int) -> None:
    """Secure boot is off; an attacker extends PCR 7 later as if it were on, and renames all that says otherwise."""
    machine = [*boots.linux_boot(boots.LinuxForm(firmware=OFF)), variable("SecureBoot", b"\1"), separator(7)]
    for hidden in (lambda event: event, lambda event: with_data(event, b"hidden")):
        sent = [
            replace(hidden(event), kind=kind)
            if event.pcr == 7 and place_ != len(machine) - 2 and place_ != len(machine) - 1
            else event
            for place_, event in enumerate(machine)
        ]
        assert not claims(sent, machine).secure_boot_enabled


@pytest.mark.parametrize("kind", [IPL, EFI_ACTION, types.SEPARATOR, VARIABLE_DRIVER_CONFIG])
def test_a_tagged_event_is_read_whatever_its_type_is_said_to_be(kind: int) -> None:
    renamed = changed(DEBUGGED, SAFE_MODE, replace(DEBUGGED[SAFE_MODE], kind=kind))
    assert not claims(renamed, DEBUGGED).not_safe_mode
    listed = json.loads(events_claim(judged(renamed, DEBUGGED)))["Events"][SAFE_MODE + 1]
    assert (listed["EventTypeString"], listed["EventType"]) == ("EV_EVENT_TAG", kind)
    assert listed["ProcessedData"]["EVENT_TRUSTBOUNDARY"]["EVENT_SAFEMODE"] is True


@pytest.mark.parametrize(
    ("kind", "wrap"),
    [
        pytest.param(IPL, lambda data: b"grub_cmd: " + data, id="a command of a boot loader"),
        pytest.param(IPL, lambda data: data + b"\0", id="a text with an ending zero"),
        pytest.param(VARIABLE_BOOT, lambda data: variable_data("Boot0000", data), id="the content of a variable"),
    ],
)
def test_a_tagged_event_wrapped_into_another_kind_of_data_is_hidden_not_covered(
    kind: int, wrap: Callable[[bytes], bytes]
) -> None:
    event = DEBUGGED[SAFE_MODE]
    wrapped = changed(DEBUGGED, SAFE_MODE, replace(with_data(event, wrap(event.data)), kind=kind))
    judgement = judged(wrapped, DEBUGGED)
    assert judgement.events[SAFE_MODE + 1].standing is Standing.NOT_COVERED
    assert not boot_claims(judgement).not_safe_mode


def test_a_signature_called_a_database_makes_a_second_one() -> None:
    authority = place(WINDOWS, WINDOWS[SECURE_BOOT + 3].data[32:36] + boots.FIRMWARE.db[28:])
    renamed = changed(WINDOWS, authority, replace(WINDOWS[authority], kind=VARIABLE_DRIVER_CONFIG))
    # It stands behind the separator of its PCR, and is not taken.
    assert sum(one.name == "db" for one in judged(renamed, WINDOWS).variables(7)) == 1


def test_a_measured_event_called_no_action_does_not_replay() -> None:
    with pytest.raises(Mismatch):
        claims(changed(WINDOWS, SECURE_BOOT, replace(WINDOWS[SECURE_BOOT], kind=NO_ACTION)), WINDOWS)


# TPM-15: EV_NO_ACTION is extended into nothing.


def test_events_that_extend_nothing_make_no_claims() -> None:
    firmware = boots.FirmwareForm(secure_boot=None)
    machine = boots.windows_boot(boots.WindowsForm(code_integrity=None, firmware=firmware))
    inserted = [
        *machine[:1],
        replace(variable("SecureBoot", b"\1"), kind=NO_ACTION),
        *machine[1:-4],
        replace(boundary(12, tagged(0x00050023, boots.encode_idks(1 << 2047 | 1))), kind=NO_ACTION),
        *machine[-4:],
    ]
    judgement = judged(inserted, machine)
    assert not secure_boot(judgement)
    assert idks_values(judgement, 12) == ()
    assert "SecureBoot" not in events_claim(judgement)


# TPM-16: signature lists.


@pytest.mark.parametrize(
    "content",
    [
        signature_list(bytes(32), kind=SHA256_SIGNATURE, header=bytes(48)),
        signature_list(bytes(32), kind=SHA256_SIGNATURE)[:-1],
        signature_list(bytes(32), kind=SHA256_SIGNATURE) + b"\0",
        bytes(16) + struct.pack("<III", 28 + 48, 0, 0) + bytes(48),
        bytes(16) + struct.pack("<III", 28 + 48, 0, 16) + bytes(48),
        bytes(16) + struct.pack("<III", 27, 0, 48),
        bytes(16) + struct.pack("<III", 28 + 47, 0, 48) + bytes(47),
        bytes(16) + struct.pack("<III", 0xFFFFFFFF, 0, 48) + bytes(48),
    ],
)
def test_a_signature_list_that_hides_octets_is_refused(content: bytes) -> None:
    with pytest.raises(MalformedEvidence):
        parse_signature_lists(content)


def test_an_empty_database_has_no_entries() -> None:
    assert parse_signature_lists(b"") == ()


# TPM-17: what is not quoted proves nothing.


def test_an_event_of_a_pcr_that_is_not_quoted_makes_no_claim() -> None:
    firmware = [pcr for pcr in ALL if pcr != 7]
    assert not claims(WINDOWS, pcrs=firmware).secure_boot_enabled
    invented = changed(WINDOWS, SECURE_BOOT, variable("SecureBoot", b"\1"))
    assert not claims(invented, boots.windows_boot(boots.WindowsForm(firmware=OFF)), firmware).secure_boot_enabled
    windows = claims(WINDOWS, pcrs=range(8))
    assert (windows.vbs_enabled, windows.iommu_enabled, windows.boot_debugging_disabled) == (False, False, False)


# TPM-19: separators.


def test_secure_boot_measured_after_the_separator_is_not_taken() -> None:
    machine = boots.windows_boot(boots.WindowsForm(firmware=boots.FirmwareForm(secure_boot=None)))
    late = [*machine, variable("SecureBoot", b"\1")]
    assert not claims(late).secure_boot_enabled


def test_a_second_separator_does_not_begin_anew() -> None:
    firmware = boots.FirmwareForm(secure_boot=None)
    machine = [*boots.linux_boot(boots.LinuxForm(firmware=firmware)), variable("SecureBoot", b"\1"), separator(7)]
    assert not claims(machine).secure_boot_enabled


@pytest.mark.parametrize("content", [b"\xff" * 4, b"\1\0\0\0", b"other"])
@pytest.mark.parametrize("is_second", [False, True])
def test_a_separator_with_an_error_refuses_its_pcr(content: bytes, is_second: bool) -> None:
    index = next(place for place, event in enumerate(LINUX) if event == separator(7))
    if is_second:
        machine = [*LINUX[: index + 1], separator(7, content), *LINUX[index + 1 :]]
    else:
        machine = changed(LINUX, index, separator(7, content))
    judgement = judged(machine)
    assert not secure_boot(judgement)
    assert judgement.events[SECURE_BOOT + 1].standing is Standing.PCR_REFUSED


def test_equal_separators_of_one_pcr_are_admitted() -> None:
    """Real firmware does so."""
    index = next(place for place, event in enumerate(LINUX) if event == separator(7))
    assert claims([*LINUX[:index], separator(7), *LINUX[index:]]).secure_boot_enabled


def test_a_pcr_of_the_firmware_without_separator_makes_no_claims() -> None:
    machine = [event for event in LINUX if event != separator(7)]
    assert not claims(machine).secure_boot_enabled


@pytest.mark.parametrize("kind", [EVENT_TAG, EFI_ACTION])
def test_what_runs_after_windows_loader_adds_nothing(kind: int) -> None:
    """The separator is known by its digest, whatever the log calls it."""
    ended = next(place for place, event in enumerate(DEBUGGED) if event.pcr == 12 and event.data == b"WBCL")
    key = boots.encode_idks(1 << 2047 | 1)
    machine = [*DEBUGGED, boundary(12, tagged(0x00050023, key), banks=(SHA256,))]
    judgement = judged(changed(machine, ended, replace(machine[ended], kind=kind)), machine)
    assert idks_values(judgement, 12) == ()


@pytest.mark.parametrize(
    ("name", "guid"),
    [("SecureBoot\0", GLOBAL_VARIABLE), ("secureboot", GLOBAL_VARIABLE), ("SecureBoot", SECURITY_DATABASE)],
)
def test_a_variable_of_a_similar_name_is_another_one(name: str, guid: str) -> None:
    firmware = boots.FirmwareForm(secure_boot=None)
    machine = [variable(name, b"\1", guid), *boots.linux_boot(boots.LinuxForm(firmware=firmware))]
    assert not claims(machine).secure_boot_enabled


def test_a_second_secure_boot_variable_is_no_answer() -> None:
    machine = [*WINDOWS[: SECURE_BOOT + 1], variable("SecureBoot", b"\1"), *WINDOWS[SECURE_BOOT + 1 :]]
    assert not claims(machine).secure_boot_enabled


# TPM-23: sizes.


@pytest.mark.parametrize(
    ("octets", "failure"),
    [
        pytest.param(bytes((1 << 20) + 1), LimitExceeded, id="a log of more than a mebibyte"),
        pytest.param(
            encode_log([LoggedEvent(0, EFI_ACTION, b"")] * 8192), LimitExceeded, id="a log of more than 8192 events"
        ),
        pytest.param(struct.pack("<II20sI", 0, 1, b"\1" * 20, 0xFFFFFFFF), MalformedEvidence, id="an event of 4 GB"),
        pytest.param(encode_log(WINDOWS)[:-1], MalformedEvidence, id="an event cut short"),
        pytest.param(encode_log(WINDOWS, LogForm(padding=b"\0\1")), MalformedEvidence, id="a tail that is no padding"),
        pytest.param(encode_log(WINDOWS) + struct.pack("<III", 0, 5, 17), MalformedEvidence, id="17 digests"),
        pytest.param(encode_log(WINDOWS) + struct.pack("<III", 0, 5, 0), MalformedEvidence, id="no digest"),
        pytest.param(
            encode_log(WINDOWS) + struct.pack("<IIIH", 0, 5, 1, 0xD) + bytes(64), MalformedEvidence, id="another hash"
        ),
        pytest.param(
            encode_log(WINDOWS) + struct.pack("<IIIH20sH20s", 0, 5, 2, 4, bytes(20), 4, bytes(20)) + bytes(4),
            MalformedEvidence,
            id="a hash twice",
        ),
        pytest.param(encode_log([LoggedEvent(24, EFI_ACTION, b"")]), MalformedEvidence, id="PCR 24"),
        pytest.param(encode_log([], LogForm((SHA256, SHA256))), MalformedEvidence, id="a hash announced twice"),
        pytest.param(bytes(64), MalformedEvidence, id="nothing but padding"),
        pytest.param(b"", MalformedEvidence, id="nothing"),
    ],
)
def test_a_log_that_is_malformed_or_too_large_is_refused(octets: bytes, failure: type[AssayError]) -> None:
    with pytest.raises(failure):
        parse_event_log(octets)


def test_windows_trust_point_under_no_pcr_is_ignored() -> None:
    sent = [*WINDOWS, LoggedEvent(0xFFFFFFFF, EVENT_TAG, tagged(0xC0010004, b""))]
    assert all(claims(sent, WINDOWS))


@pytest.mark.parametrize("levels", [5, 100])
def test_tagged_events_nested_too_deeply_are_not_read(levels: int) -> None:
    nested = tagged(0x00050005, b"\1")
    for _ in range(levels):
        nested = tagged(0x40010001, nested)
    machine = [*WINDOWS[:-4], LoggedEvent(12, EVENT_TAG, nested, banks=(SHA256,)), *WINDOWS[-4:]]
    (event,) = (one for one in judged(machine).events if one.event.data == nested)
    assert event.tagged is None


# Any bit of a log.


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_flipped_bit_anywhere_in_a_log_improves_no_claim(data: st.DataObject) -> None:
    """The machine is debugged, in safe mode, without secure boot: no flip makes it look better."""
    form = boots.WindowsForm(boot_debugging=True, safe_mode=True, vbs=False, iommu=False, win_pe=True, firmware=OFF)
    machine = boots.windows_boot(form)
    octets = bytearray(encode_log(machine))
    octets[data.draw(st.integers(0, len(octets) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    quoted = banks(machine)
    try:
        log = parse_event_log(bytes(octets))
        seen_replay(log, quoted)
    except (AssayError, Mismatch):
        return
    assert not any(boot_claims(measure(log, quoted)))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400), st.integers(0, 3))
def test_any_octets_are_a_log_or_refused(octets: bytes, start: int) -> None:
    """Nothing but an error of ours comes out; what is parsed replays and is described."""
    head = encode_log(WINDOWS[:start]) if start else b""
    try:
        log = parse_event_log(head + octets)
    except AssayError:
        return
    bank = replay(log, HashAlgorithm.SHA1)
    assert json.loads(events_claim(measure(log, [bank])))["Events"][0]["EventSeq"] == 0

"""Synthetic boots: their logs replay to the PCRs that the simulator computes by itself, and say what was chosen."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from assay.evidence._tcg.algorithms import HashAlgorithm
from assay.evidence._tcg.boot_claims import BootClaims, boot_claims, idks_values
from assay.evidence._tcg.event_log import parse_cc_event_log, parse_event_log
from assay.evidence._tcg.evidence_claims import events_claim
from assay.evidence._tcg.measured import measure
from assay.evidence._tcg.pcrs import PcrBank
from assay.evidence._tcg.replay import replay, replay_rtmrs
from assay.simulator.tpm import boots
from assay.simulator.tpm.event_log import (
    CC,
    FORM,
    LEGACY,
    LogForm,
    LoggedEvent,
    boundary,
    encode_log,
    pcr_values,
    tagged,
)
from assay.simulator.tpm.structures import SHA1, SHA256, SHA384, SHA512

HEALTHY = BootClaims(
    secure_boot_enabled=True,
    iommu_enabled=True,
    boot_debugging_disabled=True,
    not_safe_mode=True,
    not_win_pe=True,
    vbs_enabled=True,
)


def claims(form: boots.WindowsForm) -> BootClaims:
    events = boots.windows_boot(form)
    bank = PcrBank(HashAlgorithm.SHA256, pcr_values(events)[SHA256])
    return boot_claims(measure(parse_event_log(encode_log(events)), [bank]))


@pytest.mark.parametrize("events", [boots.windows_boot(), boots.linux_boot()], ids=["Windows", "Linux"])
@pytest.mark.parametrize(
    "form",
    [FORM, LogForm((SHA256, SHA384, SHA512)), LogForm(locality=3), LogForm(padding=bytes(64), vendor=b"made here")],
    ids=["two banks", "three banks", "locality", "padding"],
)
def test_a_synthetic_log_replays_to_the_pcrs_of_its_machine(events: tuple[LoggedEvent, ...], form: LogForm) -> None:
    log = parse_event_log(encode_log(events, form))
    for algorithm, values in pcr_values(events, form).items():
        assert dict(replay(log, HashAlgorithm(algorithm)).values) == values


@pytest.mark.parametrize("events", [boots.windows_boot(), boots.linux_boot()], ids=["Windows", "Linux"])
def test_a_log_of_the_old_form_replays(events: tuple[LoggedEvent, ...]) -> None:
    log = parse_event_log(encode_log(events, LEGACY))
    assert dict(replay(log, HashAlgorithm.SHA1).values) == pcr_values(events, LEGACY)[SHA1]


def test_a_cc_event_log_replays_to_rtmrs() -> None:
    events = tuple(replace(event, pcr=1 + event.pcr % 4, banks=None) for event in boots.linux_boot())
    log = parse_cc_event_log(encode_log(events, CC))
    assert replay_rtmrs(log) == tuple(pcr_values(events, CC)[SHA384][index] for index in range(1, 5))


def test_a_healthy_windows_has_every_claim_of_policies_1_0() -> None:
    assert claims(boots.WINDOWS) == HEALTHY


@pytest.mark.parametrize(
    ("form", "changed"),
    [
        (boots.WindowsForm(boot_debugging=True), {"boot_debugging_disabled": False}),
        (boots.WindowsForm(boot_debugging=None), {"boot_debugging_disabled": False}),
        (boots.WindowsForm(safe_mode=True), {"not_safe_mode": False}),
        (boots.WindowsForm(safe_mode=None), {}),
        (boots.WindowsForm(win_pe=True), {"not_win_pe": False}),
        (boots.WindowsForm(vbs=False), {"vbs_enabled": False}),
        (boots.WindowsForm(vbs=None), {"vbs_enabled": False}),
        (boots.WindowsForm(iommu=False), {"iommu_enabled": False}),
        (boots.WindowsForm(firmware=boots.FirmwareForm(secure_boot=b"\0")), {"secure_boot_enabled": False}),
        (boots.WindowsForm(firmware=boots.FirmwareForm(secure_boot=b"")), {"secure_boot_enabled": False}),
        (boots.WindowsForm(firmware=boots.FirmwareForm(secure_boot=None)), {"secure_boot_enabled": False}),
        (boots.WindowsForm(firmware=boots.FirmwareForm(separator=None)), {"secure_boot_enabled": False}),
        (boots.WindowsForm(firmware=boots.FirmwareForm(separator=b"\xff" * 4)), {"secure_boot_enabled": False}),
    ],
)
def test_a_chosen_property_changes_its_claim_and_no_other(form: boots.WindowsForm, changed: dict[str, bool]) -> None:
    assert claims(form) == HEALTHY._replace(**changed)


def test_a_linux_has_secure_boot_and_nothing_of_windows() -> None:
    events = boots.linux_boot()
    bank = PcrBank(HashAlgorithm.SHA256, {pcr: pcr_values(events)[SHA256][pcr] for pcr in range(8)})
    found = boot_claims(measure(parse_event_log(encode_log(events)), [bank]))
    assert found == BootClaims(
        secure_boot_enabled=True,
        iommu_enabled=False,
        boot_debugging_disabled=False,
        not_safe_mode=True,
        not_win_pe=True,
        vbs_enabled=False,
    )


def test_the_identity_key_of_the_secure_kernel_is_found_once() -> None:
    key = boots.encode_idks(0xC0FFEE << 2024 | 1)
    events = boots.windows_boot(boots.WindowsForm(idks=key))
    measured = measure(parse_event_log(encode_log(events)), [PcrBank(HashAlgorithm.SHA256, pcr_values(events)[SHA256])])
    assert idks_values(measured, 12) == (key,)
    assert idks_values(measured, 19) == ()


def test_the_events_claim_has_the_documented_form() -> None:
    events = boots.windows_boot()
    measured = measure(parse_event_log(encode_log(events)), [PcrBank(HashAlgorithm.SHA256, pcr_values(events)[SHA256])])
    listed = json.loads(events_claim(measured))["Events"]
    assert [event["EventSeq"] for event in listed] == list(range(len(events) + 1))
    (secure_boot,) = (event for event in listed if event["ProcessedData"].get("UnicodeName") == "SecureBoot")
    assert secure_boot == {
        "EventSeq": 2,
        "PcrIndex": 7,
        "EventTypeString": "EV_EFI_VARIABLE_DRIVER_CONFIG",
        "EventType": 0x80000001,
        "ProcessedData": {
            "VariableGuid": "8BE4DF61-93CA-11D2-AA0D-00E098032B8C",
            "UnicodeName": "SecureBoot",
            "VariableData": "AQ",
        },
    }
    boundaries = [event["ProcessedData"].get("EVENT_TRUSTBOUNDARY", {}) for event in listed if event["PcrIndex"] == 12]
    assert boundaries[1] == {
        "EVENT_TRANSFER_CONTROL": {"String": "OS_LOADER", "Value": 1},
        "EVENT_BITLOCKER_UNLOCK": {"String": "TPM", "Value": 4},
    }
    assert boundaries[2]["EVENT_VBS_HVCI_POLICY"] == {"String": "HypervisorEnforcedCodeIntegrityEnable", "Value": 1}
    (modules,) = (
        event["ProcessedData"]["EVENT_TRUSTBOUNDARY"]["EVENT_LOADEDMODULE_AGGREGATION"]
        for event in listed
        if "winload" in json.dumps(event)
    )
    assert modules == [
        {"EVENT_FILEPATH": r"\Windows\system32\winload.efi", "EVENT_IMAGEVALIDATED": True, "EVENT_MODULE_SVN": 1}
    ]


@pytest.mark.parametrize("events", [boots.windows_boot(), boots.linux_boot()], ids=["Windows", "Linux"])
def test_another_reader_of_logs_replays_to_the_same_pcrs(events: tuple[LoggedEvent, ...], tmp_path: Path) -> None:
    """tpm2_eventlog of tpm2-tools, which is right where no startup locality is stated (tpm-and-guest 5.1)."""
    tool = shutil.which("tpm2_eventlog")
    if tool is None:
        pytest.skip("tpm2_eventlog is not installed")
    file = tmp_path / "log"
    file.write_bytes(encode_log(events))
    printed = subprocess.run([tool, str(file)], capture_output=True, text=True, check=True).stdout
    bank: dict[str, dict[int, str]] = {}
    for line in printed[printed.index("\npcrs:") :].splitlines():
        name, value = re.match(r"  (sha\d+):$", line), re.match(r"    (\d+)\s*: 0x([0-9a-f]+)$", line)
        if name:
            values = bank.setdefault(name[1], {})
        elif value:
            values[int(value[1])] = value[2]
    log = parse_event_log(encode_log(events))
    for label, algorithm in (("sha1", HashAlgorithm.SHA1), ("sha256", HashAlgorithm.SHA256)):
        ours = replay(log, algorithm).values
        assert bank[label]
        assert bank[label] == {pcr: ours[pcr].hex() for pcr in bank[label]}


def test_what_a_dynamic_launch_measures_counts_as_what_a_static_one_does() -> None:
    """After a dynamic launch PCR 17 to 22 begin with zeros, and 19 and 20 say what 12 and 13 do."""
    later = (
        boundary(19, tagged(0x00050005, b"\1")),
        boundary(20, tagged(0x00040001, b"\1"), tagged(0x000A0003, b"\0")),
    )
    events = (*boots.windows_boot(), *later)
    log = parse_event_log(encode_log(events))
    bank = PcrBank(HashAlgorithm.SHA256, pcr_values(events)[SHA256])
    assert dict(replay(log, HashAlgorithm.SHA256).values) == dict(bank.values)
    assert bank.values[17] == bytes(32)
    assert boot_claims(measure(log, [bank])) == HEALTHY._replace(
        boot_debugging_disabled=False, not_safe_mode=False, iommu_enabled=False
    )


def test_the_commands_of_a_boot_loader_are_covered_without_their_prefix() -> None:
    events = boots.linux_boot()
    measured = measure(parse_event_log(encode_log(events)), [PcrBank(HashAlgorithm.SHA256, pcr_values(events)[SHA256])])
    contents = [one.content for one in measured.events if one.event.pcr == 8]
    assert contents == [b"linux /vmlinuz root=/dev/sda1 ro quiet", None]

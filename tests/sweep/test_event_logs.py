"""Every bit of a synthetic event log, flipped (`make sweep`): no flip makes a bad boot look better."""

from __future__ import annotations

import pytest

from assay.errors import AssayError
from assay.evidence._tcg.algorithms import HashAlgorithm
from assay.evidence._tcg.boot_claims import boot_claims, secure_boot, windows_boot
from assay.evidence._tcg.event_log import parse_event_log
from assay.evidence._tcg.measured import measure
from assay.evidence._tcg.pcrs import PcrBank
from assay.evidence._tcg.replay import seen_replay
from assay.simulator.tpm import boots
from assay.simulator.tpm.event_log import encode_log, pcr_values
from assay.simulator.tpm.structures import SHA256
from assay.verdict import Mismatch

_BAD = boots.WindowsForm(
    code_integrity=False,
    boot_debugging=True,
    kernel_debugging=True,
    hypervisor_debugging=True,
    test_signing=True,
    flight_signing=True,
    safe_mode=True,
    win_pe=True,
    vbs=False,
    iommu=False,
    hvci_policy=0,
    firmware=boots.FirmwareForm(secure_boot=b"\0"),
)


@pytest.mark.sweep
def test_no_flipped_bit_makes_a_bad_boot_look_better() -> None:
    machine = boots.windows_boot(_BAD)
    good = encode_log(machine)
    quoted = [PcrBank(HashAlgorithm.SHA256, pcr_values(machine)[SHA256])]
    admitted = 0
    for place in range(8 * len(good)):
        flipped = bytearray(good)
        flipped[place // 8] ^= 1 << place % 8
        try:
            log = parse_event_log(bytes(flipped))
            seen_replay(log, quoted)
        except (AssayError, Mismatch):
            continue
        measured = measure(log, quoted)
        boot = windows_boot(measured)
        assert not any(boot_claims(measured)), place
        better = (secure_boot(measured), boot.debuggers_disabled, boot.signing_disabled, boot.hvci_policy)
        assert not any(better), place
        admitted += 1
    print(f"\n{8 * len(good)} flips, {admitted} admitted without a better claim")
    # Types, and data that no digest covers.
    assert admitted

"""A TPM of this machine, noticed and not used: evidence of a TPM is made by other programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assay.client.local.source import Finding, Presence

if TYPE_CHECKING:
    from assay.client.local.machine import Machine

# The first one is shared by the kernel's resource manager.
DEVICES: Final = ("/dev/tpmrm0", "/dev/tpm0")
_NAME: Final = "tpm"
_ABSENT: Final = "load it: modprobe tpm_crb or tpm_tis; a virtual machine needs a virtual TPM"
_NOT_HERE: Final = (
    "make the evidence with another program and name its file; in a confidential VM of Azure the report of the hardware"
    " is in NV index 0x01400001"
)


def notice_tpm(machine: Machine) -> Finding:
    """Whether there is a TPM."""
    device = next((device for device in DEVICES if machine.files.exists(device)), None)
    if device is None:
        return Finding(_NAME, Presence.ABSENT, f"no {DEVICES[0]}", remedy=_ABSENT)
    return Finding(_NAME, Presence.BLOCKED, f"the device {device}, which no source reads", remedy=_NOT_HERE)

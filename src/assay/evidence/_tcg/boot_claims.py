"""What a boot was, from what is proven of its log: claims of policies 1.0 and 1.1, and of guests (tpm-and-guest 5.5).

A property measured several times holds when it holds each time. What the log hides counts against it: no claim that
something is off rests on an event that cannot be read (ADR 0037).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from assay.evidence._tcg import sipa
from assay.evidence._tcg.efi import GLOBAL_VARIABLE
from assay.evidence._tcg.measured import SECURE_BOOT_PCR, SECURE_BOOT_RTMR_INDEX, MeasuredLog
from assay.evidence._tcg.sipa import Tagged

# After a static launch 12 and 13, after a dynamic one 19 and 20.
_BOOT_PCRS: Final = (12, 13, 19, 20)
_VBS_PCRS: Final = (12, 19)
_GUEST_PCRS: Final = (12, 13)
_WINDOWS_PCRS: Final = (11, 12, 13, 14)
_ON: Final = b"\x01"


class BootClaims(NamedTuple):
    """The booleans that the service derives for policies 1.0 and 1.1 (claims 7.1)."""

    secure_boot_enabled: bool
    iommu_enabled: bool
    boot_debugging_disabled: bool
    not_safe_mode: bool
    not_win_pe: bool
    vbs_enabled: bool

    def members(self) -> tuple[tuple[str, bool], ...]:
        """Names of claims and their values."""
        return tuple(zip(_NAMES, self, strict=True))


_NAMES: Final = (
    "secureBootEnabled",
    "iommuEnabled",
    "bootDebuggingDisabled",
    "notSafeMode",
    "notWinPE",
    "vbsEnabled",
)


class WindowsBoot(NamedTuple):
    """How Windows was started, as guests of Azure claim it (tpm-and-guest 3.5); for other systems all is off.

    `is_readable` says that nothing in its PCRs is hidden: without it "disabled" is not proven.
    """

    is_measured: bool
    is_readable: bool
    boot_debugging: bool
    kernel_debugging: bool
    hypervisor_debugging: bool
    test_signing: bool
    flight_signing: bool
    elam: bool
    hvci_policy: int

    @property
    def debuggers_disabled(self) -> bool:
        return self.is_readable and not (self.boot_debugging or self.kernel_debugging or self.hypervisor_debugging)

    @property
    def signing_disabled(self) -> bool:
        """Neither test nor flight signing."""
        return self.is_readable and not (self.test_signing or self.flight_signing)


def secure_boot(measured: MeasuredLog, pcr: int = SECURE_BOOT_PCR) -> bool:
    """Exactly one SecureBoot variable, and it is 01, before the separator of its PCR."""
    states = [
        variable.content
        for variable in measured.variables(pcr)
        if (variable.guid, variable.name) == (GLOBAL_VARIABLE, "SecureBoot")
    ]
    return states == [_ON]


def secure_boot_of_td(measured: MeasuredLog) -> bool:
    """The same, of a TD's CC event log."""
    return secure_boot(measured, SECURE_BOOT_RTMR_INDEX)


def boot_claims(measured: MeasuredLog) -> BootClaims:
    """The claims of policies 1.0 and 1.1."""
    boot = _Properties(measured, _BOOT_PCRS)
    return BootClaims(
        secure_boot_enabled=secure_boot(measured),
        iommu_enabled=boot.all_are(sipa.VBS_IOMMU_REQUIRED, expected=True),
        boot_debugging_disabled=boot.all_are(sipa.BOOT_DEBUGGING, expected=False),
        not_safe_mode=boot.is_never_true(sipa.SAFE_MODE),
        not_win_pe=boot.is_never_true(sipa.WIN_PE),
        vbs_enabled=_Properties(measured, _VBS_PCRS).all_are(
            sipa.VBS_VSM_REQUIRED, sipa.VBS_MANDATORY_ENFORCEMENT, expected=True
        ),
    )


def windows_boot(measured: MeasuredLog) -> WindowsBoot:
    """How Windows was started; a PCR 13 that was not quoted is no hidden one."""
    boot = _Properties(measured, _GUEST_PCRS)
    policies = [tagged.number for tagged in boot.values(sipa.VBS_HVCI_POLICY)]
    return WindowsBoot(
        is_measured=any(tagged.tag == sipa.TRUST_BOUNDARY for tagged in measured.tagged(*_WINDOWS_PCRS)),
        is_readable=not boot.is_hiding,
        boot_debugging=boot.is_ever_true(sipa.BOOT_DEBUGGING),
        kernel_debugging=boot.is_ever_true(sipa.OS_KERNEL_DEBUG),
        hypervisor_debugging=boot.is_ever_true(sipa.HYPERVISOR_DEBUG),
        test_signing=boot.is_ever_true(sipa.TEST_SIGNING),
        flight_signing=boot.is_ever_true(sipa.FLIGHT_SIGNING),
        elam=_has_elam_driver(boot),
        # Contradicting values prove no policy.
        hvci_policy=policies[0] if len(set(policies)) == 1 else 0,
    )


def _has_elam_driver(boot: _Properties) -> bool:
    return any(
        member.tag == sipa.ELAM_MEASURED for tagged in boot.values(sipa.ELAM_AGGREGATION) for member in tagged.members
    )


def idks_values(measured: MeasuredLog, pcr: int) -> tuple[bytes, ...]:
    """The secure kernel's identity keys that the loader measured into PCR 12 or 19, each once (tpm-and-guest 2.3).

    At every level of an event: whoever wants exactly one key must see all of them.
    """
    keys = (tagged.value for tagged in _flattened(measured.tagged(pcr)) if tagged.tag == sipa.VSM_IDKS_INFO)
    return tuple(dict.fromkeys(keys))


def _flattened(tagged: Iterable[Tagged]) -> Iterator[Tagged]:
    for one in tagged:
        yield one
        yield from _flattened(one.members)


class _Properties:
    """The values in the trust boundaries of some PCRs, and whether something beside them is hidden."""

    __slots__ = ("_values", "is_hiding")

    def __init__(self, measured: MeasuredLog, pcrs: tuple[int, ...]) -> None:
        self.is_hiding = measured.hides(*pcrs)
        self._values: dict[int, list[Tagged]] = {}
        for tagged in measured.tagged(*pcrs):
            for member in tagged.members if tagged.tag == sipa.TRUST_BOUNDARY else ():
                self._values.setdefault(member.tag, []).append(member)

    def values(self, *tags: int) -> Iterator[Tagged]:
        for tag in tags:
            yield from self._values.get(tag, ())

    def is_ever_true(self, tag: int) -> bool:
        return any(tagged.is_true for tagged in self.values(tag))

    def is_never_true(self, tag: int) -> bool:
        """False each time, or never measured (claims 7.1), and nothing hidden."""
        return not self.is_hiding and not self.is_ever_true(tag)

    def all_are(self, *tags: int, expected: bool) -> bool:
        """Measured at least once, as expected each time, and nothing hidden."""
        seen = {tagged.is_true for tagged in self.values(*tags)}
        return not self.is_hiding and seen == {expected}

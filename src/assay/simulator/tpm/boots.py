"""Boots of synthetic machines as events: firmware with secure boot, then Windows' loader or a Linux one."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from typing import Final

from assay.simulator.tpm.event_log import (
    BOOT_APPLICATION,
    EFI_ACTION,
    IPL,
    S_CRTM_VERSION,
    SECURITY_DATABASE,
    SHA256_SIGNATURE,
    VARIABLE_AUTHORITY,
    VARIABLE_BOOT,
    LoggedEvent,
    boundary,
    separator,
    signature_list,
    tagged,
    variable,
    variable_data,
)
from assay.simulator.tpm.structures import SHA256

_WDBOOT: Final = r"\Windows\System32\drivers\wd\WdBoot.sys"
_WINLOAD: Final = r"\Windows\system32\winload.efi"


def _key(name: str) -> bytes:
    return signature_list(f"certificate of the simulated {name}".encode())


@dataclass(frozen=True, slots=True)
class FirmwareForm:
    """The firmware's part of a boot: the secure boot policy and its databases, the boot order, the separators."""

    secure_boot: bytes | None = b"\x01"
    pk: bytes = _key("PK")
    kek: bytes = _key("KEK")
    db: bytes = _key("db")
    dbx: bytes = signature_list(hashlib.sha256(b"revoked").digest(), kind=SHA256_SIGNATURE)
    boot_order: bytes = b"\x00\x00\x01\x00"
    separator: bytes | None = bytes(4)


FIRMWARE: Final = FirmwareForm()


@dataclass(frozen=True, slots=True)
class WindowsForm:
    """What Windows measures of itself; None leaves a property out."""

    code_integrity: bool | None = True
    boot_debugging: bool | None = False
    kernel_debugging: bool | None = False
    hypervisor_debugging: bool | None = None
    test_signing: bool | None = False
    flight_signing: bool | None = False
    safe_mode: bool | None = False
    win_pe: bool | None = False
    vbs: bool | None = True
    iommu: bool | None = True
    hvci_policy: int | None = 1
    bitlocker: int | None = 4
    dep: int = 0
    boot_manager_svn: int = 1
    boot_application_svn: int = 1
    elam_driver: str | None = _WDBOOT
    boot_revocations: bytes = b"boot revocation list"
    os_revocations: bytes = b"os revocation list"
    policies: tuple[bytes, ...] = (b"code integrity policy",)
    # VSM_IDKS_INFO: the public half of the secure kernel's signing key (`encode_idks`).
    idks: bytes | None = None
    separator: bytes | None = b"WBCL"
    firmware: FirmwareForm = FIRMWARE


WINDOWS: Final = WindowsForm()


@dataclass(frozen=True, slots=True)
class LinuxForm:
    """What a Linux boot measures: a boot loader, its commands, the kernel's command line."""

    command_line: str = "root=/dev/sda1 ro quiet"
    firmware: FirmwareForm = FIRMWARE


LINUX: Final = LinuxForm()


def firmware_boot(form: FirmwareForm = FIRMWARE) -> tuple[LoggedEvent, ...]:
    """Up to the separators of PCR 0 to 7, and the boot application's start."""
    policy = () if form.secure_boot is None else (variable("SecureBoot", form.secure_boot),)
    separators = () if form.separator is None else tuple(separator(pcr, form.separator) for pcr in range(8))
    return (
        LoggedEvent(0, S_CRTM_VERSION, "simulated firmware 1.0\0".encode("utf-16-le")),
        *policy,
        variable("PK", form.pk),
        variable("KEK", form.kek),
        variable("db", form.db, SECURITY_DATABASE),
        variable("dbx", form.dbx, SECURITY_DATABASE),
        LoggedEvent(1, VARIABLE_BOOT, variable_data("BootOrder", form.boot_order), form.boot_order),
        LoggedEvent(4, EFI_ACTION, b"Calling EFI Application from Boot Option"),
        *separators,
        LoggedEvent(7, VARIABLE_AUTHORITY, variable_data("db", form.db[28:], SECURITY_DATABASE)),
        LoggedEvent(4, BOOT_APPLICATION, bytes(32), b"the boot application's image"),
    )


def _flag(tag: int, value: bool | None) -> bytes:  # a value to be encoded
    return b"" if value is None else tagged(tag, bytes((value,)))


def _number(tag: int, value: int | None) -> bytes:
    return b"" if value is None else tagged(tag, struct.pack("<Q", value))


def _word(tag: int, value: int | None) -> bytes:
    return b"" if value is None else tagged(tag, struct.pack("<I", value))


def module(path: str, svn: int | None = 1, *, is_validated: bool = True) -> bytes:
    """A loaded image as PCR 13 has it."""
    name = tagged(0x00070001, (path + "\0").encode("utf-16-le"))
    return tagged(0x40010003, name + _flag(0x0007000A, is_validated) + _word(0x0007000B, svn))


def windows_boot(form: WindowsForm = WINDOWS) -> tuple[LoggedEvent, ...]:
    """A boot of Windows, which measures in the SHA-256 bank only, as Azure's does."""
    banks = (SHA256,)
    elam = (boundary(13, module(form.elam_driver, None), banks=banks),) if form.elam_driver is not None else ()
    ends = () if form.separator is None else tuple(separator(pcr, form.separator, banks) for pcr in (11, 12, 13, 14))
    return (
        *firmware_boot(form.firmware),
        boundary(12, _flag(0x00040001, form.boot_debugging), _word(0x00020009, form.boot_manager_svn), banks=banks),
        boundary(13, tagged(0x00040002, form.boot_revocations), banks=banks),
        boundary(12, _word(0x00020003, 1), _word(0x00020005, form.bitlocker), banks=banks),
        boundary(13, module(_WINLOAD), tagged(0x00050013, form.os_revocations), banks=banks),
        boundary(12, _word(0x00020009, form.boot_application_svn), *_system(form), banks=banks),
        boundary(13, *(tagged(0x0005000F, policy) for policy in form.policies), banks=banks),
        *elam,
        boundary(14, tagged(0x00060002, b"authority of the simulator"), banks=banks),
        *ends,
    )


def _system(form: WindowsForm) -> tuple[bytes, ...]:
    """What the loader measures of the system it starts."""
    return (
        _flag(0x00050001, form.kernel_debugging),
        _flag(0x00050002, form.code_integrity),
        _flag(0x00050003, form.test_signing),
        _number(0x00050004, form.dep),
        _flag(0x00050005, form.safe_mode),
        _flag(0x00050006, form.win_pe),
        _flag(0x0005000D, form.hypervisor_debugging),
        _flag(0x00050021, form.flight_signing),
        b"" if form.idks is None else tagged(0x00050023, form.idks),
        _flag(0x000A0001, form.vbs),
        _flag(0x000A0003, form.iommu),
        _flag(0x000A0006, form.vbs),
        _number(0x000A0007, form.hvci_policy),
    )


def linux_boot(form: LinuxForm = LINUX) -> tuple[LoggedEvent, ...]:
    """A boot of Linux through shim and grub."""
    command = f"linux /vmlinuz {form.command_line}"
    return (
        *firmware_boot(form.firmware),
        LoggedEvent(14, IPL, b"MokList\0", b"the owner's keys"),
        LoggedEvent(8, IPL, f"grub_cmd: {command}\0".encode(), command.encode()),
        LoggedEvent(9, IPL, b"/vmlinuz\0", b"the kernel's image"),
        LoggedEvent(8, IPL, f"kernel_cmdline: /vmlinuz {form.command_line}\0".encode(), form.command_line.encode()),
    )


def encode_idks(modulus: int, exponent: int = 65537) -> bytes:
    """The value of VSM_IDKS_INFO: an RSA key, its numbers big-endian (tpm-and-guest 2.3)."""
    n = modulus.to_bytes((modulus.bit_length() + 7) // 8, "big")
    e = exponent.to_bytes(3, "big")
    return struct.pack("<IIII", 1, modulus.bit_length(), len(e), len(n)) + e + n

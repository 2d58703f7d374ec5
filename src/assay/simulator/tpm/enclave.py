"""A synthetic VBS enclave: reports by the secure kernel's key, and the boot that measured that key."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from assay.simulator.keys import filler
from assay.simulator.rsa_keys import derive_rsa_key
from assay.simulator.tpm.boots import WindowsForm, encode_idks, windows_boot
from assay.simulator.tpm.event_log import LoggedEvent


@dataclass(frozen=True, slots=True)
class VbsForm:
    """A report; every field can be chosen. `enclave_data` replaces the hash of what the request says."""

    owner_id: bytes = filler("vbs owner", 32)
    unique_id: bytes = filler("vbs unique", 32)
    author_id: bytes = filler("vbs author", 32)
    family_id: bytes = filler("vbs family", 16)
    image_id: bytes = filler("vbs image", 16)
    enclave_svn: int = 3
    secure_kernel_svn: int = 5
    platform_svn: int = 9
    flags: int = 0
    signing_level: int = 12
    enclave_type: int = 0x10
    report_version: int = 1
    package_version: int = 1
    scheme: int = 1
    enclave_data: bytes | None = None
    signed_by: str = "tpm idks"
    statement_size: int | None = None
    blocks: bytes = b""
    trailing: bytes = b""


VBS_FORM: Final = VbsForm()


def module_block(name: str = "enclave.dll") -> bytes:
    """A variable block that describes a module of the enclave."""
    value = filler("module", 32) + filler("vbs author", 32) + bytes(16) + bytes(16)
    content = value + struct.pack("<I", 1) + (name + "\0").encode("utf-16-le")
    return struct.pack("<II", 1, 8 + len(content)) + content


def mint_vbs_report(report_signed: str, form: VbsForm = VBS_FORM) -> bytes:
    """The report of an enclave over what its request says."""
    data = hashlib.sha512(report_signed.encode()).digest() if form.enclave_data is None else form.enclave_data
    size = 224 + len(form.blocks) if form.statement_size is None else form.statement_size
    statement = struct.pack(
        "<II64s32s32s32s16s16sIIIIII",
        size,
        form.report_version,
        data,
        form.owner_id,
        form.unique_id,
        form.author_id,
        form.family_id,
        form.image_id,
        form.enclave_svn,
        form.secure_kernel_svn,
        form.platform_svn,
        form.flags,
        form.signing_level,
        form.enclave_type,
    )
    statement += form.blocks
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
    signature = derive_rsa_key(form.signed_by).sign(statement, pss, hashes.SHA256())
    package = 24 + len(statement) + len(signature)
    header = struct.pack("<IIIIII", package, form.package_version, form.scheme, len(statement), len(signature), 0)
    return header + statement + signature + form.trailing


def measured_idks(key: str = "tpm idks") -> bytes:
    """What the loader measures of the secure kernel's key."""
    return encode_idks(derive_rsa_key(key).public_key().public_numbers().n)


def boot_with_enclaves(key: str = "tpm idks") -> tuple[LoggedEvent, ...]:
    """A boot of Windows whose secure kernel signs with the key."""
    return windows_boot(WindowsForm(idks=measured_idks(key)))

"""Enclave report bodies (quote-verification 1.1): the attested enclave, and Intel's quoting enclave."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from typing import Final

from assay.simulator.keys import filler, public_point

INIT, DEBUG, MODE64, PROVISION_KEY, EINIT_TOKEN_KEY, KSS = 1 << 0, 1 << 1, 1 << 2, 1 << 4, 1 << 5, 1 << 7

# CPUSVN, MISCSELECT, 12 reserved, ISVEXTPRODID, FLAGS, XFRM, MRENCLAVE, 32 reserved, MRSIGNER, 32 reserved, CONFIGID,
# ISVPRODID, ISVSVN, CONFIGSVN, 42 reserved, ISVFAMILYID, REPORTDATA.
_BODY: Final = struct.Struct("<16sI12x16sQQ32s32x32s32x64sHHH42x16s64s")


@dataclass(frozen=True, slots=True)
class Enclave:
    """The fields of an SGX report body; those the caller leaves out belong to an invented release enclave."""

    mr_enclave: bytes = filler("enclave", 32)
    mr_signer: bytes = filler("enclave signer", 32)
    isv_prod_id: int = 1
    isv_svn: int = 1
    flags: int = INIT | MODE64
    xfrm: int = 0xE7
    misc_select: int = 0
    report_data: bytes = bytes(64)
    config_id: bytes = bytes(64)
    config_svn: int = 0
    isv_ext_prod_id: bytes = bytes(16)
    isv_family_id: bytes = bytes(16)
    cpu_svn: bytes = bytes.fromhex("0b0b1a18ffff04000000000000000000")

    def encode(self) -> bytes:
        """The 384 bytes; raises `ValueError` when a field has the wrong length."""
        return encode_body(self, self.report_data)


def encode_body(enclave: Enclave, report_data: bytes) -> bytes:
    """The report body of the enclave with this report data, 384 bytes."""
    fields = (
        (enclave.cpu_svn, 16),
        (enclave.isv_ext_prod_id, 16),
        (enclave.mr_enclave, 32),
        (enclave.mr_signer, 32),
        (enclave.config_id, 64),
        (enclave.isv_family_id, 16),
        (report_data, 64),
    )
    # `struct` pads and cuts without a word.
    if any(len(content) != size for content, size in fields):
        raise ValueError(f"report body: field lengths {[len(content) for content, _ in fields]}")
    return _BODY.pack(
        enclave.cpu_svn,
        enclave.misc_select,
        enclave.isv_ext_prod_id,
        enclave.flags,
        enclave.xfrm,
        enclave.mr_enclave,
        enclave.mr_signer,
        enclave.config_id,
        enclave.isv_prod_id,
        enclave.isv_svn,
        enclave.config_svn,
        enclave.isv_family_id,
        report_data,
    )


def bind(held: bytes) -> bytes:
    """The report data that binds held data: its SHA-256, then 32 zero bytes (rest-api 7.0)."""
    return hashlib.sha256(held).digest() + bytes(32)


QE_MR_SIGNER: Final = filler("quoting enclave signer", 32)
QE_ISV_SVN: Final = 10
QE_REPORT: Final = Enclave(
    mr_enclave=filler("quoting enclave", 32),
    mr_signer=QE_MR_SIGNER,
    isv_prod_id=1,
    isv_svn=QE_ISV_SVN,
    flags=INIT | MODE64 | PROVISION_KEY,
)


@dataclass(frozen=True, slots=True)
class QuotingEnclave:
    """The quoting enclave of a platform: its report, its attestation key, and how the two are bound and signed.

    None means "rightly": `report_signed_by` the PCK, `report_signature` made by that key, `bound_hash` the SHA-256 of
    attestation key and authentication data, `attestation_point` the public key of `attestation_key`,
    `authentication_length` the true one.
    """

    report: Enclave = QE_REPORT
    attestation_key: str = "attestation key"
    attestation_point: bytes | None = None
    authentication_data: bytes = bytes(range(32))
    authentication_length: int | None = None
    bound_hash: bytes | None = None
    binding_tail: bytes = bytes(32)
    report_signed_by: str | None = None
    report_signature: bytes | None = None

    @property
    def public_point(self) -> bytes:
        return public_point(self.attestation_key) if self.attestation_point is None else self.attestation_point

    def encode_report(self) -> bytes:
        """The QE report, bound to the attestation key and the authentication data (quote-verification 4, step 11)."""
        bound = self.bound_hash
        if bound is None:
            bound = hashlib.sha256(self.public_point + self.authentication_data).digest()
        return encode_body(self.report, bound + self.binding_tail)


QUOTING_ENCLAVE: Final = QuotingEnclave()

"""TD report bodies (quote-verification 1.2): the attested trust domain, its TDX module, and the TD quoting enclave."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import Final

from assay.simulator.intel.enclave import QE_REPORT, QUOTING_ENCLAVE
from assay.simulator.keys import filler

DEBUG, SEPT_VE_DISABLE, MIGRATABLE, PROTECTION_KEYS, KEY_LOCKER = 1 << 0, 1 << 28, 1 << 29, 1 << 30, 1 << 31
PERFMON: Final = 1 << 63
# Body types of version 5.
TD_1_0, TD_1_5, TD_1_5_EX = 2, 3, 4

_BODY: Final = struct.Struct("<16s48s48sQQQ48s48s48s48s48s48s48s48s64s")
_MORE: Final = struct.Struct("<16s48s")
# VM id, TD id, device, initial service TD (hash, attributes), CPUSVN, TEE TCB SVN and FMSPC, current service TD.
_EX: Final = struct.Struct("<B32s48s48sQ16s16s12s48sQ")

# Minor SVN 5 of module version 1 under SEAM loader 2; the platform's TDX levels know no other.
TEE_TCB_SVN: Final = bytes((5, 1, 2)) + bytes(13)


@dataclass(frozen=True, slots=True)
class TrustDomain:
    """The fields of a TD report; those the caller leaves out belong to an invented production domain.

    `tee_tcb_svn_2` None is that of the launch; `body` is the form of the report.
    """

    tee_tcb_svn: bytes = TEE_TCB_SVN
    mr_seam: bytes = filler("tdx module", 48)
    mr_signer_seam: bytes = bytes(48)
    seam_attributes: int = 0
    attributes: int = SEPT_VE_DISABLE
    xfam: int = 0x618E7
    mr_td: bytes = filler("trust domain", 48)
    mr_config_id: bytes = bytes(48)
    mr_owner: bytes = bytes(48)
    mr_owner_config: bytes = bytes(48)
    rtmrs: tuple[bytes, bytes, bytes, bytes] = (bytes(48), bytes(48), bytes(48), bytes(48))
    report_data: bytes = bytes(64)
    tee_tcb_svn_2: bytes | None = None
    mr_service_td: bytes = bytes(48)
    current_service_td: bytes = bytes(48)
    body: int = TD_1_0

    def encode(self) -> bytes:
        """The report body; raises `ValueError` when a field has the wrong length."""
        measured = (self.mr_td, self.mr_config_id, self.mr_owner, self.mr_owner_config, *self.rtmrs)
        seam = (self.mr_seam, self.mr_signer_seam)
        # `struct` pads and cuts without a word.
        lengths = {len(each) for each in (*measured, *seam, self.mr_service_td, self.current_service_td)}
        if lengths != {48} or len(self.tee_tcb_svn) != 16 or len(self.report_data) != 64:
            raise ValueError("TD report: a field of a wrong length")
        numbers = (self.seam_attributes, self.attributes, self.xfam)
        body = _BODY.pack(self.tee_tcb_svn, *seam, *numbers, *measured, self.report_data)
        if self.body >= TD_1_5:
            body += _MORE.pack(self.tee_tcb_svn_2 or self.tee_tcb_svn, self.mr_service_td)
        return body + self._extension() if self.body == TD_1_5_EX else body

    def _extension(self) -> bytes:
        launch = (bytes(16), self.tee_tcb_svn, bytes(12))
        return _EX.pack(0, filler("td", 32), bytes(48), bytes(48), 0, *launch, self.current_service_td, 0)


TRUST_DOMAIN: Final = TrustDomain()
TD_QE_ISV_PROD_ID: Final = 2
# Another enclave than that of SGX, of the same signer.
TD_QUOTING_ENCLAVE: Final = replace(
    QUOTING_ENCLAVE,
    report=replace(QE_REPORT, mr_enclave=filler("td quoting enclave", 32), isv_prod_id=TD_QE_ISV_PROD_ID),
    attestation_key="td attestation key",
)

"""Makes HCL reports field by field, so that a test can turn one of them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property

CLAIMS = json.dumps(
    {
        "keys": [
            {"kid": "HCLAkPub", "key_ops": ["sign"], "kty": "RSA", "e": "AQAB", "n": "x7cQ"},
            {"kid": "HCLEkPub", "key_ops": ["encrypt"], "kty": "RSA", "e": "AQAB", "n": "y1cQ"},
        ],
        "vm-configuration": {"secure-boot": True, "vmUniqueId": "3E1C7A52-0B5D-4A3E-9F65-8D3F3E0A1B2C"},
        "user-data": "00" * 64,
    }
).encode()


@dataclass(frozen=True)
class Report:
    """The fields of the layout (tpm-and-guest 4.1); `report_data` None binds the claims."""

    signature: bytes = b"HCLA"
    version: int = 2
    report_type: int = 2
    hash_type: int = 1
    data_version: int = 1
    claims: bytes = CLAIMS
    claims_size: int | None = None
    report_data: bytes | None = None
    hardware: bytes | None = None
    padding: bytes = bytes(500)

    @cached_property
    def bound(self) -> bytes:
        if self.report_data is not None:
            return self.report_data
        name = {1: "sha256", 2: "sha384"}.get(self.hash_type, "sha512")
        return hashlib.new(name, self.claims).digest().ljust(64, b"\x00")

    def snp(self) -> bytes:
        return ((3).to_bytes(4, "little").ljust(0x50, b"\x00") + self.bound).ljust(1184, b"\x00")

    def tdx(self) -> bytes:
        return (b"\x81".ljust(128, b"\x00") + self.bound).ljust(1184, b"\x00")

    def encode(self) -> bytes:
        hardware = self.hardware or (self.tdx() if self.report_type == 4 else self.snp())
        size = len(self.claims) if self.claims_size is None else self.claims_size
        capabilities = bytes(4) if self.data_version == 2 else b""
        head = (self.version, 1236 + len(self.claims), 2, 0)
        data = (20 + len(self.claims), self.data_version, self.report_type, self.hash_type, size)
        return b"".join(
            (
                self.signature,
                *(field.to_bytes(4, "little") for field in head),
                bytes(12),
                hardware,
                *(field.to_bytes(4, "little") for field in data),
                capabilities,
                self.claims,
                self.padding,
            )
        )

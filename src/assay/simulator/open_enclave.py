"""Open Enclave envelopes around a quote: reports and evidence (quote-verification 7.1 and 7.2)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final
from uuid import UUID

SGX_ECDSA: Final = UUID("a3a21e87-1b4d-4014-b70a-a125d2fbcd8c").bytes
LEGACY_REPORT: Final = UUID("c8303454-d923-4c2c-a691-df7def460a76").bytes
RAW_SGX_QUOTE: Final = UUID("1923d91e-12d2-4c72-b220-25cd8dace871").bytes
SGX_LOCAL: Final = UUID("09268c33-6e0b-45e5-8a27-15644d0ef89a").bytes
TDX_QUOTE: Final = UUID("8ba70286-c1cf-11ed-afa1-0242ac120002").bytes

LOCAL, REMOTE = 1, 2


@dataclass(frozen=True, slots=True)
class ReportForm:
    """The header of an Open Enclave report; `size` None means the true size, `trailing` follows the quote."""

    version: int = 1
    type: int = REMOTE
    size: int | None = None
    trailing: bytes = b""


@dataclass(frozen=True, slots=True)
class EvidenceForm:
    """The envelope of Open Enclave evidence.

    `version` 2 puts a report header before the quote. `header` False leaves the attestation header out, as some
    producers do. `claims` None means no custom claims buffer; `claims_buffer` replaces what the claims encode to, and
    `bound_buffer` is what the report data binds in its place. `size` None means the true size.
    """

    version: int = 3
    format: bytes = SGX_ECDSA
    header: bool = True
    claims: tuple[tuple[str, bytes], ...] | None = None
    claims_buffer: bytes | None = None
    bound_buffer: bytes | None = None
    size: int | None = None
    report: ReportForm = ReportForm()

    def buffer(self) -> bytes:
        """The custom claims buffer as it stands in the evidence."""
        if self.claims_buffer is not None:
            return self.claims_buffer
        return b"" if self.claims is None else encode_custom_claims(self.claims)

    def bound(self) -> bytes:
        """What the report data of the quote must be the SHA-256 of."""
        return self.buffer() if self.bound_buffer is None else self.bound_buffer


REPORT: Final = ReportForm()
EVIDENCE: Final = EvidenceForm()


def mint_report(quote: bytes, form: ReportForm = REPORT) -> bytes:
    """An Open Enclave report: a 16-byte header, then the quote."""
    size = len(quote) if form.size is None else form.size
    return struct.pack("<IIQ", form.version, form.type, size) + quote + form.trailing


def mint_evidence(quote: bytes, form: EvidenceForm = EVIDENCE) -> bytes:
    """Open Enclave evidence of one of the formats that carry an SGX quote."""
    content = quote
    if form.version == 2 or form.format == LEGACY_REPORT:
        content = mint_report(quote, form.report)
    if form.format == SGX_ECDSA:
        content += form.buffer()
    if not form.header:
        return content
    size = len(content) if form.size is None else form.size
    return struct.pack("<I16sQ", form.version, form.format, size) + content


def encode_custom_claims(claims: tuple[tuple[str, bytes], ...]) -> bytes:
    """Custom claims as Open Enclave serialises them: names end with a NUL byte that their size counts."""
    encoded = [struct.pack("<QQ", 1, len(claims))]
    for name, value in claims:
        terminated = name.encode() + b"\0"
        encoded.append(struct.pack("<QQ", len(terminated), len(value)) + terminated + value)
    return b"".join(encoded)

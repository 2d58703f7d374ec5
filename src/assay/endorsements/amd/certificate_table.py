"""The certificate table of an extended report, as the guest's firmware hands it over (quote-verification 8.4)."""

from __future__ import annotations

from typing import Final

from assay import limits
from assay.endorsements.amd.hierarchy import parse_certificates
from assay.errors import LimitExceeded, Malformed
from assay.formats.reader import Reader
from assay.pki.certificate import Certificate

_WHAT: Final = "certificate table"
_ENTRIES: Final = 64
_END: Final = bytes(24)
# RFC 4122 octet order. Entries with other identifiers are passed over.
CERTIFICATES: Final = frozenset(
    bytes.fromhex(text.replace("-", ""))
    for text in (
        "63da758d-e664-4564-adc5-f4b93be8accd",  # VCEK
        "a8074bc2-a25a-483e-aae6-39c045a0b8a1",  # VLEK
        "4ab7b379-bbac-4fe4-a02f-05aef327c782",  # ASK or ASVK
        "c0b406a4-a803-4952-9743-3fb6014cd0ae",  # ARK
    )
)


def parse_certificate_table(table: bytes, error: type[Malformed]) -> tuple[Certificate, ...]:
    """The certificates of a table, in DER or, as some producers write them, in PEM.

    Raises `error`, also for an entry that reaches beyond the table, and `LimitExceeded`.
    """
    reader = Reader(table, _WHAT, error)
    found: list[Certificate] = []
    for _ in range(_ENTRIES):
        entry = Reader(reader.take(24, "entry"), _WHAT, error)
        identifier = entry.take(16, "identifier")
        offset, size = entry.u32("offset"), entry.u32("length")
        if identifier == _END[:16] and not offset and not size:
            break
        if identifier in CERTIFICATES:
            found.extend(parse_certificates(_content(table, offset, size, error), _WHAT, error))
    else:
        raise LimitExceeded(f"{_WHAT}, entries", limit=_ENTRIES)
    if len(found) > limits.CERTIFICATES_IN_CHAIN:
        raise LimitExceeded(f"{_WHAT}, certificates", limit=limits.CERTIFICATES_IN_CHAIN, found=len(found))
    return tuple(found)


def _content(table: bytes, offset: int, size: int, error: type[Malformed]) -> bytes:
    reader = Reader(table, _WHAT, error)
    reader.take(offset, "before the certificate")
    return reader.take(size, "certificate")

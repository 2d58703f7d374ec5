"""UEFI variables and signature databases, as firmware measures them (UEFI 2.10, 8.2 and 32.4)."""

from __future__ import annotations

from typing import Final, NamedTuple

from assay import limits
from assay.errors import LimitExceeded, MalformedEvidence
from assay.formats.reader import Reader

GLOBAL_VARIABLE: Final = "8BE4DF61-93CA-11D2-AA0D-00E098032B8C"
IMAGE_SECURITY_DATABASE: Final = "D719B2CB-3D3A-4596-A3BC-DAD00E67656F"
X509_SIGNATURE: Final = "A5C059A1-94E4-4AA7-87B5-AB155C2BF072"
SHA256_SIGNATURE: Final = "C1C41626-504C-4092-ACA9-41F936934328"

_VARIABLE: Final = "EFI variable"
_LISTS: Final = "EFI signature lists"
_GUID: Final = 16
_LIST_HEADER: Final = 28


class EfiVariable(NamedTuple):
    """UEFI_VARIABLE_DATA: the vendor's GUID in upper case, the name, and the content."""

    guid: str
    name: str
    content: bytes


class Signature(NamedTuple):
    """One entry of a signature database: its type and owner as GUIDs, and a certificate or digest."""

    kind: str
    owner: str
    content: bytes


def read_guid(octets: bytes) -> str:
    """An EFI_GUID as text in upper case; its first three fields are little-endian."""
    first, second, third = octets[3::-1].hex(), octets[5:3:-1].hex(), octets[7:5:-1].hex()
    return f"{first}-{second}-{third}-{octets[8:10].hex()}-{octets[10:16].hex()}".upper()


def parse_variable(octets: bytes) -> EfiVariable:
    """A measured variable, and nothing after it; raises `MalformedEvidence` and `LimitExceeded`."""
    reader = Reader(octets, _VARIABLE, MalformedEvidence)
    guid = read_guid(reader.take(_GUID, "GUID"))
    characters, size = reader.u64("name length"), reader.u64("data length")
    if characters > limits.EFI_VARIABLE_NAME:
        raise LimitExceeded("name of an EFI variable, characters", limit=limits.EFI_VARIABLE_NAME, found=characters)
    name = read_utf16(reader.take(2 * characters, "name"), _VARIABLE)
    content = reader.take(size, "data")
    reader.finish()
    return EfiVariable(guid, name, content)


def read_utf16(octets: bytes, what: str) -> str:
    """UTF-16LE text as it is, zeros among it; raises `MalformedEvidence`."""
    try:
        return octets.decode("utf-16-le")
    except UnicodeDecodeError as error:
        raise MalformedEvidence(what, "text that is not UTF-16") from error


def parse_signature_lists(octets: bytes) -> tuple[Signature, ...]:
    """The entries of a database, of all its lists in order; none for an empty variable.

    Every octet of a list belongs to its header or to an entry (attack case TPM-16). Raises `MalformedEvidence`,
    `LimitExceeded`.
    """
    reader = Reader(octets, _LISTS, MalformedEvidence)
    signatures: list[Signature] = []
    while reader.remaining:
        kind = read_guid(reader.take(_GUID, "signature type"))
        list_size, header_size, size = reader.u32("list size"), reader.u32("header size"), reader.u32("signature size")
        if header_size:
            # No type of the specification that occurs in databases has a header; one would hide entries.
            raise MalformedEvidence(_LISTS, f"a list with a header of {header_size} octets", offset=reader.offset)
        if list_size < _LIST_HEADER or size <= _GUID or (list_size - _LIST_HEADER) % size:
            raise MalformedEvidence(
                _LISTS, f"a list of {list_size} octets with signatures of {size}", offset=reader.offset
            )
        entries = Reader(reader.take(list_size - _LIST_HEADER, "signatures"), _LISTS, MalformedEvidence)
        while entries.remaining:
            if len(signatures) == limits.SIGNATURE_DATA:
                raise LimitExceeded("entries of an EFI signature database", limit=limits.SIGNATURE_DATA)
            owner = read_guid(entries.take(_GUID, "owner"))
            signatures.append(Signature(kind, owner, entries.take(size - _GUID, "signature")))
    return tuple(signatures)

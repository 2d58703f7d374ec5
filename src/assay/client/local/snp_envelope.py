"""A fresh SEV-SNP report as the wire carries it, with what the machine has beside it (rest-api 7.3)."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final
from uuid import UUID

from assay.client.local.security_context import SecurityContext, read_security_context
from assay.client.local.source import LocalEvidence
from assay.errors import MalformedEvidence
from assay.formats import base64url, strict_json
from assay.formats.reader import Reader
from assay.formats.strict_json import JsonValue

if TYPE_CHECKING:
    from assay.client.local.machine import Machine

_KIND: Final = "SevSnpVm"
_TABLE: Final = "certificate table"
# quote-verification 8.4, in RFC 4122 octet order; the leaf comes first on the wire.
_CERTIFICATES: Final = tuple(
    UUID(text).bytes
    for text in (
        "63da758d-e664-4564-adc5-f4b93be8accd",  # VCEK
        "a8074bc2-a25a-483e-aae6-39c045a0b8a1",  # VLEK
        "4ab7b379-bbac-4fe4-a02f-05aef327c782",  # ASK or ASVK
        "c0b406a4-a803-4952-9743-3fb6014cd0ae",  # ARK
    )
)
_ENTRIES: Final = 64
_PEM: Final = b"-----BEGIN"
_REPORTED_TCB: Final = 0x180
_NO_CERTIFICATES: Final = "no certificates here: the service has to fetch them from AMD"


def snp_evidence(machine: Machine, source: str, report: bytes, table: bytes) -> LocalEvidence:
    """The request's `report`: the report, certificates of the table or else of the container host, UVM endorsements."""
    context = read_security_context(machine)
    notes = list(context.notes)
    chain = _read_table(table, notes) or _chain_of_host(context, report, notes)
    members: dict[str, JsonValue] = {"SnpReport": base64url.encode(report)}
    if chain:
        members["VcekCertChain"] = base64url.encode(chain)
    else:
        notes.append(_NO_CERTIFICATES)
    if context.uvm_endorsements is not None:
        endorsements: dict[str, JsonValue] = {"Uvm": [base64url.encode(context.uvm_endorsements)]}
        members["Endorsements"] = base64url.encode(strict_json.encode_compact(endorsements))
    evidence = strict_json.encode_compact(members)
    return LocalEvidence(_KIND, evidence, source, context.policy, tuple(notes))


def _read_table(table: bytes, notes: list[str]) -> bytes:
    """The certificates of the host's table in PEM, leaf first; empty, with a note, when the table is not one.

    The host writes the table and is not trusted; whoever verifies judges what it says.
    """
    try:
        found = _certificates(table)
    except MalformedEvidence as error:
        notes.append(f"the host's certificates are passed over: {error.message}")
        return b""
    return b"".join(found[identifier] for identifier in _CERTIFICATES if identifier in found)


def _certificates(table: bytes) -> dict[bytes, bytes]:
    """What the table holds, by its identifiers, in PEM; entries with other identifiers are passed over."""
    reader = Reader(table, _TABLE, MalformedEvidence)
    found: dict[bytes, bytes] = {}
    for _ in range(_ENTRIES if any(table) else 0):
        identifier = reader.take(16, "identifier")
        offset, size = reader.u32("offset"), reader.u32("length")
        if not any(identifier) and not offset and not size:
            break
        if identifier in _CERTIFICATES:
            found[identifier] = _to_pem(_content(table, offset, size))
    return found


def _content(table: bytes, offset: int, size: int) -> bytes:
    reader = Reader(table, _TABLE, MalformedEvidence)
    reader.take(offset, "what stands before the certificate")
    return reader.take(size, "certificate")


def _to_pem(certificate: bytes) -> bytes:
    """DER as specified, or PEM as some hosts write it."""
    if certificate.startswith(_PEM):
        return certificate.rstrip(b"\0\n") + b"\n"
    text = base64.b64encode(certificate)
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return b"\n".join((b"-----BEGIN CERTIFICATE-----", *lines, b"-----END CERTIFICATE-----", b""))


def _chain_of_host(context: SecurityContext, report: bytes, notes: list[str]) -> bytes:
    """The host's cached certificates, unless they are of another TCB than the report's (quote-verification 10)."""
    if context.certificates is None:
        return b""
    reader = Reader(report, "report", MalformedEvidence)
    reader.take(_REPORTED_TCB, "what stands before the reported TCB")
    reported = reader.take(8, "reported TCB")[::-1].hex()
    if context.certificates.tcb != reported:
        notes.append(f"the host's certificates are passed over: for TCB {context.certificates.tcb}, not {reported}")
        return b""
    return context.certificates.chain

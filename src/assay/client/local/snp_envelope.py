"""A fresh SEV-SNP report as the wire carries it, with what the machine has beside it (rest-api 7.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assay.client.local.security_context import SecurityContext, read_security_context
from assay.client.local.source import LocalEvidence
from assay.endorsements.amd.certificate_table import parse_certificate_table
from assay.errors import LimitExceeded, MalformedEvidence
from assay.formats import base64url, pem, strict_json
from assay.formats.reader import Reader
from assay.formats.strict_json import JsonValue
from assay.pki.certificate import Certificate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assay.client.local.machine import Machine

_KIND: Final = "SevSnpVm"
_LEAVES: Final = ("SEV-VCEK", "SEV-VLEK")
_ROOT: Final = "ARK-"
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
    """The certificates of the host's table in PEM; empty, with a note, when the table cannot be read.

    The host writes the table and is not trusted: whoever verifies judges what it says.
    """
    try:
        return _to_pem(parse_certificate_table(table, MalformedEvidence) if any(table) else ())
    except (MalformedEvidence, LimitExceeded) as error:
        notes.append(f"the host's certificates are passed over: {error.message}")
        return b""


def _to_pem(certificates: Iterable[Certificate]) -> bytes:
    """The certificates in the wire's order: the leaf, its authority, the root."""
    return b"".join(pem.encode(certificate.der, "CERTIFICATE") for certificate in sorted(certificates, key=_rank))


def _rank(certificate: Certificate) -> int:
    if certificate.common_name in _LEAVES:
        return 0
    return 2 if certificate.common_name.startswith(_ROOT) else 1


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
    return _to_pem(context.certificates.chain)

"""Enclave identities: which quoting enclaves Intel vouches for (quote-verification section 3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from assay import limits
from assay.endorsements.documents import Document
from assay.endorsements.intel.signed_json import parse_signed_json
from assay.endorsements.intel.tcb import IsvSvnLevel
from assay.endorsements.intel.tcb_info import read_isv_svn_levels


@dataclass(frozen=True, slots=True)
class EnclaveIdentity:
    """A parsed identity; `name` is `QE`, `TD_QE`, `QVE` or `QAE`, masks and values are in the report's byte order."""

    name: str
    issue_date: datetime
    next_update: datetime
    evaluation_number: int
    misc_select: bytes
    misc_select_mask: bytes
    attributes: bytes
    attributes_mask: bytes
    mr_signer: bytes
    isv_prod_id: int
    levels: tuple[IsvSvnLevel, ...]
    signed: bytes
    signature: bytes


@lru_cache(maxsize=limits.DOCUMENTS)
def parse_enclave_identity(document: Document) -> EnclaveIdentity:
    """The identity of a document; raises `MalformedEndorsement`."""
    parsed = parse_signed_json(document.body, "enclaveIdentity")
    members = parsed.members
    if members.integer("version") != 2:
        raise members.wrong("version", "not 2")
    name = members.text("id")
    if name not in ("QE", "TD_QE", "QVE", "QAE"):
        raise members.wrong("id", f"unknown enclave {name!r}")
    return EnclaveIdentity(
        name,
        members.time("issueDate"),
        members.time("nextUpdate"),
        members.integer("tcbEvaluationDataNumber", most=0xFFFFFFFF),
        # Intel writes MISCSELECT as the hex of its octets in memory order (quote-verification 3.2).
        members.octets("miscselect", 4),
        members.octets("miscselectMask", 4),
        members.octets("attributes", 16),
        members.octets("attributesMask", 16),
        members.octets("mrsigner", 32),
        members.integer("isvprodid"),
        read_isv_svn_levels(members),
        parsed.signed,
        parsed.signature,
    )

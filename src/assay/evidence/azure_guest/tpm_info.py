"""`TpmInfo`: the vTPM's keys, its quote, and its certification of the guest's encryption key (tpm-and-guest 3.1)."""

from __future__ import annotations

from typing import Final, NamedTuple

from assay import limits
from assay.errors import LimitExceeded, MalformedEndorsement, MalformedEvidence
from assay.evidence._tcg.algorithms import HashAlgorithm
from assay.evidence._tcg.attest import Certification, Quote, parse_certification, parse_quote
from assay.evidence._tcg.pcrs import PCR_COUNT, PcrBank, pcr_bank
from assay.evidence._tcg.public import TpmPublic, parse_sized_public
from assay.evidence.azure_guest.members import Members
from assay.formats.der import DerReader
from assay.pki.certificate import Certificate, parse_certificate

_WHAT: Final = "TpmInfo"
# The names of the key, twice, after its public area (Python client).
_NAMES_AFTER_KEY: Final = 2 * (2 + 64)


class TpmInfo(NamedTuple):
    """What the vTPM says; `pcr_set` are the indices as the guest lists them, `pcrs` the values it sends."""

    certificate: Certificate
    attestation_key: TpmPublic
    pcrs: PcrBank
    pcr_set: tuple[int, ...]
    quote: Quote
    quote_signature: bytes
    encryption_key: TpmPublic
    certification: Certification
    certification_signature: bytes


def parse_tpm_info(members: Members) -> TpmInfo:
    """The parsed member; raises `MalformedEvidence`, `LimitExceeded` and `MalformedEndorsement`."""
    structure = limits.ATTEST_STRUCTURE
    return TpmInfo(
        _certificate(members.octets("AikCert", limits.CERTIFICATE)),
        _public(members, "AikPub", trailing=_NAMES_AFTER_KEY),
        _pcrs(members),
        _indices(members),
        parse_quote(members.octets("PcrQuote", structure)),
        members.octets("PcrSignature", structure),
        _public(members, "EncKeyPub", trailing=0),
        parse_certification(members.octets("EncKeyCertifyInfo", structure)),
        members.octets("EncKeyCertifyInfoSignature", structure),
    )


def _certificate(content: bytes) -> Certificate:
    """The certificate at the head of a vTPM's index of 4096 octets, zeros after it (tpm-and-guest 3.1)."""
    try:
        der = DerReader(content, "AikCert").raw()
        certificate = parse_certificate(der)
    except MalformedEndorsement as error:
        raise MalformedEvidence(_WHAT, f"AikCert: {error.problem}") from error
    if any(content[len(der) :]):
        raise MalformedEvidence(_WHAT, "AikCert: octets other than zero after the certificate", offset=len(der))
    return certificate


def _public(members: Members, name: str, *, trailing: int) -> TpmPublic:
    public, rest = parse_sized_public(members.octets(name, limits.ATTEST_STRUCTURE))
    if len(rest) > trailing:
        raise MalformedEvidence(_WHAT, f"{name}: {len(rest)} octets after the public area")
    return public


def _pcrs(members: Members) -> PcrBank:
    values = members.array("PCRs")
    if len(values) > PCR_COUNT:
        raise LimitExceeded("TpmInfo.PCRs", limit=PCR_COUNT, found=len(values))
    return pcr_bank(HashAlgorithm.SHA256, [_pcr(value, place) for place, value in enumerate(values)])


def _pcr(value: object, place: int) -> tuple[int, bytes]:
    pcr = Members(value, f"TpmInfo.PCRs[{place}]")  # type: ignore[arg-type]
    index = pcr.number("Index")
    if index is None:
        raise MalformedEvidence(_WHAT, f"PCRs[{place}] has no Index")
    return index, pcr.octets("Digest", HashAlgorithm.SHA512.digest_size)


def _indices(members: Members) -> tuple[int, ...]:
    indices: list[int] = []
    for value in members.array("PcrSet"):
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < PCR_COUNT or value in indices:
            raise MalformedEvidence(_WHAT, f"PcrSet is no list of distinct PCRs below {PCR_COUNT}")
        indices.append(value)
    return tuple(indices)

"""What a TPM attests of one boot: its logs, its key, its PCRs and the quote over them (tpm-and-guest 1.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from assay.errors import LimitExceeded, MalformedEndorsement, MalformedEvidence, UnsupportedEvidence
from assay.evidence._tcg.algorithms import HashAlgorithm, hash_algorithm
from assay.evidence._tcg.attest import Quote, parse_quote
from assay.evidence._tcg.event_log import EventLog, join_event_logs, parse_event_log
from assay.evidence._tcg.ima import ImaEntry, parse_ima_log
from assay.evidence._tcg.pcrs import PcrBank, pcr_bank
from assay.evidence._tcg.signature import TpmSignature, parse_signature
from assay.evidence.tpm.keys import parse_jwk
from assay.evidence.tpm.members import (
    WHAT,
    Members,
    optional_list,
    optional_octets,
    required_integer,
    required_object,
    required_octets,
    required_text,
)
from assay.evidence.tpm.platform_claim import parse_platform_claim
from assay.formats import pem
from assay.formats.der import DerReader
from assay.pki.certificate import Certificate, parse_certificate

# Own: a resumed machine has two static and two dynamic logs, and one list of IMA.
_LOGS: Final = 8
_CERTIFICATES: Final = 4


class AttestationKey(NamedTuple):
    """The key that quotes: as sent, with its certificate where there is one and the authorities that came along."""

    key: RSAPublicKey
    certificate: Certificate | None
    authorities: tuple[Certificate, ...]


class TpmAttestation(NamedTuple):
    """The state of a machine in one boot; `ima` is None where no list was sent."""

    key: AttestationKey
    log: EventLog
    ima: tuple[ImaEntry, ...] | None
    banks: Mapping[HashAlgorithm, PcrBank]
    quote: Quote
    signature: TpmSignature

    @property
    def accepted_banks(self) -> tuple[PcrBank, ...]:
        """The quoted banks that evidence may rest on."""
        return tuple(bank for bank in self.banks.values() if bank.algorithm.is_strong)


def parse_attestation(members: Members) -> TpmAttestation:
    """An attestation of version 2; raises `MalformedEvidence` and what its parts raise."""
    logs = optional_list(members, "logs")
    if len(logs) > _LOGS:
        raise LimitExceeded("logs of an attestation", limit=_LOGS, found=len(logs))
    boots: list[EventLog] = []
    ima: tuple[ImaEntry, ...] | None = None
    for log in logs:
        kind, octets = required_text(log, "type"), required_octets(log, "log")
        if kind.upper() == "TCG":
            boots.append(parse_event_log(octets))
        elif kind.upper() == "IMA" and ima is None:
            ima = parse_ima_log(octets)
        else:
            raise MalformedEvidence(WHAT, f"log of type {kind[:20]!r}: TCG, and one IMA, are known")
    return TpmAttestation(
        key=parse_attestation_key(members),
        log=join_event_logs(boots),
        ima=ima,
        banks=_parse_banks(members),
        quote=parse_quote(required_octets(members, "quote")),
        signature=parse_signature(required_octets(members, "signature")),
    )


def parse_attestations_of_version_1(members: Members) -> tuple[TpmAttestation, TpmAttestation | None]:
    """The current state, and that of the cold boot where the machine was resumed since (tpm-and-guest 1.2).

    After a resume the current PCRs are those of the resume logs, and the boot claim is over the boot logs.
    """
    booted, resumed = _logs(members, "boot"), _logs(members, "resume")
    if not resumed:
        return _of_claim(members, "current_claim", booted), None
    current = _of_claim(members, "current_claim", resumed)
    if members.get("boot_claim") is None:
        return current, None
    return current, _of_claim(members, "boot_claim", booted)


def _logs(members: Members, moment: str) -> list[EventLog]:
    octets = (optional_octets(members, f"{root}_{moment}_log") for root in ("srtm", "drtm"))
    return [parse_event_log(log) for log in octets if log]


def _of_claim(members: Members, name: str, logs: list[EventLog]) -> TpmAttestation:
    claim = parse_platform_claim(required_octets(members, name))
    banks = {claim.bank.algorithm: claim.bank}
    key = parse_attestation_key(members)
    return TpmAttestation(key, join_event_logs(logs), None, banks, claim.quote, claim.signature)


def _parse_banks(members: Members) -> Mapping[HashAlgorithm, PcrBank]:
    banks: dict[HashAlgorithm, PcrBank] = {}
    for listed in optional_list(members, "pcrs"):
        algorithm = hash_algorithm(required_integer(listed, "algorithm"), WHAT)
        if algorithm is HashAlgorithm.SM3_256:
            raise UnsupportedEvidence(WHAT, "a bank of SM3", code="UnsupportedHashAlgorithm")
        if algorithm in banks:
            raise MalformedEvidence(WHAT, f"the bank {algorithm.label} occurs twice")
        values = optional_list(listed, "values")
        pairs = [(required_integer(one, "index"), required_octets(one, "digest")) for one in values]
        if pairs != sorted(pairs, key=lambda pair: pair[0]):
            raise MalformedEvidence(WHAT, f"the values of {algorithm.label} are not in the order of the quote")
        banks[algorithm] = pcr_bank(algorithm, pairs)
    return banks


def parse_attestation_key(members: Members) -> AttestationKey:
    """`aik_pub` and `aik_cert`: a certificate, or some with the key's first, or none (tpm-and-guest 1.4)."""
    key = parse_jwk(required_object(members, "aik_pub"))
    octets = optional_octets(members, "aik_cert")
    try:
        certificates = tuple(map(parse_certificate, _split(octets)))
    except MalformedEndorsement as error:
        raise MalformedEvidence(WHAT, f"aik_cert: {error.message}") from error
    return AttestationKey(key, certificates[0] if certificates else None, certificates[1:])


def _split(octets: bytes) -> tuple[bytes, ...]:
    """The DER of each certificate of a chain in PEM, or of DER one after the other."""
    if octets.startswith(b"-----BEGIN"):
        return pem.decode_certificates(octets, "aik_cert", MalformedEndorsement)
    found: list[bytes] = []
    reader = DerReader(octets, "aik_cert")
    while not reader.at_end:
        if len(found) == _CERTIFICATES:
            raise LimitExceeded("certificates of an attestation key", limit=_CERTIFICATES)
        found.append(reader.raw())
    return tuple(found)

"""The claims of a TPM's attestation (tpm-and-guest 1.6, claims 7)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from assay.claims import Claim, ClaimSet, ClaimValue
from assay.evidence._tcg.boot_claims import boot_claims
from assay.evidence._tcg.evidence_claims import BOOT_EVENTS, EVENTS, PCRS, events_claim, pcrs_claim
from assay.evidence._tcg.ima_replay import IMA_VIOLATIONS, ImaProof, describe_ima, prove_ima
from assay.evidence.base import Statement
from assay.evidence.tpm.attestation import TpmAttestation
from assay.evidence.tpm.verify import VerifiedTpm
from assay.formats import strict_json
from assay.formats.strict_json import JsonValue

TPM: Final = "tpm"
REQUEST_KEY: Final = "x-ms-tpm-request-key"
OTHER_KEYS: Final = "x-ms-tpm-other-keys"
_TPM_VERSION: Final = 2
# Windows measures how it was started there: without them nothing is known of it (tpm-and-guest 6).
_LOADER_PCRS: Final = frozenset((12, 13))
_OF_THE_LOADER: Final = frozenset(("notSafeMode", "notWinPE"))


def tpm_claims(verified: VerifiedTpm) -> Statement:
    """What a verified request says to a policy and in the token."""
    return statement_of(verified, TPM, ())


def statement_of(verified: VerifiedTpm, attestation_type: str, more: Iterable[tuple[str, ClaimValue]]) -> Statement:
    """The statement of a request, with the claims that a type building on this one adds."""
    request = verified.request
    always: list[tuple[str, ClaimValue]] = [
        ("x-ms-attestation-type", attestation_type),
        ("aikValidated", verified.aik_chain is not None),
        ("aikPubHash", _key_hash(request.current.key.key)),
        ("tpmVersion", _TPM_VERSION),
        ("vbsReportPresent", request.is_enclave),
        # One of the published samples spells it so (policy-language, Q16).
        ("vsmReportPresent", request.is_enclave),
        *more,
    ]
    boot, evidence = tuple(_boot_members(verified)), tuple(_evidence_members(verified))
    incoming = ClaimSet((*(Claim(name, value) for name, value in (*always, *boot, *evidence)), *request.custom_claims))
    chain = verified.aik_chain
    return Statement(
        incoming,
        _token_members(verified),
        marks=("simulator",) if chain is not None and chain.anchor.simulated else (),
        until_1_1=frozenset(name for name, _ in boot),
        from_1_2=frozenset(name for name, _ in evidence),
    )


def _key_hash(key: RSAPublicKey) -> str:
    """SHA-256 of the SubjectPublicKeyInfo, in standard base64."""
    encoded = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(encoded).digest()).decode("ascii")


def _boot_members(verified: VerifiedTpm) -> Iterator[tuple[str, bool]]:
    """The booleans that the service derives for policies 1.0 and 1.1."""
    has_loader = any(set(bank.values) >= _LOADER_PCRS for bank in verified.request.current.accepted_banks)
    for name, value in boot_claims(verified.current).members():
        yield name, value and (has_loader or name not in _OF_THE_LOADER)


def _evidence_members(verified: VerifiedTpm) -> Iterator[tuple[str, ClaimValue]]:
    """The evidence as JSON, for policies 1.2."""
    request = verified.request
    proof = _ima_proof(request.current)
    yield EVENTS, events_claim(verified.current, () if proof is None else describe_ima(proof))
    if proof is not None:
        yield IMA_VIOLATIONS, proof.violations
    if verified.boot is not None:
        yield BOOT_EVENTS, events_claim(verified.boot)
    yield PCRS, pcrs_claim(request.current.banks.values())
    if request.version > 1 or request.is_enclave:
        # Nothing binds the key of a basic request of version 1 to the TPM.
        yield REQUEST_KEY, _text(request.request_key.describe())
    if request.other_keys:
        yield OTHER_KEYS, _text([key.describe() for key in request.other_keys])


def _ima_proof(attestation: TpmAttestation) -> ImaProof | None:
    if attestation.ima is None:
        return None
    return prove_ima(attestation.log, attestation.ima, attestation.banks.values())


def _text(value: JsonValue) -> str:
    return strict_json.encode_ordered(value).decode()


def _token_members(verified: VerifiedTpm) -> Mapping[str, JsonValue]:
    request = verified.request
    members: dict[str, JsonValue] = {"cnf": request.request_key.confirmation()}
    if request.rp_data is not None:
        members["rp_data"] = members["nonce"] = request.rp_data
    return members

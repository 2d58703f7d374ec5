"""Verification of a guest's request: its vTPM, its boot, its encryption key, its isolation (tpm-and-guest 3.2)."""

from __future__ import annotations

from typing import Final, NamedTuple

from assay.endorsements.documents import Need
from assay.errors import VerificationFailed
from assay.evidence._tcg.hidden_events import HIDDEN_CHECKS, HiddenCase
from assay.evidence._tcg.key_certificate import KEY_CERTIFICATE_CHECKS, KeyCertificateCase
from assay.evidence._tcg.measured import MeasuredLog, measure
from assay.evidence._tcg.secure_boot_keys import SecureBootKeys, classify_secure_boot_keys
from assay.evidence.azure_guest.attestation_info import AttestationInfo
from assay.evidence.azure_guest.boot_checks import BOOT_CHECKS
from assay.evidence.azure_guest.hardware import HARDWARE_CHECKS, hardware_needs, verify_hardware
from assay.evidence.azure_guest.isolation import IsolationType
from assay.evidence.azure_guest.isolation_checks import ISOLATION_CHECKS
from assay.evidence.azure_guest.key_checks import (
    ENCRYPTION_KEY_CHECKS,
    KEY_CHECKS,
    QUOTE_CHECKS,
    SIGNER_CHECKS,
    SignerCase,
    quote_case,
)
from assay.evidence.azure_guest.request_checks import REQUEST_CHECKS
from assay.evidence.azure_guest.secure_boot import SECURE_BOOT_CHECKS, SecureBootCase, references_for
from assay.evidence.base import Grounds, Statement, Submission
from assay.verdict import AnyCheck, Check, Entry, Outcome, Seen, run

# A policy's property of TPM evidence (policy-language 9), meant here for guests whose key the hardware vouches for too.
REQUIRE_CERTIFICATE: Final = "require_valid_aik_cert"

_WELL_FORMED: Final = Seen("well-formed", "AttestationInfo of protocol version 1.0 or 2.0")
FORM_CHECK: Final[Check[AttestationInfo]] = Check(
    "evidence.form",
    "MalformedEvidence",
    "tpm-and-guest 3.1",
    "send AttestationInfo as a guest attestation client of Azure makes it",
    VerificationFailed,
    # Parsing decides: what does not parse is `MalformedEvidence` with this check's verdict.
    lambda _: _WELL_FORMED,
)
_FORM_PASSED: Final = Entry(FORM_CHECK, Outcome.PASSED, _WELL_FORMED)

_AFTER_REQUEST: Final = HARDWARE_CHECKS
_AFTER_ISOLATION: Final[tuple[AnyCheck, ...]] = (*REQUEST_CHECKS, *_AFTER_REQUEST)
_AFTER_SECURE_BOOT: Final[tuple[AnyCheck, ...]] = (*ISOLATION_CHECKS, *_AFTER_ISOLATION)
_AFTER_HIDDEN: Final[tuple[AnyCheck, ...]] = (*SECURE_BOOT_CHECKS, *_AFTER_SECURE_BOOT)
_AFTER_BOOT: Final[tuple[AnyCheck, ...]] = (*HIDDEN_CHECKS, *_AFTER_HIDDEN)
_AFTER_KEYS: Final[tuple[AnyCheck, ...]] = (*BOOT_CHECKS, *_AFTER_BOOT)
_AFTER_SIGNER: Final[tuple[AnyCheck, ...]] = (*ENCRYPTION_KEY_CHECKS, *_AFTER_KEYS)
_AFTER_QUOTE: Final[tuple[AnyCheck, ...]] = (*SIGNER_CHECKS, *_AFTER_SIGNER)
_AFTER_CERTIFICATE: Final[tuple[AnyCheck, ...]] = (*QUOTE_CHECKS, *_AFTER_QUOTE)
_AFTER_KEY: Final[tuple[AnyCheck, ...]] = (*KEY_CERTIFICATE_CHECKS, *_AFTER_CERTIFICATE)
AZURE_GUEST_CHECKS: Final[tuple[AnyCheck, ...]] = (FORM_CHECK, *KEY_CHECKS, *_AFTER_KEY)


class VerifiedGuest(NamedTuple):
    """A request that passed every check: only this type can become claims.

    `measured` is what its log proves, `keys` how its secure boot keys compare; `hardware` is what the hardware says,
    None for Trusted Launch; `simulated` whether the certificate of the attestation key is the simulator's.
    """

    info: AttestationInfo
    measured: MeasuredLog
    keys: SecureBootKeys
    hardware: Statement | None
    simulated: bool
    entries: tuple[Entry, ...]


def needs_of(info: AttestationInfo, grounds: Grounds) -> tuple[Need, ...]:
    """The documents that the hardware's proof needs, none for Trusted Launch.

    Asked for only when the virtual TPM vouches for its boot and the hardware's chain reaches a pinned root. Raises as
    `verify_guest` does for the checks that come before any endorsement.
    """
    if info.isolation.proof is None:
        return ()
    entries = [_FORM_PASSED]
    _verify_evidence_alone(info, grounds, entries)
    return hardware_needs(info.isolation, grounds, entries)


def verify_guest(info: AttestationInfo, submission: Submission, grounds: Grounds) -> VerifiedGuest:
    """Verify a request on its grounds (tpm-and-guest 3.2).

    1. the attestation key and its certificate (step 2)
    2. the quote over the PCRs that were sent (step 3)
    3. the encryption key: in the same TPM, usable in this PCR state only (steps 4 and 5)
    4. the event log, which gives every quoted PCR (step 6), and the secure boot keys in it
    5. the runtime claims, which name the attestation key and belong to the hardware report (step 7)
    6. what a request may not hold
    7. the hardware report, as its own evidence type verifies it (step 7)

    Raises the class of the failing check with the verdict so far; `EndorsementUnavailable` names missing documents.
    """
    entries = [_FORM_PASSED]
    machine = _verify_evidence_alone(info, grounds, entries)
    run(REQUEST_CHECKS, submission, entries, _AFTER_REQUEST)
    hardware = verify_hardware(info.isolation, grounds, entries)
    return VerifiedGuest(info, machine.measured, machine.keys, hardware, machine.simulated, tuple(entries))


class _Machine(NamedTuple):
    """What the evidence alone shows."""

    measured: MeasuredLog
    keys: SecureBootKeys
    simulated: bool


def _verify_evidence_alone(info: AttestationInfo, grounds: Grounds, entries: list[Entry]) -> _Machine:
    """Steps 1 to 5."""
    tpm = info.tpm
    run(KEY_CHECKS, tpm, entries, _AFTER_KEY)
    required = _is_certificate_required(info, grounds)
    certificate = KeyCertificateCase(tpm.certificate, tpm.attestation_key.key, grounds.anchors, grounds.at, required)
    run(KEY_CERTIFICATE_CHECKS, certificate, entries, _AFTER_CERTIFICATE)
    run(QUOTE_CHECKS, quote_case(tpm), entries, _AFTER_QUOTE)
    run(SIGNER_CHECKS, SignerCase(tpm, grounds.rules.strict), entries, _AFTER_SIGNER)
    run(ENCRYPTION_KEY_CHECKS, tpm, entries, _AFTER_KEYS)
    run(BOOT_CHECKS, info, entries, _AFTER_BOOT)
    simulated = certificate.chain is not None and certificate.chain.anchor.simulated
    measured = measure(info.log, (tpm.pcrs,))
    run(HIDDEN_CHECKS, HiddenCase(measured, grounds.rules.strict), entries, _AFTER_HIDDEN)
    keys = classify_secure_boot_keys(measured, references_for(grounds.anchors, simulated=simulated))
    run(SECURE_BOOT_CHECKS, SecureBootCase(keys, grounds.rules.strict), entries, _AFTER_SECURE_BOOT)
    run(ISOLATION_CHECKS, info, entries, _AFTER_ISOLATION)
    return _Machine(measured, keys, simulated)


def _is_certificate_required(info: AttestationInfo, grounds: Grounds) -> bool:
    """Always for Trusted Launch, where nothing else proves the key; else unless the policy waives it (ADR 0045)."""
    if info.isolation.type is IsolationType.TRUSTED_LAUNCH:
        return True
    return grounds.configuration.get(REQUIRE_CERTIFICATE, True) is not False

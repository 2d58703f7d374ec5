"""Verification of a TPM's attestation (tpm-and-guest 1.5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from assay.endorsements.documents import Need
from assay.endorsements.tpm.chain import TpmChain
from assay.errors import ChainUntrusted, VerificationFailed
from assay.evidence._tcg.hidden_events import HIDDEN_CHECKS, HiddenCase
from assay.evidence._tcg.key_certificate import KEY_CERTIFICATE_CHECKS, KeyCertificateCase
from assay.evidence._tcg.measured import MeasuredLog, measure
from assay.evidence.base import Grounds, Submission
from assay.evidence.tpm.attestation import TpmAttestation
from assay.evidence.tpm.boots import BOOT_CHECKS, BootCase
from assay.evidence.tpm.request import TpmRequest
from assay.evidence.tpm.session import KEY_CHECKS, SESSION_CHECKS, SessionCase
from assay.property_claims import VerificationProperties, read_verification_properties
from assay.verdict import NOT_APPLICABLE, AnyCheck, Check, Entry, Mismatch, Outcome, Seen, run


class VerifiedTpm(NamedTuple):
    """A request that passed every check. `aik_chain` is None where the policy tolerates that nobody vouches."""

    request: TpmRequest
    aik_chain: TpmChain | None
    current: MeasuredLog
    boot: MeasuredLog | None
    entries: tuple[Entry, ...]


_WELL_FORMED: Final = Seen("well-formed", "an attestation request of version 1 or 2")
FORM_CHECK: Final[Check[TpmRequest]] = Check(
    "evidence.form",
    "MalformedEvidence",
    "tpm-and-guest 1.1 to 1.3",
    "send the request as the client library made it",
    VerificationFailed,
    lambda _: _WELL_FORMED,  # parsing decides it
)


def _present(case: TpmRequest) -> Seen:
    if case.current.key.certificate is None:
        raise Mismatch("no certificate", _CERTIFICATE)
    return Seen("sent", _CERTIFICATE)


_CERTIFICATE: Final = "the certificate of the attestation key"
PRESENT_CHECK: Final[Check[TpmRequest]] = Check(
    "aik_certificate.present",
    "AikCertificateMissing",
    "policy-language 9, require_valid_aik_cert",
    "have an authority that the operator trusts certify the attestation key, or let the policy do without",
    ChainUntrusted,
    _present,
)
_AFTER_BOOT: Final[tuple[AnyCheck, ...]] = (*HIDDEN_CHECKS, *KEY_CHECKS)
_AFTER_CERTIFICATE: Final[tuple[AnyCheck, ...]] = (*BOOT_CHECKS, *_AFTER_BOOT)
_AFTER_SESSION: Final[tuple[AnyCheck, ...]] = (PRESENT_CHECK, *KEY_CERTIFICATE_CHECKS, *_AFTER_CERTIFICATE)
TPM_CHECKS: Final[tuple[AnyCheck, ...]] = (FORM_CHECK, *SESSION_CHECKS, *_AFTER_SESSION)


def needs_of(_request: TpmRequest, _grounds: Grounds) -> tuple[Need, ...]:
    """None: what vouches for a TPM comes with the evidence, the package or the operator."""
    return ()


def verify_request(
    request: TpmRequest, submission: Submission, grounds: Grounds, rest: Sequence[AnyCheck] = ()
) -> VerifiedTpm:
    """Verify a request on its grounds; `rest` are the checks that a type building on this one declares after these.

    1. the session: context, challenge, signature by the request key (steps 3, 4)
    2. the attestation key's certificate: its key, path, profile, validity (step 6)
    3. the current quote, the required PCRs, the replay of the log; the same of the cold boot (steps 7 to 10)
    4. what binds the request key and the others (step 5)

    Raises the class of the failing check with the verdict so far.
    """
    properties = read_verification_properties(grounds.configuration)
    entries = [Entry(FORM_CHECK, Outcome.PASSED, _WELL_FORMED)]
    session = SessionCase(request, submission, grounds)
    run(SESSION_CHECKS, session, entries, (*_AFTER_SESSION, *rest))
    chain = _verify_certificate(request, grounds, properties, entries, rest)
    run(BOOT_CHECKS, BootCase(request, properties.required_pcrs), entries, (*_AFTER_BOOT, *rest))
    current = _measured(request.current)
    run(HIDDEN_CHECKS, HiddenCase(current, grounds.rules.strict), entries, (*KEY_CHECKS, *rest))
    run(KEY_CHECKS, session, entries, rest)
    boot = None if request.boot is None else _measured(request.boot)
    return VerifiedTpm(request, chain, current, boot, tuple(entries))


def _measured(attestation: TpmAttestation) -> MeasuredLog:
    return measure(attestation.log, attestation.accepted_banks)


def _verify_certificate(
    request: TpmRequest,
    grounds: Grounds,
    properties: VerificationProperties,
    entries: list[Entry],
    rest: Sequence[AnyCheck],
) -> TpmChain | None:
    """The path of the attestation key's certificate; None where it is not believed and the policy tolerates that."""
    later = (*_AFTER_CERTIFICATE, *rest)
    certificate = request.current.key.certificate
    required = properties.require_valid_aik_cert
    if certificate is None and not required:
        entries.extend(Entry(check, Outcome.NOT_APPLICABLE, NOT_APPLICABLE) for check in _CERTIFICATE_CHECKS)
        return None
    run((PRESENT_CHECK,), request, entries, (*KEY_CERTIFICATE_CHECKS, *later))
    if certificate is None:  # the check before decided it
        return None
    case = KeyCertificateCase(
        certificate, request.current.key.key, grounds.anchors, grounds.at, brought=request.current.key.authorities
    )
    if required or _is_believed(case):
        run(KEY_CERTIFICATE_CHECKS, case, entries, later)
        return case.chain
    run(KEY_CERTIFICATE_CHECKS[:1], case, entries, (*KEY_CERTIFICATE_CHECKS[1:], *later))
    entries.extend(Entry(check, Outcome.NOT_APPLICABLE, NOT_APPLICABLE) for check in KEY_CERTIFICATE_CHECKS[1:])
    return None


_CERTIFICATE_CHECKS: Final[tuple[AnyCheck, ...]] = (PRESENT_CHECK, *KEY_CERTIFICATE_CHECKS)


def _is_believed(case: KeyCertificateCase) -> bool:
    """Whether everything holds of a certificate but that it is of the key, which is checked in any case."""
    try:
        for check in KEY_CERTIFICATE_CHECKS[1:]:
            check.test(case)
    except Mismatch:
        return False
    return True

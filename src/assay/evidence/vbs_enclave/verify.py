"""Verification of a VBS enclave's report over the attestation of its machine (tpm-and-guest 2)."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from assay.errors import BindingMismatch, MalformedEvidence, RuleViolated, SignatureInvalid
from assay.evidence.base import Grounds, Submission
from assay.evidence.tpm.request import TpmRequest
from assay.evidence.tpm.verify import TPM_CHECKS, VerifiedTpm, verify_request
from assay.evidence.vbs_enclave.idks import measured_keys, parse_idks, verify_report_signature
from assay.evidence.vbs_enclave.report import DYNAMIC_DEBUG_ACTIVE, FULL_DEBUG, VbsReport
from assay.memo import Lazy
from assay.pki.signatures import SignatureError
from assay.property_claims import read_verification_properties
from assay.verdict import NOT_APPLICABLE, AnyCheck, Check, Entry, Mismatch, Seen, run


class VbsEvidence(NamedTuple):
    """A request with the report of the enclave that makes it."""

    request: TpmRequest
    report: VbsReport


class VerifiedVbsEnclave(NamedTuple):
    """A machine and an enclave on it that passed every check."""

    tpm: VerifiedTpm
    report: VbsReport
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class EnclaveCase:
    """What the checks of the enclave look at."""

    evidence: VbsEvidence
    tpm: VerifiedTpm
    admits_debug: bool

    @Lazy
    def key(self) -> RSAPublicKey:
        """The one key that the secure kernel signs with in this boot; raises `Mismatch`."""
        found = measured_keys(self.tpm.current)
        if len(found) != 1:
            raise Mismatch(f"{len(found)} measured keys", _ONE_KEY)
        try:
            return parse_idks(found[0])
        except MalformedEvidence as error:
            raise Mismatch(error.message, _ONE_KEY) from error


_ONE_KEY: Final = "exactly one RSA key of the secure kernel, measured before its PCR's separator"


def _key(case: EnclaveCase) -> Seen:
    return Seen(f"RSA, {case.key.key_size} bits", _ONE_KEY)


def _signature(case: EnclaveCase) -> Seen:
    report = case.evidence.report
    try:
        verify_report_signature(case.key, report.signature, report.signed)
    except SignatureError as error:
        raise Mismatch(str(error), _BY_THE_KERNEL) from error
    return Seen("verifies", _BY_THE_KERNEL)


_BY_THE_KERNEL: Final = "a signature by the measured key of the secure kernel"


def _binding(case: EnclaveCase) -> Seen:
    bound = hashlib.sha512(case.evidence.request.report_signed.encode()).digest()
    if not hmac.compare_digest(case.evidence.report.enclave_data, bound):
        raise Mismatch(case.evidence.report.enclave_data, bound)
    return Seen("the hash of report_signed", "the hash of report_signed")


def _debug(case: EnclaveCase) -> Seen:
    if case.admits_debug:
        return NOT_APPLICABLE
    flags = case.evidence.report.flags
    if flags & (FULL_DEBUG | DYNAMIC_DEBUG_ACTIVE):
        raise Mismatch(f"flags {flags:#x}", _NO_DEBUG)
    return Seen(f"flags {flags:#x}", _NO_DEBUG)


_NO_DEBUG: Final = "neither fully debuggable (1) nor being debugged (4)"

ENCLAVE_CHECKS: Final[tuple[Check[EnclaveCase], ...]] = (
    Check(
        "idks.measured",
        "IdentityKeyNotMeasured",
        "tpm-and-guest 2.3, steps 1 to 4; attack case VBS-01",
        "send the log of a boot with virtualization-based security, with PCR 12 (19) quoted",
        BindingMismatch,
        _key,
    ),
    Check(
        "vbs_report.signature",
        "EnclaveReportSignatureInvalid",
        "tpm-and-guest 2.3, step 5; attack case VBS-01",
        "produce the report in the boot whose log is sent: its key changes with each boot",
        SignatureInvalid,
        _signature,
    ),
    Check(
        "vbs_report.enclave_data",
        "EnclaveDataMismatch",
        "tpm-and-guest 2.2; attack case VBS-02",
        "make the report over SHA-512 of report_signed, exactly as it is sent",
        BindingMismatch,
        _binding,
    ),
    Check(
        "vbs_report.debug",
        "DebugNotAllowed",
        "tpm-and-guest 2.3, step 7; attack case VBS-02",
        "build the enclave without debugging, or let the policy admit it: the property allow_debug_enclave",
        RuleViolated,
        _debug,
    ),
)
VBS_CHECKS: Final[tuple[AnyCheck, ...]] = (*TPM_CHECKS, *ENCLAVE_CHECKS)


def verify_vbs_enclave(evidence: VbsEvidence, submission: Submission, grounds: Grounds) -> VerifiedVbsEnclave:
    """Verify the machine, then the enclave's report: its key, signature, binding, debugging.

    Raises the class of the failing check with the verdict so far.
    """
    tpm = verify_request(evidence.request, submission, grounds, ENCLAVE_CHECKS)
    entries = list(tpm.entries)
    run(ENCLAVE_CHECKS, EnclaveCase(evidence, tpm, _admits_debug(grounds)), entries)
    return VerifiedVbsEnclave(tpm, evidence.report, tuple(entries))


def _admits_debug(grounds: Grounds) -> bool:
    """What the policy asks for, where the operator does not forbid it."""
    wanted = read_verification_properties(grounds.configuration).allow_debug_enclave
    return wanted and not grounds.rules.refuses_debug

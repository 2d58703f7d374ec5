"""The checks of an attestation key's certificate: its key, the path to whom is believed, its purpose, its time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from assay.endorsements.anchors import TrustAnchors
from assay.endorsements.tpm.authorities import PACKAGED_AUTHORITIES
from assay.endorsements.tpm.chain import (
    ATTESTATION_KEY_PURPOSES,
    ChainError,
    TpmChain,
    attestation_key_problem,
    build_chain,
)
from assay.errors import BindingMismatch, ChainUntrusted, OutsideValidity
from assay.evidence._tcg.public import TpmKey
from assay.memo import Lazy
from assay.pki.certificate import Certificate
from assay.pki.names import read_name
from assay.verdict import NOT_APPLICABLE, Check, Identifier, Mismatch, Seen


@dataclass(frozen=True)
class KeyCertificateCase:
    """A certificate, the key that it must be of, and the authorities that it brought, which are candidates only.

    `required` false tolerates a certificate that leads nowhere, where something else vouches for the key.
    """

    certificate: Certificate
    key: TpmKey
    anchors: TrustAnchors
    at: datetime
    required: bool = True
    brought: tuple[Certificate, ...] = ()

    @Lazy
    def chain(self) -> TpmChain | None:
        """The path, None where there is none and none is required; raises `Mismatch`."""
        try:
            return build_chain(
                self.certificate, (*self.brought, *PACKAGED_AUTHORITIES), self.anchors, ATTESTATION_KEY_PURPOSES
            )
        except ChainError as error:
            if not self.required:
                return None
            issuer = read_name(self.certificate.issuer).text
            raise Mismatch(f"{error} (issued by {issuer})", _TRUSTED) from error


_TRUSTED: Final = "a path to a pinned root of virtual TPMs, or to what the operator trusts (--trust)"


def _key(case: KeyCertificateCase) -> Seen:
    if case.certificate.public_key.public_numbers() != case.key.public_numbers():
        raise Mismatch("the certificate of another key", _OF_THE_KEY)
    return Seen(Identifier(case.certificate.der), _OF_THE_KEY)


_OF_THE_KEY: Final = "the certificate of the attestation key that was sent"


def _chain(case: KeyCertificateCase) -> Seen:
    if case.chain is None:
        return NOT_APPLICABLE
    return Seen(case.chain.anchor.name if len(case.chain.path) > 1 else "pinned by the operator", _TRUSTED)


def _profile(case: KeyCertificateCase) -> Seen:
    if case.chain is None:
        return NOT_APPLICABLE
    problem = attestation_key_problem(case.certificate)
    if problem is not None:
        raise Mismatch(problem, _PROFILE)
    return Seen("a certificate of an attestation key", _PROFILE)


_PROFILE: Final = "no authority, extended key usage 2.23.133.8.3 or 1.3.6.1.4.1.311.10.3.12, digital signature"


def _validity(case: KeyCertificateCase) -> Seen:
    if case.chain is None:
        return NOT_APPLICABLE
    for certificate in case.chain.path:
        if case.at not in certificate.window:
            raise Mismatch(f"{certificate.common_name!r}: {certificate.window}", case.at)
    return Seen("every certificate is valid", "valid at the time of appraisal")


KEY_CERTIFICATE_CHECKS: Final[tuple[Check[KeyCertificateCase], ...]] = (
    Check(
        "aik_certificate.key",
        "AikCertificateKeyMismatch",
        "tpm-and-guest 1.4, step 3; attack case TPM-10",
        "send the certificate that was issued for the quoting key",
        BindingMismatch,
        _key,
    ),
    Check(
        "aik_certificate.chain",
        "AikCertificateUntrusted",
        "tpm-and-guest 1.4, step 1, and 3.3",
        "let the operator trust the authority that issued the certificate, or the certificate itself (--trust)",
        ChainUntrusted,
        _chain,
    ),
    Check(
        "aik_certificate.profile",
        "AikCertificateProfile",
        "tpm-and-guest 1.4, step 2",
        "send a certificate that was issued to an attestation key",
        ChainUntrusted,
        _profile,
    ),
    Check(
        "aik_certificate.validity",
        "AikCertificateOutsideValidity",
        "tpm-and-guest 3.3: at the time of receipt",
        "renew the certificate of the attestation key, or check the clock",
        OutsideValidity,
        _validity,
    ),
)

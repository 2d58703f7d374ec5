"""The checks of Intel's revocation lists (quote-verification 4, steps 4 and 5)."""

from __future__ import annotations

from typing import Final

from assay.endorsements.documents import DocumentKind
from assay.errors import EndorsementInvalid, OutsideValidity, Revoked, SignatureInvalid
from assay.evidence._intel_quote.certify import require_valid
from assay.evidence._intel_quote.platform_case import PlatformCase
from assay.pki.certificate import Certificate
from assay.pki.revocation import RevocationList, verify_revocation_list
from assay.pki.signatures import SignatureError
from assay.pki.validity import Window
from assay.verdict import NOT_APPLICABLE, Check, Identifier, Mismatch, Seen

_ROOT: Final = DocumentKind.INTEL_ROOT_CRL
_PCK: Final = DocumentKind.INTEL_PCK_CRL


def _root_form(case: PlatformCase) -> Seen:
    if case.tolerates_missing(_ROOT):
        return NOT_APPLICABLE
    return Seen(f"{len(case.root_crl.serials)} revoked", "a revocation list")


def _root_signature(case: PlatformCase) -> Seen:
    if case.tolerates_missing(_ROOT):
        return NOT_APPLICABLE
    return _verified(case.root_crl, case.certification.root)


def _root_validity(case: PlatformCase) -> Seen:
    if case.tolerates_missing(_ROOT):
        return NOT_APPLICABLE
    return _valid("root CA CRL", case.root_crl, case)


def _authority_revocation(case: PlatformCase) -> Seen:
    if case.tolerates_missing(_ROOT):
        return NOT_APPLICABLE
    return _not_listed(case.certification.authority, case.root_crl)


def _pck_form(case: PlatformCase) -> Seen:
    if case.tolerates_missing(_PCK):
        return NOT_APPLICABLE
    return Seen(f"{len(case.pck_crl.serials)} revoked", "a revocation list")


def _pck_issuer(case: PlatformCase) -> Seen:
    if case.tolerates_missing(_PCK):
        return NOT_APPLICABLE
    if case.pck_crl.issuer != case.certification.certificate.issuer:
        raise Mismatch(case.pck_crl.issuer_common_name, case.certification.authority.common_name)
    return Seen(case.pck_crl.issuer_common_name, case.certification.authority.common_name)


def _pck_signature(case: PlatformCase) -> Seen:
    if case.tolerates_missing(_PCK):
        return NOT_APPLICABLE
    return _verified(case.pck_crl, case.certification.authority)


def _pck_validity(case: PlatformCase) -> Seen:
    if case.tolerates_missing(_PCK):
        return NOT_APPLICABLE
    return _valid("PCK CRL", case.pck_crl, case)


def _pck_revocation(case: PlatformCase) -> Seen:
    if case.tolerates_missing(_PCK):
        return NOT_APPLICABLE
    return _not_listed(case.certification.certificate, case.pck_crl)


def _verified(revocation: RevocationList, issuer: Certificate) -> Seen:
    try:
        verify_revocation_list(revocation, issuer)
    except SignatureError as error:
        raise Mismatch(str(error), f"signed by {issuer.common_name!r}") from error
    return Seen("verifies", f"signed by {issuer.common_name!r}")


def _valid(what: str, revocation: RevocationList, case: PlatformCase) -> Seen:
    window = Window(revocation.this_update, revocation.next_update)
    require_valid(what, window, case.at)
    return Seen(window, "contains the time of appraisal")


def _not_listed(certificate: Certificate, revocation: RevocationList) -> Seen:
    if certificate.serial in revocation.serials:
        # RFC 5280 admits 20 octets; the library reads longer ones too.
        serial = certificate.serial.to_bytes(certificate.serial.bit_length() // 8 + 1, "big")
        raise Mismatch((f"{certificate.common_name!r} is revoked, serial", Identifier(serial)), "not listed")
    return Seen("not listed", "not listed")


def signer_not_revoked(case: PlatformCase, signer: Certificate) -> Seen:
    """The signer of a document is not in the root's revocation list."""
    if case.tolerates_missing(_ROOT):
        return NOT_APPLICABLE
    return _not_listed(signer, case.root_crl)


_AGAIN: Final = "fetch the revocation list again"

REVOCATION_CHECKS: Final[tuple[Check[PlatformCase], ...]] = (
    Check("root_crl.form", "RootCrlMalformed", "RFC 5280, 5", _AGAIN, EndorsementInvalid, _root_form),
    Check(
        "root_crl.signature",
        "RootCrlSignatureInvalid",
        "quote-verification 4, step 4",
        _AGAIN,
        SignatureInvalid,
        _root_signature,
    ),
    Check(
        "root_crl.validity", "RootCrlExpired", "quote-verification 4, step 4", _AGAIN, OutsideValidity, _root_validity
    ),
    Check(
        "pck_ca.revocation",
        "PckCaRevoked",
        "quote-verification 4, step 4",
        "the CA of this platform's certificate is revoked; obtain a certificate from its successor",
        Revoked,
        _authority_revocation,
    ),
    Check("pck_crl.form", "PckCrlMalformed", "RFC 5280, 5", _AGAIN, EndorsementInvalid, _pck_form),
    Check(
        "pck_crl.issuer",
        "PckCrlOfOtherIssuer",
        "quote-verification 4, step 5",
        "provide the list of the CA that issued the PCK certificate (processor or platform)",
        EndorsementInvalid,
        _pck_issuer,
    ),
    Check(
        "pck_crl.signature",
        "PckCrlSignatureInvalid",
        "quote-verification 4, step 5",
        _AGAIN,
        SignatureInvalid,
        _pck_signature,
    ),
    Check("pck_crl.validity", "PckCrlExpired", "quote-verification 4, step 5", _AGAIN, OutsideValidity, _pck_validity),
    Check(
        "pck_certificate.revocation",
        "PckRevoked",
        "quote-verification 4, step 5",
        "this platform's certificate is revoked; it cannot attest",
        Revoked,
        _pck_revocation,
    ),
)

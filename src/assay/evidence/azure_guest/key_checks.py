"""The checks of a virtual TPM's keys and quote (tpm-and-guest 3.2, steps 2 to 5)."""

from __future__ import annotations

import hmac
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from assay.errors import BindingMismatch, RuleViolated, SignatureInvalid
from assay.evidence._tcg.algorithms import ALG_NULL, ALG_RSAES, HashAlgorithm
from assay.evidence._tcg.pcrs import PcrSelection, pcr_policy_digest
from assay.evidence._tcg.public import ENDORSEMENT_HIERARCHY, Attributes, primary_qualified_name
from assay.evidence._tcg.quote_checks import QuoteCase, quote_checks, seen_attestation_key, seen_scheme
from assay.evidence._tcg.signature import rsassa_sha256, verify_signature
from assay.evidence.azure_guest.tpm_info import TpmInfo
from assay.pki.signatures import SignatureError
from assay.verdict import NOT_APPLICABLE, Check, Mismatch, Seen, equal

_ENCRYPTION_KEY: Final = (
    Attributes.FIXED_TPM | Attributes.FIXED_PARENT | Attributes.SENSITIVE_DATA_ORIGIN | Attributes.DECRYPT
)
# A key that a password opens, or that signs, is none that only this PCR state can use.
_REFUSED_ATTRIBUTES: Final = Attributes.USER_WITH_AUTH | Attributes.SIGN | Attributes.RESTRICTED
_RSA_BITS: Final = 2048


def _attestation_key(tpm: TpmInfo) -> Seen:
    public = tpm.attestation_key
    if not isinstance(public.key, RSAPublicKey) or public.name_algorithm is not HashAlgorithm.SHA256:
        raise Mismatch("another kind of key", "an RSA key whose name is by SHA-256")
    return seen_attestation_key(public)


def _attestation_key_scheme(tpm: TpmInfo) -> Seen:
    return seen_scheme(tpm.attestation_key, rsassa_sha256(tpm.quote_signature))


KEY_CHECKS: Final[tuple[Check[TpmInfo], ...]] = (
    Check(
        "attestation_key.attributes",
        "AttestationKeyAttributes",
        "tpm-and-guest 3.2, step 2; attack case TPM-08",
        "quote with the virtual TPM's own attestation key (handle 0x81000003)",
        RuleViolated,
        _attestation_key,
    ),
    Check(
        "attestation_key.scheme",
        "AttestationKeyScheme",
        "tpm-and-guest 3.2, step 2; attack case TPM-22",
        "sign with RSASSA and SHA-256",
        RuleViolated,
        _attestation_key_scheme,
    ),
)


def quote_case(tpm: TpmInfo) -> QuoteCase:
    """The quote as the checks of every TPM look at it; official clients send no nonce (tpm-and-guest 3.1)."""
    banks = {tpm.pcrs.algorithm: tpm.pcrs}
    return QuoteCase(tpm.quote, rsassa_sha256(tpm.quote_signature), tpm.attestation_key.key, banks, None)


# All but the nonce's: there is no challenge in this protocol that it could be compared with.
QUOTE_CHECKS: Final = tuple(check for check in quote_checks("tpm_quote") if check.code != "NonceMismatch")


class SignerCase(NamedTuple):
    """The virtual TPM, and whether the operator is strict."""

    tpm: TpmInfo
    strict: bool


def _signer(case: SignerCase) -> Seen:
    """The quote names the public area that was sent: of Azure's keys, which are primaries (tpm-and-guest 0.1)."""
    if not case.strict:
        return NOT_APPLICABLE
    named = case.tpm.quote.header.qualified_signer
    return equal(named, primary_qualified_name(case.tpm.attestation_key, ENDORSEMENT_HIERARCHY))


SIGNER_CHECKS: Final[tuple[Check[SignerCase], ...]] = (
    Check(
        "tpm_quote.signer",
        "QualifiedSignerMismatch",
        "tpm-and-guest 0.1; rule of --strict",
        "send the public area of the key that quoted, a primary key of the endorsement hierarchy",
        BindingMismatch,
        _signer,
    ),
)


def _pcr_set(tpm: TpmInfo) -> Seen:
    """The indices that the guest lists are those whose values it sends: of those the quote was made (AZ-07)."""
    return equal(tuple(sorted(tpm.pcr_set)), tuple(sorted(tpm.pcrs.values)))


def _certification(tpm: TpmInfo) -> Seen:
    signature = rsassa_sha256(tpm.certification_signature)
    try:
        verify_signature(tpm.attestation_key.key, signature, tpm.certification.header.octets)
    except SignatureError as error:
        raise Mismatch(str(error), _BY_THE_KEY) from error
    return Seen("verifies", _BY_THE_KEY)


_BY_THE_KEY: Final = "a signature by the attestation key over the certification"


def _name(tpm: TpmInfo) -> Seen:
    certified, own = tpm.certification.name, tpm.encryption_key.name
    if not hmac.compare_digest(certified, own):
        raise Mismatch(certified, own)
    return Seen(certified, own)


def _encryption_key(tpm: TpmInfo) -> Seen:
    public = tpm.encryption_key
    if not isinstance(public.key, RSAPublicKey) or public.key.key_size != _RSA_BITS:
        raise Mismatch("another kind of key", _EXPECTED_KEY)
    if not public.name_algorithm.is_strong:
        raise Mismatch(f"a name by {public.name_algorithm.label}", _EXPECTED_KEY)
    held = public.attributes
    if held & _ENCRYPTION_KEY != _ENCRYPTION_KEY or held & _REFUSED_ATTRIBUTES:
        raise Mismatch(f"attributes {held:#x}", _EXPECTED_KEY)
    if public.scheme.algorithm not in (ALG_RSAES, ALG_NULL):
        raise Mismatch(f"scheme {public.scheme.algorithm:#06x}", _EXPECTED_KEY)
    return Seen(f"attributes {held:#x}", _EXPECTED_KEY)


_EXPECTED_KEY: Final = (
    f"RSA of {_RSA_BITS} bits, scheme RSAES or none; decrypt, fixedTPM, fixedParent, sensitiveDataOrigin "
    f"({_ENCRYPTION_KEY:#x}), neither userWithAuth nor sign nor restricted"
)


def _policy(tpm: TpmInfo) -> Seen:
    """The key can be used only while the PCRs have the values that were quoted; else others could open the answer."""
    algorithm = tpm.encryption_key.name_algorithm
    selection = (PcrSelection(tpm.pcrs.algorithm, tuple(sorted(tpm.pcrs.values))),)
    expected = pcr_policy_digest(selection, {tpm.pcrs.algorithm: tpm.pcrs}, algorithm)
    if not hmac.compare_digest(tpm.encryption_key.auth_policy, expected):
        raise Mismatch(tpm.encryption_key.auth_policy, expected)
    return Seen(tpm.encryption_key.auth_policy, expected)


ENCRYPTION_KEY_CHECKS: Final[tuple[Check[TpmInfo], ...]] = (
    Check(
        "tpm_quote.pcr_set",
        "PcrSetMismatch",
        "tpm-and-guest 3.1; attack case AZ-07",
        "list in PcrSet exactly the PCRs that were quoted",
        BindingMismatch,
        _pcr_set,
    ),
    Check(
        "encryption_key.certification",
        "EncryptionKeyCertification",
        "tpm-and-guest 3.2, step 4",
        "certify the encryption key with the attestation key that quoted",
        SignatureInvalid,
        _certification,
    ),
    Check(
        "encryption_key.name",
        "EncryptionKeyNameMismatch",
        "tpm-and-guest 3.2, step 4; certify confusion in 6",
        "send the public area of the key that was certified",
        BindingMismatch,
        _name,
    ),
    Check(
        "encryption_key.attributes",
        "EncryptionKeyAttributes",
        "tpm-and-guest 3.2, step 5",
        "create the encryption key in the TPM, for decryption only, without a password",
        RuleViolated,
        _encryption_key,
    ),
    Check(
        "encryption_key.policy",
        "EncryptionKeyPolicyMismatch",
        "tpm-and-guest 3.2, step 5, and 0.1",
        "create the encryption key anew: its policy must be TPM2_PolicyPCR over the PCRs that are quoted",
        BindingMismatch,
        _policy,
    ),
)

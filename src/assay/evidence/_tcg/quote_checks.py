"""The checks of a TPM's quote: who signed it, over which nonce, over which PCR values (tpm-and-guest 1.5, 3.2)."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from assay.errors import BindingMismatch, RuleViolated, SignatureInvalid
from assay.evidence._tcg.algorithms import HashAlgorithm
from assay.evidence._tcg.attest import Quote
from assay.evidence._tcg.pcrs import PcrBank, PcrSelection, composite_digest
from assay.evidence._tcg.public import ATTESTATION_KEY, Attributes, TpmKey, TpmPublic
from assay.evidence._tcg.signature import RSA_BITS_LEAST, TpmSignature, verify_signature
from assay.pki.signatures import SignatureError
from assay.verdict import NOT_APPLICABLE, Check, Mismatch, Seen, equal


class QuoteCase(NamedTuple):
    """A quote, its signature and its signer; the PCR values sent with it; the nonce it must be over, None for any."""

    quote: Quote
    signature: TpmSignature
    key: TpmKey
    banks: Mapping[HashAlgorithm, PcrBank]
    nonce: bytes | None


def _signature(case: QuoteCase) -> Seen:
    try:
        verify_signature(case.key, case.signature, case.quote.header.octets)
    except SignatureError as error:
        raise Mismatch(str(error), _BY_THE_KEY) from error
    return _SIGNED


_BY_THE_KEY: Final = "a signature by the attestation key over the quote, with SHA-256 or better"
_SIGNED: Final = Seen("verifies", _BY_THE_KEY)


def _nonce(case: QuoteCase) -> Seen:
    if case.nonce is None:
        return NOT_APPLICABLE
    extra = case.quote.header.extra_data
    # The whole value: not a prefix, not inside a longer one (attack case TPM-07).
    if not hmac.compare_digest(extra, case.nonce):
        raise Mismatch(extra, case.nonce)
    return Seen(extra, case.nonce)


@dataclass(frozen=True, slots=True)
class _Selected:
    """PCRs of banks, as text only when somebody reads the verdict."""

    selections: tuple[PcrSelection, ...]

    def __str__(self) -> str:
        return "; ".join(f"{bank.label} {' '.join(map(str, indices))}" for bank, indices in self.selections)


def _selection(case: QuoteCase) -> Seen:
    """Exactly the values that were quoted, in every bank: none missing, none more (TPM-04, TPM-06, AZ-07)."""
    quoted = _Selected(tuple(sorted(chosen for chosen in case.quote.selections if chosen.indices)))
    banks = (PcrSelection(bank.algorithm, tuple(sorted(bank.values))) for bank in case.banks.values() if bank.values)
    return equal(_Selected(tuple(sorted(banks))), quoted)


def _banks(case: QuoteCase) -> Seen:
    strong = tuple(
        chosen.algorithm.label for chosen in case.quote.selections if chosen.indices and chosen.algorithm.is_strong
    )
    if not strong:
        seen = tuple(chosen.algorithm.label for chosen in case.quote.selections if chosen.indices)
        raise Mismatch(seen, _STRONG)
    return Seen(strong, _STRONG)


_STRONG: Final = "PCRs of a SHA-256, SHA-384 or SHA-512 bank"


def _composite(case: QuoteCase) -> Seen:
    computed = composite_digest(case.quote.selections, case.banks, case.signature.hash)
    if not hmac.compare_digest(computed, case.quote.pcr_digest):
        raise Mismatch(case.quote.pcr_digest, computed)
    return Seen(case.quote.pcr_digest, computed)


_TABLE: Final[tuple[Check[QuoteCase], ...]] = (
    Check(
        "signature",
        "QuoteSignatureInvalid",
        "TPM 2.0 library, part 3, TPM2_Quote; tpm-and-guest 1.5, step 7",
        "quote with the attestation key that the evidence names, signing with SHA-256 or better",
        SignatureInvalid,
        _signature,
    ),
    Check(
        "nonce",
        "NonceMismatch",
        "tpm-and-guest 1.2; attack case TPM-07",
        "quote anew with the qualifying data that belongs to this challenge",
        BindingMismatch,
        _nonce,
    ),
    Check(
        "banks",
        "WeakPcrBank",
        "tpm-and-guest 6, bank mixing",
        "quote a SHA-256 bank: SHA-1 has collisions",
        RuleViolated,
        _banks,
    ),
    Check(
        "selection",
        "PcrSelectionMismatch",
        "tpm-and-guest 1.5, step 7; attack cases TPM-04, TPM-06",
        "send exactly the PCR values that were quoted, bank by bank",
        BindingMismatch,
        _selection,
    ),
    Check(
        "composite",
        "PcrCompositeMismatch",
        "TPM 2.0 library, part 2, 10.12.1; tpm-and-guest 0.1",
        "read the PCRs again and quote again: their values are not those that the TPM signed",
        BindingMismatch,
        _composite,
    ),
)


def quote_checks(prefix: str) -> tuple[Check[QuoteCase], ...]:
    """The checks of one quote, in order; `prefix` names it among the others of the evidence: `quote`."""
    return tuple(replace(check, name=f"{prefix}.{check.name}") for check in _TABLE)


def seen_attestation_key(public: TpmPublic) -> Seen:
    """A key that only signs what its TPM says, in attributes, kind and strength (tpm-and-guest 0.1, 6; TPM-08).

    Raises `Mismatch`.
    """
    held = public.attributes
    if held & ATTESTATION_KEY != ATTESTATION_KEY or held & Attributes.DECRYPT:
        raise Mismatch(f"attributes {held:#x}", _ATTESTATION_KEY)
    if not public.name_algorithm.is_strong:
        raise Mismatch(f"a name by {public.name_algorithm.label}", _ATTESTATION_KEY)
    if public.scheme.hash is not None and not public.scheme.hash.is_strong:
        raise Mismatch(f"a scheme with {public.scheme.hash.label}", _ATTESTATION_KEY)
    if isinstance(public.key, RSAPublicKey) and public.key.key_size < RSA_BITS_LEAST:
        raise Mismatch(f"an RSA key of {public.key.key_size} bits", _ATTESTATION_KEY)
    return Seen(f"attributes {held:#x}", _ATTESTATION_KEY)


_ATTESTATION_KEY: Final = (
    f"restricted, sign, fixedTPM, fixedParent, sensitiveDataOrigin ({ATTESTATION_KEY:#x}) and no decrypt; "
    "SHA-256 or better; RSA of 2048 bits or more"
)


def seen_scheme(public: TpmPublic, signature: TpmSignature) -> Seen:
    """The signature is of the scheme and hash that the key is bound to, if it is (attack case TPM-22).

    Raises `Mismatch`.
    """
    if public.scheme.hash is None:
        return Seen("no scheme fixed", "the key's own scheme")
    used = (int(signature.scheme), signature.hash)
    if used != public.scheme:
        own = f"{public.scheme.algorithm:#06x} with {public.scheme.hash.label}"
        raise Mismatch(f"{signature.scheme.name} with {signature.hash.label}", own)
    return Seen(signature.scheme.name, "the key's own scheme")

"""The checks of a session: the challenge that came back, and the key that signed the request (tpm-and-guest 1.5)."""

from __future__ import annotations

import hmac
from typing import Final, NamedTuple

from assay.errors import BindingMismatch, SignatureInvalid, TokenRejected
from assay.evidence._tcg.signature import verify_signature
from assay.evidence.base import Grounds, Submission
from assay.evidence.tpm.keys import CertifyBinding, QuoteBinding, RequestKey
from assay.evidence.tpm.request import TpmRequest, challenge_of_nonce
from assay.formats.jws import verify_jws
from assay.pki.signatures import SignatureError
from assay.verdict import NOT_APPLICABLE, Check, Mismatch, Missing, Seen


class SessionCase(NamedTuple):
    """A request and the grounds on which its challenge is judged."""

    request: TpmRequest
    submission: Submission
    grounds: Grounds


def _context(case: SessionCase) -> Seen:
    challenge = case.grounds.challenge
    if challenge is None:
        # Offline: the service that minted it is not here, so whoever appraises says what it was.
        return NOT_APPLICABLE
    if challenge.problem:
        raise Mismatch(challenge.problem, _LIVE)
    return Seen("opens", _LIVE)


_LIVE: Final = "a context that this service sealed for this provider, not yet ended"


def _challenge(case: SessionCase) -> Seen:
    expected = _expected(case)
    if not hmac.compare_digest(case.request.challenge, expected):
        raise Mismatch(case.request.challenge, expected)
    return Seen(case.request.challenge, expected)


def _expected(case: SessionCase) -> bytes:
    if case.grounds.challenge is not None:
        return case.grounds.challenge.nonce
    if case.submission.nonce is None:
        raise Missing(("the challenge that the service minted (--nonce)",))
    expected = challenge_of_nonce(case.submission.nonce)
    if expected is None:
        raise Mismatch("a nonce that is no base64url", "the challenge in base64url")
    return expected


def _signature(case: SessionCase) -> Seen:
    try:
        verify_jws(case.request.jws, case.request.request_key.key, algorithm="PS256")
    except TokenRejected as error:
        raise Mismatch(error.message, _BY_THE_KEY) from error
    return Seen("verifies", _BY_THE_KEY)


_BY_THE_KEY: Final = "a PS256 signature by the request's own key"


def qualifying_data(request: TpmRequest) -> bytes:
    """What the current quote must be over (tpm-and-guest 1.2)."""
    binding = request.request_key.binding
    if isinstance(binding, QuoteBinding):
        return binding.qualifying_data(request.request_key.text, request.challenge)
    return request.challenge


def _request_key(case: SessionCase) -> Seen:
    binding = case.request.request_key.binding
    match binding:
        case CertifyBinding():
            return _certified(case.request, case.request.request_key)
        case QuoteBinding():
            return Seen(f"hashed into the qualifying data with {binding.hash_name}", "named in the quote")
        case None:
            return NOT_APPLICABLE


def _other_keys(case: SessionCase) -> Seen:
    certified = [key for key in case.request.other_keys if isinstance(key.binding, CertifyBinding)]
    if not certified:
        return NOT_APPLICABLE
    for key in certified:
        seen = _certified(case.request, key)
    return seen


def _certified(request: TpmRequest, key: RequestKey) -> Seen:
    """The attestation key certified this very key for this challenge."""
    binding = key.binding
    if not isinstance(binding, CertifyBinding):
        raise Mismatch("not certified", _CERTIFIED)
    certification = binding.certification
    try:
        verify_signature(request.current.key.key, binding.signature, certification.header.octets)
    except SignatureError as error:
        raise Mismatch(str(error), _CERTIFIED) from error
    if not hmac.compare_digest(certification.header.extra_data, request.challenge):
        raise Mismatch("certified for another challenge", _CERTIFIED)
    if certification.name != binding.public.name:
        raise Mismatch("the certification of another public area", _CERTIFIED)
    if binding.public.key.public_numbers() != key.key.public_numbers():
        raise Mismatch("the public area of another key", _CERTIFIED)
    return Seen("certified", _CERTIFIED)


_CERTIFIED: Final = "certified by the attestation key, over the challenge, by the name of this key's public area"

SESSION_CHECKS: Final[tuple[Check[SessionCase], ...]] = (
    Check(
        "challenge.context",
        "ChallengeContextInvalid",
        "tpm-and-guest 1.1; attack case TPM-12",
        "begin a new session, and send its context back as it came",
        BindingMismatch,
        _context,
    ),
    Check(
        "challenge.value",
        "ChallengeMismatch",
        "tpm-and-guest 1.2; attack cases TPM-12, VBS-03",
        "send the challenge and the context of one session",
        BindingMismatch,
        _challenge,
    ),
    Check(
        "request.signature",
        "RequestSignatureInvalid",
        "tpm-and-guest 1.2 and 1.5, step 4",
        "sign the request with request_key (attest_key): PS256, a salt of 32 octets",
        SignatureInvalid,
        _signature,
    ),
)
KEY_CHECKS: Final[tuple[Check[SessionCase], ...]] = (
    Check(
        "request_key.binding",
        "RequestKeyNotBound",
        "tpm-and-guest 1.2; class of attack case TPM-09",
        "certify the key with the attestation key over the challenge, or name it in the quote",
        BindingMismatch,
        _request_key,
    ),
    Check(
        "other_keys.binding",
        "OtherKeyNotBound",
        "tpm-and-guest 1.2",
        "certify each of the other keys with the attestation key over the challenge",
        BindingMismatch,
        _other_keys,
    ),
)

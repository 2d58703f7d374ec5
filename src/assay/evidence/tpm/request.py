"""The request of the second round: a JWS by the request key over what the TPM attests (tpm-and-guest 1.2)."""

from __future__ import annotations

from typing import Final, NamedTuple

from assay import limits
from assay.claims import Claim
from assay.errors import LimitExceeded, Malformed, MalformedEvidence, MalformedToken, UnsupportedEvidence
from assay.evidence.base import Submission
from assay.evidence.tpm.attestation import (
    TpmAttestation,
    parse_attestation,
    parse_attestations_of_version_1,
)
from assay.evidence.tpm.custom_claims import parse_custom_claims
from assay.evidence.tpm.envelope import open_envelope
from assay.evidence.tpm.keys import RequestKey, parse_jwk, parse_other_keys, parse_request_key
from assay.evidence.tpm.members import (
    WHAT,
    Members,
    decode_object,
    optional_object,
    optional_text,
    required_object,
    required_octets,
    required_text,
)
from assay.formats import base64url
from assay.formats.json_text import member_texts
from assay.formats.jws import Jws, parse_jws

# By `typ`; the header has these two members and no other, so that nothing in it steers the verification.
_VERSIONS: Final = {"attReq": 1, "attReqV2": 2}
_ALGORITHM: Final = "PS256"
BASIC: Final = "basic"
# One page of the documentation writes the second form (tpm-and-guest 1.2).
ENCLAVE: Final = ("vbs", "vsm")


class TpmRequest(NamedTuple):
    """A parsed request, nothing of it verified.

    `report_signed` is the text that an enclave's report is over, and `enclave_report` that report; both are empty where
    no enclave asks.
    """

    version: int
    jws: Jws
    rp_id: str | None
    rp_data: str | None
    challenge: bytes
    service_context: str
    current: TpmAttestation
    boot: TpmAttestation | None
    request_key: RequestKey
    other_keys: tuple[RequestKey, ...]
    custom_claims: tuple[Claim, ...]
    report_signed: str
    enclave_report: bytes

    @property
    def is_enclave(self) -> bool:
        return bool(self.report_signed)


def is_enclave_request(submission: Submission) -> bool:
    """Whether a submission says that an enclave asks; what cannot be read says nothing."""
    try:
        _, payload = _open(submission)
    except (Malformed, LimitExceeded):
        return False
    return payload.get("att_type") in ENCLAVE


def parse_request(submission: Submission) -> TpmRequest:
    """The request in a submission; raises `MalformedEvidence`, `UnsupportedEvidence` and `LimitExceeded`."""
    jws, payload = _open(submission)
    version = _version(jws)
    kind, data = required_text(payload, "att_type"), required_object(payload, "att_data")
    data_text = member_texts(jws.payload.decode())["att_data"]
    if kind == BASIC:
        return _parse_fields(jws, version, data, data_text)
    if kind not in ENCLAVE:
        raise MalformedEvidence(WHAT, f"att_type {kind[:20]!r} is neither basic nor vbs")
    fields, text = required_object(data, "report_signed"), member_texts(data_text)["report_signed"]
    return _parse_fields(jws, version, fields, text)._replace(
        report_signed=text, enclave_report=_enclave_report(data, version)
    )


def _open(submission: Submission) -> tuple[Jws, Members]:
    text = required_text(open_envelope(submission).members, "request")
    try:
        jws = parse_jws(text, limit=limits.REPORT_REQUEST)
    except MalformedToken as error:
        raise MalformedEvidence(WHAT, error.message) from error
    return jws, decode_object(jws.payload)


def _version(jws: Jws) -> int:
    kind = jws.header.get("typ")
    if jws.header != {"alg": _ALGORITHM, "typ": kind} or kind not in _VERSIONS:
        expected = " or ".join(_VERSIONS)
        raise UnsupportedEvidence(
            WHAT, f"its header is not alg {_ALGORITHM} with typ {expected} alone", code="UnsupportedRequest"
        )
    return _VERSIONS[str(kind)]


def _parse_fields(jws: Jws, version: int, fields: Members, text: str) -> TpmRequest:
    data = required_object(fields, "tpm_att_data")
    boot: TpmAttestation | None
    others: tuple[RequestKey, ...] = ()
    if version == 1:
        current, boot = parse_attestations_of_version_1(data)
        key = _attest_key(fields, text)
    else:
        current = parse_attestation(required_object(data, "current_attestation"))
        booted = optional_object(data, "boot_attestation")
        boot = None if booted is None else parse_attestation(booted)
        key = parse_request_key(required_object(fields, "request_key"), member_texts(text)["request_key"])
        others = parse_other_keys(fields)
    return TpmRequest(
        version=version,
        jws=jws,
        rp_id=_bounded(fields, "rp_id"),
        rp_data=_bounded(fields, "rp_data"),
        challenge=required_octets(fields, "challenge"),
        service_context=required_text(fields, "service_context"),
        current=current,
        boot=boot,
        request_key=key,
        other_keys=others,
        custom_claims=parse_custom_claims(fields),
        report_signed="",
        enclave_report=b"",
    )


def _attest_key(fields: Members, text: str) -> RequestKey:
    jwk = required_object(fields, "attest_key")
    return RequestKey(member_texts(text)["attest_key"], jwk, parse_jwk(jwk))


def _bounded(fields: Members, name: str) -> str | None:
    """Text of the relying party: copied, so bounded (tpm-and-guest 6)."""
    text = optional_text(fields, name)
    if text is not None and len(text) > limits.RELYING_PARTY_TEXT:
        raise LimitExceeded(name, limit=limits.RELYING_PARTY_TEXT, found=len(text))
    return text


def _enclave_report(data: Members, version: int) -> bytes:
    if version == 1:
        return required_octets(data, "vsm_report")
    return required_octets(required_object(required_object(data, "vsm_report"), "enclave"), "report")


def challenge_of_nonce(nonce: str) -> bytes | None:
    """The challenge that an offline appraisal is given as text, or None when it is no base64url."""
    try:
        return base64url.decode_strict(nonce)
    except base64url.Base64Error:
        return None

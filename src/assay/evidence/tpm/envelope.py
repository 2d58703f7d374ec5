"""The envelope of the protocol, in both rounds and both directions (tpm-and-guest 1.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from assay import limits
from assay.errors import LimitExceeded, MalformedRequest
from assay.evidence.base import EncodeChallenge, Submission
from assay.evidence.tpm.members import Members, decode_object
from assay.formats import base64url, strict_json
from assay.formats.strict_json import JsonValue

_WHAT: Final = "data"
# The only kind of proof of an attestation key that the protocol knows (rest-api 7.6).
_AIK_CERTIFICATE: Final = "aikcert"


class Opened(NamedTuple):
    """The members inside an envelope, and whether they stood inside `payload`."""

    members: Members
    wrapped: bool


def decode_envelope(members: Mapping[str, JsonValue]) -> Submission:
    """The submission of a request `{"data": octets}`; raises `MalformedRequest` and `LimitExceeded`."""
    value = members.get("data")
    if not isinstance(value, str):
        raise MalformedRequest(_WHAT, "a text in base64url is needed")
    try:
        content = base64url.decode_lenient(value)
    except base64url.Base64Error as error:
        raise MalformedRequest(_WHAT, str(error)) from error
    return Submission(content)


def open_envelope(submission: Submission) -> Opened:
    """The inner object, with `payload` around it or not; raises `MalformedEvidence` and `LimitExceeded`."""
    if len(submission.evidence) > limits.REPORT_REQUEST:
        raise LimitExceeded("request, octets", limit=limits.REPORT_REQUEST, found=len(submission.evidence))
    members = decode_object(submission.evidence)
    payload = members.get("payload")
    return Opened(payload, wrapped=True) if isinstance(payload, dict) else Opened(members, wrapped=False)


def begin(submission: Submission) -> EncodeChallenge | None:
    """How to answer a first message; None for a message that carries a request.

    Raises `MalformedRequest` for another kind of proof than the certificate of the attestation key.
    """
    members = open_envelope(submission).members
    kind = members.get("type")
    if kind is None:
        return None
    if kind != _AIK_CERTIFICATE:
        raise MalformedRequest("payload.type", f"{str(kind)[:40]!r}: only {_AIK_CERTIFICATE!r} is known")
    return _encode_challenge


def _encode_challenge(challenge: bytes, context: str) -> Mapping[str, JsonValue]:
    return {"challenge": base64url.encode(challenge), "service_context": context}


def enclose(submission: Submission, body: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    """`{"data": …}` around the members of an answer, wrapped as the request was."""
    wrapped = open_envelope(submission).wrapped
    inner = {"payload": dict(body)} if wrapped else dict(body)
    return {"data": base64url.encode(strict_json.encode_ordered(inner))}


def answer_report(token: str, _recipient: bytes | None) -> Mapping[str, JsonValue]:
    """The member that carries the token."""
    return {"report": token}

"""What a client says to an attestation service and how it reads the answer (rest-api 2, 4, 5, 7); no I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from assay import limits
from assay.errors import AssayError, ConfigurationError, MalformedToken, ServiceRefused
from assay.formats import base64url, strict_json
from assay.formats.key_set import KeySet, parse_key_set
from assay.formats.strict_json import JsonError, JsonObject, JsonValue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assay.evidence.base import AnyEvidenceType, HeldData, Submission

API_VERSION: Final = "2022-08-01"
_TOKEN_TEXT: Final = re.compile(r"[A-Za-z0-9_.-]+\Z")
_JSON: Final = "application/json"
# Own: a message of an error is shown to people; recorded ones have up to 300 characters.
_MESSAGE: Final = 4096


class ConnectionFailed(AssayError):
    """The service could not be reached, or what answered is not an attestation service."""

    code = "ConnectionFailed"


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request; the answer's body must not exceed `answer_limit` octets."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    answer_limit: int


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class FailedCheck:
    """One check of the verdict that came with a refusal, or of an explained success (design, section 8)."""

    target: str
    code: str
    outcome: str
    observed: str
    expected: str
    reference: str
    message: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answered to evidence: the token, not verified yet, and the verdict when it was asked for."""

    token: str
    verdict: tuple[FailedCheck, ...]


@dataclass(frozen=True, slots=True)
class Metadata:
    """The discovery document of an issuer, which is the issuer asked for, with keys at its own origin."""

    issuer: str
    key_set_url: str


def endpoint(url: str) -> str:
    """The base URL of a service without its trailing slash.

    Raises `ConfigurationError` unless it is https, or http to this very machine, with nothing but a path after it.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname or "")):
        raise ConfigurationError(f"{url!r}: an https URL is needed (http only to a loopback address)")
    if not parts.hostname or parts.username is not None or parts.query or parts.fragment:
        raise ConfigurationError(f"{url!r}: neither user names, queries nor fragments belong into this URL")
    return url.rstrip("/")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def attest_call(base: str, kind: AnyEvidenceType, submission: Submission, *, explain: bool, api_version: str) -> Call:
    """The request that sends evidence to the service at `base`.

    Raises `ConfigurationError` for a type of evidence that has no route of its own.
    """
    if kind.path is None:
        raise ConfigurationError(f"{kind.name} evidence is sent over the route of another type")
    url = f"{base}/attest/{kind.path}?api-version={api_version}" + ("&explain=true" if explain else "")
    headers = {"content-type": _JSON, "accept": _JSON}
    return Call("POST", url, headers, encode_submission(kind, submission), limits.REQUEST_BODY)


def encode_submission(kind: AnyEvidenceType, submission: Submission) -> bytes:
    """The body of an attest request (rest-api 7.0 to 7.2): base64url without padding, as the stock clients send."""
    body: dict[str, JsonValue] = {kind.member: base64url.encode(submission.evidence)}
    if submission.runtime_data is not None:
        body["runtimeData"] = _encode_held(submission.runtime_data)
    if submission.init_time_data is not None:
        body["initTimeData"] = _encode_held(submission.init_time_data)
    if submission.event_log is not None:
        body["eventLog"] = base64url.encode(submission.event_log)
    if submission.draft_policy is not None:
        body["draftPolicyForAttestation"] = submission.draft_policy
    if submission.nonce is not None:
        body["nonce"] = submission.nonce
    return strict_json.encode_compact(body)


def _encode_held(held: HeldData) -> dict[str, JsonValue]:
    return {"data": base64url.encode(held.content), "dataType": held.data_type.value}


def key_set_call(base: str) -> Call:
    """The request for `<issuer>/certs`, which needs no api-version (rest-api 2.2)."""
    return _get(f"{base}/certs", "application/jwk+json, application/json", limits.KEY_SET_BODY)


def metadata_call(base: str) -> Call:
    """The request for the issuer's discovery document."""
    return _get(f"{base}/.well-known/openid-configuration", _JSON, limits.REQUEST_BODY)


def key_set_call_of(metadata: Metadata) -> Call:
    """The request for the key set that a discovery document names."""
    return _get(metadata.key_set_url, "application/jwk+json, application/json", limits.KEY_SET_BODY)


def _get(url: str, accept: str, answer_limit: int) -> Call:
    return Call("GET", url, {"accept": accept}, b"", answer_limit)


def read_answer(reply: Reply) -> Answer:
    """The token in an answer; raises `ServiceRefused` for an error and `ConnectionFailed` for anything else."""
    members = read_object(reply)
    token = members.get("token")
    if not isinstance(token, str) or not _TOKEN_TEXT.match(token):
        raise ConnectionFailed("the answer has no member 'token': is this an attestation service?")
    return Answer(token, _read_checks(members.get("verdict")))


def read_key_set(reply: Reply) -> KeySet:
    """The key set in an answer; raises as `read_answer` does."""
    require_status(reply)
    try:
        return parse_key_set(reply.body)
    except MalformedToken as error:
        raise ConnectionFailed(f"the answer is no key set: {error.message}") from error


def read_metadata(reply: Reply, issuer: str) -> Metadata:
    """The discovery document of `issuer`.

    Raises `ConnectionFailed` when it is of another issuer, or sends its reader to another origin for the keys (TOK-03).
    """
    members = read_object(reply)
    found, key_set_url = members.get("issuer"), members.get("jwks_uri")
    if found != issuer:
        raise ConnectionFailed(f"the discovery document is of the issuer {str(found)[:200]!r}, not {issuer!r}")
    if not isinstance(key_set_url, str) or _origin(key_set_url) != _origin(issuer):
        raise ConnectionFailed(f"the key set is at {str(key_set_url)[:200]!r}: not the origin of {issuer!r}")
    return Metadata(issuer, key_set_url)


def _origin(url: str) -> tuple[str, str, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ("", "", None)
    if parts.username is not None:
        return ("", "", None)
    return parts.scheme, parts.hostname or "", port or {"https": 443, "http": 80}.get(parts.scheme)


def read_object(reply: Reply, success: tuple[int, ...] = (200,)) -> JsonObject:
    """The JSON object in an answer; raises `ServiceRefused` for an error and `ConnectionFailed` for anything else."""
    require_status(reply, success)
    try:
        return strict_json.decode_object(reply.body)
    except JsonError as error:
        raise ConnectionFailed(f"the answer is not a JSON object: {error}") from error


def require_status(reply: Reply, success: tuple[int, ...] = (200,)) -> None:
    """Raises `ServiceRefused`, or `ConnectionFailed` for a redirect, unless the status is one of these.

    Only 200 is success for every operation of the data plane (rest-api 4.1); a redirect is not followed.
    """
    if reply.status not in success:
        raise _refusal(reply)


def _refusal(reply: Reply) -> AssayError:
    if 300 <= reply.status < 400:
        return ConnectionFailed(f"HTTP {reply.status}: redirects are not followed; use the final URL")
    error = _error_members(reply.body)
    if error is None:
        return ServiceRefused(reply.status, reply.headers.get("x-ms-error-code", "-"), "the answer has no error body")
    code, message = error.get("code"), error.get("message")
    return ServiceRefused(
        reply.status,
        code if isinstance(code, str) else "-",
        message[:_MESSAGE] if isinstance(message, str) else "",
        _read_checks(error.get("details")),
    )


def _error_members(body: bytes) -> JsonObject | None:
    """The `error` object in either spelling (rest-api 4.1), names in lower case; or None."""
    try:
        outer = _lowered(strict_json.decode_object(body))
    except JsonError:
        return None
    error = outer.get("error")
    return _lowered(error) if isinstance(error, dict) else None


def _lowered(members: JsonObject) -> JsonObject:
    return {name.lower(): value for name, value in members.items()}


def _read_checks(value: JsonValue) -> tuple[FailedCheck, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(_read_check(_lowered(entry)) for entry in value if isinstance(entry, dict))


def _read_check(entry: JsonObject) -> FailedCheck:
    def text(*names: str) -> str:
        found = next((entry[name] for name in names if isinstance(entry.get(name), str)), "")
        return str(found)[:_MESSAGE]

    return FailedCheck(
        target=text("target", "name"),
        code=text("code"),
        outcome=text("outcome"),
        observed=text("observed"),
        expected=text("expected"),
        reference=text("reference"),
        message=text("message", "remedy"),
    )

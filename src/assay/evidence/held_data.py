"""Held data: runtime and init-time data of a request, decoded and bound to the evidence (rest-api 2.1 and 7.0)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from assay import limits
from assay.errors import BindingMismatch, LimitExceeded, MalformedRequest, RuleViolated
from assay.evidence.base import HeldData, HeldDataType, PlatformRules, Submission
from assay.formats import base64url, strict_json
from assay.formats.base64url import Base64Error
from assay.formats.strict_json import JsonError, JsonValue
from assay.verdict import NOT_APPLICABLE, Check, Mismatch, Seen


def decode_submission(members: Mapping[str, JsonValue], evidence_member: str) -> Submission:
    """The submission of a request body whose names are in lower case; raises `MalformedRequest`.

    Unknown members are ignored and null equals absent (rest-api 2.1.3).
    """
    return Submission(
        evidence=_octets(members, evidence_member, evidence_member, base64url.decode_evidence),
        runtime_data=_held_data(members, "runtimeData"),
        init_time_data=_held_data(members, "initTimeData"),
        nonce=_nonce(members),
        draft_policy=_draft_policy(members),
    )


def decode_optional(members: Mapping[str, JsonValue], name: str) -> bytes | None:
    """The octets of a member in base64url; None where it is absent, null or empty. Raises `MalformedRequest`."""
    return None if members.get(name.lower()) in (None, "") else _octets(members, name, name)


def _octets(
    members: Mapping[str, JsonValue],
    name: str,
    shown: str,
    decode: Callable[[str], bytes] = base64url.decode_lenient,
) -> bytes:
    value = members.get(name.lower())
    if value is None:
        raise MalformedRequest(shown, "this member is required")
    if not isinstance(value, str):
        raise MalformedRequest(shown, "not a string of base64url")
    try:
        content = decode(value)
    except Base64Error as error:
        raise MalformedRequest(shown, str(error)) from error
    if not content:
        raise MalformedRequest(shown, "empty")
    return content


def _held_data(members: Mapping[str, JsonValue], name: str) -> HeldData | None:
    value = members.get(name.lower())
    if value is None:
        return None
    if not isinstance(value, dict):
        raise MalformedRequest(name, "not an object with data and dataType")
    inner = {key.lower(): member for key, member in value.items()}
    # Sidecars send both empty on every call, a client bug leaves data out: absent (rest-api 2.1.8).
    if inner.get("data") in (None, ""):
        _require_no_type(inner, name)
        return None
    content = _octets(inner, "data", f"{name}.data")
    return held_data(content, inner.get("datatype"), name)


def _require_no_type(inner: Mapping[str, JsonValue], name: str) -> None:
    kind = inner.get("datatype")
    if kind is not None and (not isinstance(kind, str) or kind.lower() not in ("", "json", "binary")):
        raise MalformedRequest(f"{name}.dataType", "neither JSON nor Binary")


def held_data(content: bytes, data_type: JsonValue, name: str) -> HeldData:
    """Held data of a stated type, whose name compares without regard to case; raises `MalformedRequest`.

    JSON must be an object; trailing NUL octets are dropped before it is parsed, not before it is hashed (2.1.10).
    """
    match data_type.lower() if isinstance(data_type, str) else data_type:
        case "json":
            try:
                parsed = strict_json.decode_object(content.rstrip(b"\x00"))
            except JsonError as error:
                raise MalformedRequest(f"{name}.data", str(error)) from error
            return HeldData(content, HeldDataType.JSON, parsed)
        case "binary":
            return HeldData(content, HeldDataType.BINARY, None)
        case _:
            raise MalformedRequest(f"{name}.dataType", "neither JSON nor Binary")


def _nonce(members: Mapping[str, JsonValue]) -> str | None:
    value = members.get("nonce")
    if value is None or (isinstance(value, str) and not value):
        return None
    # A number is claimed as the string of its digits (rest-api 2.1.7).
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 64:
        return str(value)
    if not isinstance(value, str):
        raise MalformedRequest("nonce", "neither a string nor an unsigned 64-bit number")
    if len(value) > limits.NONCE:
        raise LimitExceeded("nonce, characters", limit=limits.NONCE, found=len(value))
    return value


def _draft_policy(members: Mapping[str, JsonValue]) -> str | None:
    value = members.get("draftpolicyforattestation")
    if value is None:
        return None
    if not isinstance(value, str):
        raise MalformedRequest("draftPolicyForAttestation", "not a string")
    if len(value) > limits.POLICY_TEXT:
        raise LimitExceeded("draftPolicyForAttestation, characters", limit=limits.POLICY_TEXT, found=len(value))
    return value


class HeldDataCase(NamedTuple):
    """What the binding checks look at: the request, and the fields of the evidence that hold the hashes.

    `config_id` is None for evidence that has no field for init-time data.
    """

    submission: Submission
    report_data: bytes
    config_id: bytes | None
    rules: PlatformRules


def _required(case: HeldDataCase) -> Seen:
    if not case.rules.require_runtime_data:
        return NOT_APPLICABLE
    if case.submission.runtime_data is None:
        raise Mismatch("no runtime data", "runtime data, bound by the report data")
    return Seen("sent", "runtime data, bound by the report data")


def _runtime(case: HeldDataCase) -> Seen:
    if case.submission.runtime_data is None:
        return NOT_APPLICABLE
    return _bound(case.submission.runtime_data, case.report_data, "report data")


def _runtime_tail(case: HeldDataCase) -> Seen:
    # Not asked for by the definition, zero in every recorded sample (rest-api 7.0): a rule of the strict set.
    if case.submission.runtime_data is None or not case.rules.strict:
        return NOT_APPLICABLE
    if any(case.report_data[32:]):
        raise Mismatch(case.report_data[32:], "32 zero octets after the hash")
    return Seen("zero", "32 zero octets after the hash")


def _init_time(case: HeldDataCase) -> Seen:
    if case.submission.init_time_data is None:
        return NOT_APPLICABLE
    if case.config_id is None:
        raise Mismatch("init-time data", "evidence with a field that holds its hash (key separation and sharing)")
    return _bound(case.submission.init_time_data, case.config_id, "configuration id")


def _bound(data: HeldData, field: bytes, name: str) -> Seen:
    digest = hashlib.sha256(data.content).digest()
    if not hmac.compare_digest(digest, field[:32]):
        raise Mismatch(f"SHA-256 of the data sent: {digest.hex()}", f"first half of the {name}: {field[:32].hex()}")
    return Seen(digest, f"first half of the {name}")


HELD_DATA_CHECKS: Final[tuple[Check[HeldDataCase], ...]] = (
    Check(
        "runtime_data.present",
        "RuntimeDataRequired",
        "attack case QV-25; rule requireRuntimeData",
        "send the runtime data whose SHA-256 the attester put into the report data",
        RuleViolated,
        _required,
    ),
    Check(
        "runtime_data.binding",
        "RuntimeDataMismatch",
        "rest-api 7.0",
        "send exactly the octets whose SHA-256 the attester put into the report data",
        BindingMismatch,
        _runtime,
    ),
    Check(
        "runtime_data.tail",
        "ReportDataTailNotZero",
        "attack case QV-24; rule of --strict",
        "put 32 zero octets after the hash in the report data",
        BindingMismatch,
        _runtime_tail,
    ),
    Check(
        "init_time_data.binding",
        "InitTimeDataMismatch",
        "rest-api 7.0",
        "send exactly the octets whose SHA-256 was configured at launch, or leave initTimeData out",
        BindingMismatch,
        _init_time,
    ),
)

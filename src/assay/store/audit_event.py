"""Audit events: what is recorded of one decision or one change, and the octets of its record.

An event names evidence, policies, collateral and tokens by digests and identifiers. There is no member for evidence,
held data, nonces, tokens or keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from json import JSONEncoder
from json.encoder import encode_basestring as _quoted
from typing import Final, NamedTuple

from assay import limits
from assay.formats.strict_json import JsonValue

_ENCODER: Final = JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False)


class AuditOutcome(str, Enum):
    """How a decision or a change ended."""

    ISSUED = "issued"
    REFUSED = "refused"
    # An endorsement or the store was missing, or a bug: nobody knows whether the evidence was good.
    UNDECIDED = "undecided"
    UNAUTHORIZED = "unauthorized"
    CHANGED = "changed"
    # The audit's own records: the start and the end of a writer, a purge.
    NOTED = "noted"


class Encoded(NamedTuple):
    """Part of a record that many events share, encoded once."""

    json: str


EMPTY: Final[Mapping[str, JsonValue]] = {}


class AuditEvent(NamedTuple):
    """One decision or one change; a named tuple, since every request makes one.

    `time` is in UTC. `operation` is Azure's name of it (`SetPolicy`; rest-api 17), `code` the stable word of a refusal,
    `status` the answer's HTTP status, `evidence` the SHA-256 in hex, `policy` an `x-ms-policy-hash`, `collateral` the
    SHA-256 in hex of each document by its kind, `token` the identifier (`jti`), `verdict` which checks ended how.
    """

    time: datetime
    operation: str
    outcome: AuditOutcome
    provider: str = ""
    status: int = 0
    code: str = ""
    caller: str = ""
    remote: str = ""
    request: str = ""
    evidence: str = ""
    policy: str = ""
    collateral: Encoded | None = None
    token: str = ""
    verdict: Encoded | None = None
    details: Mapping[str, JsonValue] = EMPTY


def encode_part(value: Mapping[str, JsonValue]) -> Encoded:
    """A part of a record, encoded for many events."""
    return Encoded(_ENCODER.encode(value))


def encode_time(time: datetime) -> str:
    """The time of a record: UTC, six digits of a second."""
    return time.isoformat("T", "microseconds")[:26] + "Z"


def encode_record(number: int, event: AuditEvent) -> bytes:
    """The octets of the record of an event: one line of JSON, members in the order of the fields, empty ones left out.

    They are hashed as they are stored and never encoded again. Text is cut at `limits.AUDIT_TEXT`.
    """
    time, operation, outcome, provider, status, *texts, collateral, token, verdict, details = event
    line = f'{{"n":{number},"time":"{encode_time(time)}","operation":{_text(operation)},"outcome":"{outcome._value_}"'
    line += _member("provider", provider)
    if status:
        line += f',"status":{status:d}'
    for name, text in zip(_TEXTS, texts, strict=True):
        if text:
            line += f',"{name}":{_text(text)}'
    if collateral is not None:
        line += f',"collateral":{collateral.json}'
    line += _member("token", token)
    if verdict is not None:
        line += f',"verdict":{verdict.json}'
    if details:
        line += f',"details":{_ENCODER.encode(details)}'
    # A lone surrogate, which has no octets, must not make a decision impossible to record.
    return f"{line}}}".encode("utf-8", "replace")


_TEXTS: Final = AuditEvent._fields[5:11]


def _member(name: str, text: str) -> str:
    return f',"{name}":{_text(text)}' if text else ""


def _text(text: str) -> str:
    return _quoted(text[: limits.AUDIT_TEXT])

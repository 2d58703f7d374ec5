"""Options that several commands share, and how their values are read."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import click

from assay.endorsements.intel.tcb import ACCEPTED_BY_DEFAULT, TcbStatus
from assay.evidence import EVIDENCE_TYPES, find_evidence_type

if TYPE_CHECKING:
    from assay.evidence.base import AnyEvidenceType

_UNIX: Final = re.compile(r"-?\d{1,11}(?:\.\d{1,6})?\Z", re.ASCII)
TYPES: Final = ", ".join(kind.name for kind in EVIDENCE_TYPES)
# The vendor's spelling, found in any case.
_STATUSES: Final = {status.value.lower(): status for status in TcbStatus}


class TimeType(click.ParamType[datetime]):
    """An instant: ISO 8601 (UTC where no offset is given) or seconds since 1970."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        text = str(value).strip()
        try:
            if re.fullmatch(r"\d{1,4}", text, re.ASCII):
                self.fail(f"{text!r}: a year? write {text}-01-01", param, ctx)
            if _UNIX.match(text):
                return datetime.fromtimestamp(float(text), UTC)
            parsed = datetime.fromisoformat(text)
            return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
        except (ValueError, OverflowError, OSError):
            self.fail(f"{text!r} is neither ISO 8601 (2025-06-01T12:00:00Z) nor a Unix time", param, ctx)


class EvidenceTypeType(click.ParamType["AnyEvidenceType"]):
    """The wire name of an evidence type, case ignored."""

    name = "type"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> AnyEvidenceType:
        kind = find_evidence_type(str(value))
        if kind is None:
            self.fail(f"{str(value)!r} is not an evidence type; known: {TYPES}", param, ctx)
        return kind


class StatusesType(click.ParamType[frozenset[TcbStatus]]):
    """TCB statuses separated by commas, or `any`."""

    name = "status[,status...]|any"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> frozenset[TcbStatus]:
        if isinstance(value, frozenset):
            return value
        words = [word.strip().lower() for word in str(value).split(",")]
        if words == ["any"]:
            return frozenset(TcbStatus)
        if "revoked" in words:
            self.fail("Revoked is accepted only by the word 'any'", param, ctx)
        unknown = [word for word in words if word not in _STATUSES]
        if unknown:
            known = ", ".join(status.value for status in TcbStatus)
            self.fail(f"{unknown[0]!r} is not a TCB status; known: {known}, or the word any", param, ctx)
        return frozenset(_STATUSES[word] for word in words)


class MarksType(click.ParamType[frozenset[str]]):
    """Words separated by commas."""

    name = "mark[,mark...]"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> frozenset[str]:  # noqa: ARG002  # the interface of click
        if isinstance(value, frozenset):
            return value
        return frozenset(word.strip() for word in str(value).split(",") if word.strip())


TIME: Final = TimeType()
EVIDENCE_TYPE: Final = EvidenceTypeType()
STATUSES: Final = StatusesType()
MARKS: Final = MarksType()
HELD_DATA_TYPE: Final = click.Choice(["Binary", "JSON"], case_sensitive=False)
ACCEPTED: Final = ", ".join(sorted(status.value for status in ACCEPTED_BY_DEFAULT))

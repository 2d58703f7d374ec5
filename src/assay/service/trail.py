"""What one request leaves in the audit: gathered on its way, recorded once, before its answer leaves (design, 8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from assay.errors import AssayError, Unauthorized
from assay.service.audit_events import Asked, Known, changed_event, issued_event, refused_event

if TYPE_CHECKING:
    from starlette.requests import Request

    from assay.endorsements.documents import Need
    from assay.evidence.base import Endorsements, Submission
    from assay.formats.strict_json import JsonValue
    from assay.policy import AppraisalPolicy
    from assay.result.attestation import AttestationResult
    from assay.service.audit import AuditWriter

TRAIL: Final = "assay.trail"


@dataclass(slots=True)
class Trail:
    """One request's. `operation` is empty for what is not recorded; `caller` is known once a bearer was believed."""

    writer: AuditWriter
    request_id: str
    remote: str
    provider: str = ""
    operation: str = ""
    caller: str = ""
    submission: Submission | None = None
    policy: AppraisalPolicy | None = None
    needs: Sequence[Need] = ()
    endorsements: Endorsements | None = None
    is_recorded: bool = field(default=False, init=False)

    async def record_issued(self, result: AttestationResult, token_id: str) -> None:
        """The record of a token that is about to leave; raises `StoreUnavailable`, and then it must not."""
        self.is_recorded = True
        if not self.writer.records:
            return
        await self.writer.record(issued_event(self._asked(), self._known(), result, token_id))

    async def record_refused(self, error: AssayError | None, status: int) -> None:
        """The record of a decision against the caller, None for a bug; of what decided nothing there is none.

        Raises `StoreUnavailable`.
        """
        if self.is_recorded or not self._is_decision(error):
            return
        self.is_recorded = True
        await self.writer.record(refused_event(self._asked(), self._known(), error, status))

    def record_change(self, details: Mapping[str, JsonValue]) -> None:
        """The record of a change, from the thread and in the transaction that makes it; raises `StoreUnavailable`."""
        self.is_recorded = True
        policy = details.get("policy")
        self.writer.record_now(changed_event(self._asked(), 200, str(policy or ""), dict(details)))

    def _is_decision(self, error: AssayError | None) -> bool:
        """An attest call decides once its evidence was decoded; administration once somebody is, or is not, let in."""
        if not self.operation:
            return False
        return self.submission is not None or bool(self.caller) or isinstance(error, Unauthorized)

    def _asked(self) -> Asked:
        return Asked(self.provider, self.operation, self.request_id, self.remote, self.caller)

    def _known(self) -> Known:
        policy = None if self.policy is None else self.policy.identity
        return Known(self.submission, policy, self.needs, self.endorsements)


def trail_of(request: Request) -> Trail:
    """The trail of a request."""
    trail: Trail = request.scope[TRAIL]
    return trail

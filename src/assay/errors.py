"""The one exception tree of Assay.

Every refusal is one of these classes. An exception carries facts as attributes and says them in its message; `code` is
a stable word for programs, `verdict` the list of checks when evidence was being verified. `service/errors.py` holds
the only table from here to HTTP. Anything that is not an `AssayError` is a bug.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assay.claims import ClaimSet
    from assay.verdict import Verdict


class AssayError(Exception):
    """A refusal that Assay means; `code` is stable, the message is for people."""

    code: str = "AssayError"
    verdict: Verdict | None = None

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ConfigurationError(AssayError):
    """The operator's configuration cannot be used; the message says what to change."""

    code = "ConfigurationError"


class Unauthorized(AssayError):
    """The caller did not prove a role that this operation needs (`rest-api` section 3)."""

    code = "Unauthorized"


class InvalidOperation(AssayError):
    """The operation is not available in this state of the provider (`rest-api` section 4.2)."""

    code = "InvalidOperation"


class LimitExceeded(AssayError):
    """Untrusted input is larger, deeper or longer than `limits.py` admits."""

    code = "LimitExceeded"

    def __init__(self, what: str, *, limit: int, found: int | None = None) -> None:
        seen = "" if found is None else f", found {found}"
        super().__init__(f"{what}: at most {limit}{seen}")
        self.what, self.limit, self.found = what, limit, found


class Malformed(AssayError):
    """Bytes or text do not have the form that their specification gives."""

    code = "Malformed"

    def __init__(self, what: str, problem: str, *, offset: int | None = None) -> None:
        place = "" if offset is None else f" at offset {offset}"
        super().__init__(f"{what}: {problem}{place}")
        self.what, self.problem, self.offset = what, problem, offset


class MalformedRequest(Malformed):
    """A request to the service: its JSON, its members or their encoding."""

    code = "MalformedRequest"


class MalformedEvidence(Malformed):
    """Evidence that cannot be parsed."""

    code = "MalformedEvidence"


class UnsupportedEvidence(MalformedEvidence):
    """Evidence of a known form in a version or variant that is not verified here."""

    code = "UnsupportedEvidence"

    def __init__(self, what: str, problem: str, *, code: str, offset: int | None = None) -> None:
        super().__init__(what, problem, offset=offset)
        self.code = code


class MalformedEndorsement(Malformed):
    """A vendor document (certificate, revocation list, TCB info, identity) that cannot be parsed."""

    code = "MalformedEndorsement"


class MalformedToken(Malformed):
    """A JSON web token or signature that cannot be parsed."""

    code = "MalformedToken"


class VerificationFailed(AssayError):
    """A check of the evidence failed; `verdict` lists every check, `check` names the failing one."""

    code = "VerificationFailed"

    def __init__(self, message: str, *, code: str, check: str, verdict: Verdict | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.check = check
        self.verdict = verdict


class SignatureInvalid(VerificationFailed):
    """A signature does not verify over the bytes received."""


class ChainUntrusted(VerificationFailed):
    """A certificate chain does not lead to a pinned root, or breaks a rule of its profile."""


class Revoked(VerificationFailed):
    """A certificate is on a revocation list of its issuer."""


class OutsideValidity(VerificationFailed):
    """A document is not valid at the time of appraisal."""


class EndorsementInvalid(VerificationFailed):
    """A vendor document is not what its profile says: malformed, unknown status, duplicate members."""


class BindingMismatch(VerificationFailed):
    """Two things that must belong together do not: key and report, data and hash, document and platform."""


class TcbRejected(VerificationFailed):
    """The platform's TCB has no level, or a status that is not accepted."""


class RuleViolated(VerificationFailed):
    """A platform rule of the operator (not of the policy) refuses the evidence."""


class EndorsementUnavailable(AssayError):
    """A document that a required check needs cannot be had: not decided, try again (HTTP 503).

    `documents` names every missing document in words.
    """

    code = "EndorsementUnavailable"

    def __init__(
        self,
        documents: tuple[str, ...],
        *,
        verdict: Verdict | None = None,
        reason: str = "",
        retry_after: int | None = None,
    ) -> None:
        because = f" ({reason})" if reason else ""
        super().__init__(f"endorsement unavailable: {'; '.join(documents)}{because}")
        self.documents, self.verdict, self.reason, self.retry_after = documents, verdict, reason, retry_after


class StoreUnavailable(AssayError):
    """The database cannot be reached or written now (HTTP 503); never read as "nothing is stored" (IN-13)."""

    code = "StoreUnavailable"


class IssuerUnavailable(AssayError):
    """The keys of a trusted issuer cannot be had, so that a bearer token is neither believed nor refused (HTTP 503).

    `reason` is for the log: it may name addresses that are none of the caller's business.
    """

    code = "IssuerUnavailable"

    def __init__(self, issuer: str, *, reason: str, retry_after: int) -> None:
        super().__init__(f"the keys of the issuer {issuer} cannot be had now: the bearer token cannot be judged")
        self.issuer, self.reason, self.retry_after = issuer, reason, retry_after


class PolicyError(AssayError):
    """An appraisal policy cannot be read, or refuses; `incoming` are the claims it was evaluated on, if it was.

    `trace` tells a refusal rule by rule, if the policy ran: an `assay.policy.PolicyTrace` (`trace_of` gives it typed).
    """

    code = "PolicyError"
    incoming: ClaimSet | None = None
    trace: object | None = None


class PolicyParsingError(PolicyError):
    """Policy text that does not parse, in the form of the real service's message (policy-language 12).

    `line` counts from 1, `column` from 0, both of the offending symbol.
    """

    code = "PolicyParsingError"

    def __init__(self, failure: str, *, symbol: str, line: int, column: int, rule: str) -> None:
        super().__init__(
            f"Policy Parser Exception Thrown: Offending symbol: '{symbol}'\n"
            f"Line: '{line}', Column: '{column}'\n"
            f"Failure message: '{failure}'\n"
            f"Failing rule: '{rule}'"
        )
        self.failure, self.symbol, self.line, self.column, self.rule = failure, symbol, line, column, rule


class PolicyEvaluationError(PolicyError):
    """A policy failed while it ran (type error, limit); never a permit."""

    code = "PolicyEvaluationError"


class PolicyDenied(PolicyEvaluationError):
    """The policy did not permit: a deny rule fired or no permit rule did.

    `line` is the line of the deny rule, or None when no permit rule fired; `source` its text.
    """

    def __init__(self, message: str, *, line: int | None = None, source: str = "") -> None:
        super().__init__(message)
        self.line, self.source = line, source


class TokenRejected(AssayError):
    """A relying party refuses a token; `reason` is a stable word for programs."""

    code = "TokenRejected"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class ServiceRefused(AssayError):
    """An attestation service answered a client's call with an error."""

    code = "ServiceRefused"

    def __init__(self, status: int, error_code: str, message: str, details: tuple[object, ...] = ()) -> None:
        super().__init__(f"HTTP {status} {error_code}: {message}")
        self.status, self.error_code, self.details = status, error_code, details

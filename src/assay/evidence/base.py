"""The types of the evidence layer: submissions, the grounds they are judged on, the record of an evidence type."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final, Generic, Protocol, TypeVar

from assay import limits
from assay.claims import ClaimSet, Configuration
from assay.endorsements.anchors import TrustAnchors
from assay.endorsements.documents import Document, DocumentKind, Need
from assay.evidence.platform_rules import PlatformRules as PlatformRules  # noqa: PLC0414  # one of this layer's types
from assay.formats.strict_json import JsonValue
from assay.memo import Lazy
from assay.verdict import AnyCheck, Entry


class HeldDataType(str, Enum):
    """How held data is echoed: parsed, or as bytes (rest-api 7.0)."""

    JSON = "JSON"
    BINARY = "Binary"


@dataclass(frozen=True, slots=True)
class HeldData:
    """Runtime or init-time data as received; `parsed` is the object of JSON data, None for binary data."""

    content: bytes
    data_type: HeldDataType
    parsed: Mapping[str, JsonValue] | None


@dataclass(frozen=True)
class Submission:
    """One decoded request to attest: the evidence and what the caller sent with it.

    `event_log` is the log of a confidential machine's boot, for types whose evidence has the registers it explains.
    """

    evidence: bytes
    runtime_data: HeldData | None = None
    init_time_data: HeldData | None = None
    nonce: str | None = None
    draft_policy: str | None = None
    event_log: bytes | None = None

    @Lazy
    def evidence_sha256(self) -> str:
        """SHA-256 of the evidence as it was sent, lower-case hex; the token and the audit name it by that."""
        return hashlib.sha256(self.evidence).hexdigest()


_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Challenge:
    """What this service minted for one session, as the evidence brought it back.

    `problem` says why it does not count, empty when it does; `identity` is what its consumption is recorded under.
    """

    nonce: bytes = b""
    problem: str = ""
    identity: str = ""
    expires: datetime = _LONG_AGO


class Endorsements:
    """The documents of one appraisal; compared by identity, so that one generation of collateral keys a cache."""

    __slots__ = ("_documents", "_last")

    def __init__(self, documents: Mapping[Need, Document]) -> None:
        self._documents = dict(documents)
        self._last: tuple[tuple[Need, ...], Mapping[DocumentKind, Document]] = ((), {})

    def find(self, need: Need) -> Document | None:
        return self._documents.get(need)

    def by_kind(self, needs: tuple[Need, ...]) -> Mapping[DocumentKind, Document]:
        """What is there for needs of different kinds; remembered, since all platforms of a model ask with one tuple."""
        known, found = self._last
        if known is not needs:
            documents = ((need.kind, self.find(need)) for need in needs)
            found = {kind: document for kind, document in documents if document is not None}
            self._last = (needs, found)
        return found


NO_ENDORSEMENTS = Endorsements({})


@dataclass(frozen=True, slots=True)
class Grounds:
    """What evidence is judged on: the time, the anchors, the endorsements, the operator's rules.

    `unsafe_no_revocation` tolerates a missing revocation list (never a bad one); `marks` are the unsafe options in
    force, which go into the token. `challenge` is what a first round minted, None where there was none.
    """

    at: datetime
    anchors: TrustAnchors
    endorsements: Endorsements = NO_ENDORSEMENTS
    rules: PlatformRules = field(default_factory=PlatformRules)
    configuration: Configuration = field(default_factory=dict)
    unsafe_no_revocation: bool = False
    marks: tuple[str, ...] = ()
    challenge: Challenge | None = None

    def with_endorsements(self, endorsements: Endorsements) -> Grounds:
        """The same with the documents collected: `replace`, without its walk over the fields in every request."""
        return Grounds(
            self.at,
            self.anchors,
            endorsements,
            self.rules,
            self.configuration,
            self.unsafe_no_revocation,
            self.marks,
            self.challenge,
        )


@dataclass(frozen=True, slots=True)
class Statement:
    """What verified evidence says: to the policy, in the token, and whom the token is for.

    `incoming` are the claims a policy reads; `members` the token's own members; `recipient` the attester's public key
    (PEM) when the result is sealed to it; `marks` the unsafe conditions that the evidence itself brings (simulator).
    `until_1_1` and `from_1_2` are the names of claims that policies of other versions are not offered.
    """

    incoming: ClaimSet
    members: Mapping[str, JsonValue]
    recipient: bytes | None = None
    marks: tuple[str, ...] = ()
    until_1_1: frozenset[str] = frozenset()
    from_1_2: frozenset[str] = frozenset()

    def offered(self, version: str) -> ClaimSet:
        """The incoming claims of a version of the policy language (policy-language 14)."""
        hidden = self.until_1_1 if version == "1.2" else self.from_1_2
        if not hidden:
            return self.incoming
        return ClaimSet(claim for claim in self.incoming if claim.type not in hidden)


@dataclass(frozen=True, slots=True)
class Profile:
    """How an evidence type's token differs from the common one.

    `doubled_claims`: issued claims stand in `x-ms-policy` as well as flat (policy-language 10). `is_report`: a report
    of a TPM, whose header carries certificates and whose lifetime a policy may choose (claims 1).
    """

    attestation_type: str
    doubled_claims: bool = True
    is_report: bool = False


class Verified(Protocol):
    """Verified evidence: the entries of its verdict, all passed or not applicable."""

    @property
    def entries(self) -> tuple[Entry, ...]: ...


EvidenceT = TypeVar("EvidenceT")
VerifiedT = TypeVar("VerifiedT", bound=Verified)


def plainly(token: str, _recipient: bytes | None) -> Mapping[str, JsonValue]:
    """The usual answer: the token as it is."""
    return {"token": token}


# Encodes the answer to a first message: from the challenge and the sealed context that brings it back.
EncodeChallenge = Callable[[bytes, str], Mapping[str, JsonValue]]


def as_it_is(_submission: Submission, body: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    """The usual body of an answer: its members, without an envelope."""
    return body


@dataclass(frozen=True, slots=True)
class EvidenceType(Generic[EvidenceT, VerifiedT]):
    """One type of evidence: its names and its pure functions (design, section 3).

    `begin` says how to answer a submission that is a first message, None for one that carries evidence; `session` is
    the sealed context that evidence of a second round brings back. `enclose` puts what is answered, in either round,
    into the envelope of the request. `is_authenticated`: callers prove who they are unless the provider waives it.
    `recognises` tells, of a type without a path, which submissions of its `carrier`'s route are its own; where the
    provider has set no policy of its own type, the carrier's counts.
    `is_json` says that the evidence is itself a JSON text, which files hold beside request bodies.
    """

    name: str
    path: str | None
    member: str
    summary: str
    default_policy: str | None
    profile: Profile
    checks: tuple[AnyCheck, ...]
    decode: Callable[[Mapping[str, JsonValue]], Submission]
    parse: Callable[[Submission], EvidenceT]
    needs: Callable[[EvidenceT, Grounds], tuple[Need, ...]]
    verify: Callable[[EvidenceT, Submission, Grounds], VerifiedT]
    claims: Callable[[VerifiedT], Statement]
    policy_type: Callable[[EvidenceT], str]
    answer: Callable[[str, bytes | None], Mapping[str, JsonValue]] = plainly
    begin: Callable[[Submission], EncodeChallenge | None] | None = None
    session: Callable[[EvidenceT], str] | None = None
    enclose: Callable[[Submission, Mapping[str, JsonValue]], Mapping[str, JsonValue]] = as_it_is
    is_authenticated: bool = False
    carrier: str | None = None
    recognises: Callable[[Submission], bool] | None = None
    body_limit: int = limits.REQUEST_BODY
    is_json: bool = False


AnyEvidenceType = EvidenceType[Any, Any]  # the list of types holds several; each record ties its own functions together

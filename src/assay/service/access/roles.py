"""Who may do what: actions, roles and the callers that hold them (rest-api section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from assay.errors import Unauthorized

EVERY_PROVIDER: Final = "*"


class Action(Enum):
    """What is done to a provider's policies and certificates, or to the service as a whole."""

    READ = "read"
    WRITE = "write"
    DELETE = "delete"
    OPERATE = "operate"


class Role(Enum):
    """Attestation Reader and Attestation Contributor of Azure, and whoever runs the service."""

    READER = "reader"
    CONTRIBUTOR = "contributor"
    OPERATOR = "operator"

    @property
    def actions(self) -> frozenset[Action]:
        return _ACTIONS[self]


# rest-api section 3: a contributor reads, writes and deletes; the operator is of this service only.
_ACTIONS: Final = {
    Role.READER: frozenset({Action.READ}),
    Role.CONTRIBUTOR: frozenset({Action.READ, Action.WRITE, Action.DELETE}),
    Role.OPERATOR: frozenset(Action),
}


@dataclass(frozen=True, slots=True)
class Grant:
    """A role over one provider, or over `EVERY_PROVIDER`; an operator's holds for every provider whatever it names."""

    role: Role
    provider: str

    def permits(self, action: Action, provider: str) -> bool:
        is_here = self.role is Role.OPERATOR or self.provider in (EVERY_PROVIDER, provider)
        return is_here and action in self.role.actions


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever presented a bearer token that was believed; without grants, somebody known who may do nothing."""

    subject: str
    issuer: str
    grants: tuple[Grant, ...]

    @property
    def name(self) -> str:
        """For the audit record: a subject means something only together with its issuer."""
        return f"{self.subject} of {self.issuer}"

    def may(self, action: Action, provider: str) -> bool:
        """Whether a grant permits the action on the provider, whose id is compared octet for octet."""
        return any(grant.permits(action, provider) for grant in self.grants)

    def require(self, action: Action, provider: str) -> None:
        """Raises `Unauthorized` for what the caller may not do: 401, not 403 (rest-api section 3)."""
        if not self.may(action, provider):
            raise Unauthorized(f"no role of the caller permits to {action.value} here")

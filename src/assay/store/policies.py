"""Policies of providers, with every version that was ever in force: set, reset, rolled back, never overwritten."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING

from sqlalchemy import Connection, RowMapping, func, insert, select

from assay.errors import InvalidOperation
from assay.store.policy_signers import require_member
from assay.store.provider_lock import lock_provider
from assay.store.recording import Record, unrecorded
from assay.store.tables import policies

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from assay.formats.strict_json import JsonValue
    from assay.store.engine import Store


class PolicyAction(str, Enum):
    """How a version came to be in force."""

    SET = "set"
    RESET = "reset"
    ROLLBACK = "rollback"
    IMPORT = "import"


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """One version of the policy of a provider and type, numbered from 1.

    `jws` is empty where the type's default is in force. `restores` is the number of the version that a rollback or an
    admitted replay put back.
    """

    provider: str
    type: str
    number: int
    action: PolicyAction
    jws: str
    policy_hash: str
    token_hash: str
    restores: int | None
    set_by: str
    set_at: datetime

    @property
    def is_default(self) -> bool:
        """Whether a reset, or a rollback to one, put the type's default in force; never since something is missing."""
        put_back = self.action in (PolicyAction.RESET, PolicyAction.ROLLBACK)
        return put_back and not (self.jws or self.policy_hash or self.token_hash)


@dataclass(frozen=True, slots=True)
class NewPolicy:
    """What is to be in force: the JWS as submitted, its two hashes (rest-api 6.3); all empty for a reset."""

    action: PolicyAction
    jws: str = ""
    policy_hash: str = ""
    token_hash: str = ""

    def version(self, provider: str, policy_type: str, restores: int | None, by: str, at: datetime) -> PolicyVersion:
        """The version that this becomes; its number is given when it is written."""
        hashes = (self.jws, self.policy_hash, self.token_hash)
        return PolicyVersion(provider, policy_type, 0, self.action, *hashes, restores, by, at)


@dataclass(frozen=True, slots=True)
class Author:
    """Who changes a policy: the caller's name, and the digest of the signer who must be a member of the set, if any.

    `record` is called with the change before it commits.
    """

    name: str
    signer: str | None = None
    record: Record = unrecorded

    def require(self, connection: Connection, provider: str) -> None:
        """Locks the provider; raises `InvalidOperation` when the signer is no member, whatever was known before."""
        lock_provider(connection, provider)
        if self.signer is not None:
            require_member(connection, provider, self.signer)


def current_policies(store: Store, provider: str) -> tuple[PolicyVersion, ...]:
    """The version in force of each type that was ever set."""
    with store.reading() as connection:
        newest = (
            select(policies.c.type, func.max(policies.c.number).label("number"))
            .where(policies.c.provider == provider)
            .group_by(policies.c.type)
            .subquery()
        )
        found = connection.execute(
            select(policies)
            .join(newest, (policies.c.type == newest.c.type) & (policies.c.number == newest.c.number))
            .where(policies.c.provider == provider)
        )
        return tuple(_read(row) for row in found.mappings())


def policy_history(store: Store, provider: str, policy_type: str) -> tuple[PolicyVersion, ...]:
    """Every version of a type, oldest first."""
    with store.reading() as connection:
        return _history(connection, provider, policy_type)


def set_policy(
    store: Store,
    provider: str,
    policy_type: str,
    new: NewPolicy,
    *,
    author: Author,
    at: datetime,
    allow_replay: bool,
) -> PolicyVersion:
    """Puts a policy in force. The version in force already is set again without a new number.

    Raises `InvalidOperation` for a JWS that was in force before the present one, unless a replay is allowed: it then
    says in `restores` which version came back.
    """
    with store.writing() as connection:
        author.require(connection, provider)
        history = _history(connection, provider, policy_type)
        if history and history[-1].token_hash == new.token_hash and history[-1].action is not PolicyAction.RESET:
            author.record(_facts(history[-1], history))
            return history[-1]
        replayed = _replayed(history, new)
        if replayed is not None and not allow_replay:
            raise InvalidOperation(
                f"this signed policy was version {replayed} and was replaced since: a replay of an older policy is "
                "refused; sign a text that differs, roll back by number, or allow it explicitly"
            )
        made = new.version(provider, policy_type, replayed, author.name, at)
        return _append(connection, history, made, author.record)


def reset_policy(
    store: Store, provider: str, policy_type: str, *, author: Author, at: datetime
) -> PolicyVersion | None:
    """Puts the type's default in force; None when it was never anything else, as nothing is recorded then."""
    with store.writing() as connection:
        author.require(connection, provider)
        history = _history(connection, provider, policy_type)
        if not history or history[-1].action is PolicyAction.RESET:
            author.record({"type": policy_type, "action": PolicyAction.RESET.value})
            return history[-1] if history else None
        made = NewPolicy(PolicyAction.RESET).version(provider, policy_type, None, author.name, at)
        return _append(connection, history, made, author.record)


def roll_back_policy(
    store: Store,
    provider: str,
    policy_type: str,
    number: int,
    *,
    by: str,
    at: datetime,
    record: Record = unrecorded,
) -> PolicyVersion:
    """Puts an older version in force again, under a new number; raises `InvalidOperation` for an unknown number."""
    with store.writing() as connection:
        lock_provider(connection, provider)
        history = _history(connection, provider, policy_type)
        old = next((version for version in history if version.number == number), None)
        if old is None:
            known = f"1 to {history[-1].number}" if history else "none"
            raise InvalidOperation(f"policy {policy_type} has no version {number}; there are {known}")
        new = NewPolicy(PolicyAction.ROLLBACK, old.jws, old.policy_hash, old.token_hash)
        return _append(connection, history, new.version(provider, policy_type, number, by, at), record)


def _replayed(history: Iterable[PolicyVersion], new: NewPolicy) -> int | None:
    """The number under which the same was last in force, if something else was put in force after it.

    What is compared is what was signed: anybody can write an ECDSA signature in another way that verifies. A reset in
    between is no newer policy: the same JWS may follow it.
    """
    last = None
    for version in history:
        if version.jws and _signed_part(version.jws) == _signed_part(new.jws):
            last = version.number
        elif version.jws and last is not None:
            return last
    return None


def _signed_part(jws: str) -> str:
    return jws.rpartition(".")[0]


def _history(connection: Connection, provider: str, policy_type: str) -> tuple[PolicyVersion, ...]:
    found = connection.execute(
        select(policies)
        .where(policies.c.provider == provider)
        .where(policies.c.type == policy_type)
        .order_by(policies.c.number)
    )
    return tuple(_read(row) for row in found.mappings())


def _append(
    connection: Connection, history: tuple[PolicyVersion, ...], version: PolicyVersion, record: Record
) -> PolicyVersion:
    numbered = replace(version, number=history[-1].number + 1 if history else 1)
    row = {column.name: getattr(numbered, column.name) for column in policies.columns}
    connection.execute(insert(policies).values({**row, "action": numbered.action.value}))
    record(_facts(numbered, history))
    return numbered


def _facts(version: PolicyVersion, history: tuple[PolicyVersion, ...]) -> Mapping[str, JsonValue]:
    """What the audit says of a version: what is in force now, and what was before."""
    before = history[-1] if history else None
    return {
        "type": version.type,
        "action": version.action.value,
        "number": version.number,
        "policy": version.policy_hash,
        "jws": version.token_hash,
        "restores": version.restores,
        "before": None if before is None else before.number,
        "policy_before": None if before is None else before.policy_hash,
    }


def _read(row: RowMapping) -> PolicyVersion:
    return PolicyVersion(**{**row, "action": PolicyAction(row["action"])})

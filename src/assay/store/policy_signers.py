"""Policy management certificates: the set of signers of an isolated provider (rest-api 9)."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, RowMapping, delete, insert, select

from assay.errors import InvalidOperation
from assay.store.provider_lock import lock_provider
from assay.store.recording import Record, unrecorded
from assay.store.tables import policy_signers

if TYPE_CHECKING:
    from assay.store.engine import Store

# Own: a provider has a handful; each is listed in every answer of GET /certificates.
SIGNERS: Final = 100


@dataclass(frozen=True, slots=True)
class PolicySigner:
    """One member of the set: `x5c` as given, the signer's own certificate first; `digest` is its SHA-256 in hex."""

    digest: str
    chain: tuple[str, ...]
    added_by: str
    added_at: datetime

    @property
    def certificate(self) -> bytes:
        """The signer's certificate, in DER."""
        return base64.b64decode(self.chain[0])


def certificate_digest(certificate: bytes) -> str:
    """What identifies a certificate (DER) among signers."""
    return hashlib.sha256(certificate).hexdigest()


def load_signers(store: Store, provider: str) -> tuple[PolicySigner, ...]:
    """The set, in the order in which members were added."""
    with store.reading() as connection:
        return _load(connection, provider)


def add_signer(
    store: Store,
    provider: str,
    chain: tuple[str, ...],
    *,
    signed_by: str,
    by: str,
    at: datetime,
    record: Record = unrecorded,
) -> None:
    """Adds a member, or does nothing when it is one; raises `InvalidOperation` when `signed_by` (a digest) is none."""
    with store.writing() as connection:
        lock_provider(connection, provider)
        require_member(connection, provider, signed_by)
        add_member(connection, provider, chain, by=by, at=at)
        record({"added": certificate_digest(base64.b64decode(chain[0])), "signed_by": signed_by})


def remove_signer(store: Store, provider: str, digest: str, *, signed_by: str, record: Record = unrecorded) -> None:
    """Removes a member, or does nothing when it is none.

    Raises `InvalidOperation` when `signed_by` is no member, and for the last member.
    """
    with store.writing() as connection:
        lock_provider(connection, provider)
        members = require_member(connection, provider, signed_by)
        if members == {digest}:
            raise InvalidOperation("the last policy management certificate cannot be removed")
        record({"removed": digest, "signed_by": signed_by})
        connection.execute(
            delete(policy_signers).where(policy_signers.c.provider == provider).where(policy_signers.c.digest == digest)
        )


def require_member(connection: Connection, provider: str, digest: str) -> frozenset[str]:
    """The members' digests; raises `InvalidOperation` when `digest` is none of them, here where changes are made."""
    members = frozenset(signer.digest for signer in _load(connection, provider))
    if digest not in members:
        raise InvalidOperation("the request is not signed by a policy management certificate of this provider")
    return members


def add_member(connection: Connection, provider: str, chain: tuple[str, ...], *, by: str, at: datetime) -> None:
    """Adds a member inside the transaction of a caller who holds the provider's lock; a known one changes nothing."""
    digest = certificate_digest(base64.b64decode(chain[0]))
    positions = connection.execute(
        select(policy_signers.c.position, policy_signers.c.digest).where(policy_signers.c.provider == provider)
    ).all()
    if any(known == digest for _, known in positions):
        return
    if len(positions) >= SIGNERS:
        raise InvalidOperation(f"a provider has at most {SIGNERS} policy management certificates")
    position = max((position for position, _ in positions), default=0) + 1
    row = {"provider": provider, "position": position, "digest": digest, "chain": list(chain)}
    connection.execute(insert(policy_signers).values({**row, "added_by": by, "added_at": at}))


def _load(connection: Connection, provider: str) -> tuple[PolicySigner, ...]:
    found = connection.execute(
        select(policy_signers).where(policy_signers.c.provider == provider).order_by(policy_signers.c.position)
    )
    return tuple(_read(row) for row in found.mappings())


def _read(row: RowMapping) -> PolicySigner:
    return PolicySigner(row["digest"], tuple(row["chain"]), row["added_by"], row["added_at"])

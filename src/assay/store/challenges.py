"""Which challenges were answered: one unique insert each, so that of several replicas exactly one succeeds."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, insert
from sqlalchemy.exc import IntegrityError

from assay.store.tables import consumed_challenges

if TYPE_CHECKING:
    from assay.store.engine import Store

# The clocks of replicas differ: a row is kept until no replica takes its challenge to be alive.
_KEPT_LONGER: Final = timedelta(hours=1)


def consume_challenge(store: Store, identity: str, expires_at: datetime, *, at: datetime) -> bool:
    """Whether this is the first answer to a challenge, recorded durably when this returns.

    Rows of challenges that ended are removed on the way. Raises `StoreUnavailable`.
    """
    try:
        with store.appending() as connection:
            connection.execute(insert(consumed_challenges).values(id=identity, expires_at=expires_at))
            old = consumed_challenges.c.expires_at < at - _KEPT_LONGER
            connection.execute(delete(consumed_challenges).where(old))
    except IntegrityError:
        return False
    return True

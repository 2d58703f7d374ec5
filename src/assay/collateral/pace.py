"""The pace at which a vendor's service is asked: so often a minute, and never while it wants to be left alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from assay.collateral.budget import Budget
from assay.collateral.vendor_http import VendorRefusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.endorsements.documents import Need

# A vendor's wish is honoured, up to this; it is asked again then.
LONGEST: Final = 3600


class Pace:
    """Whether the service may be asked now; `Retry-After` of one document counts for all of them."""

    __slots__ = ("_budget", "_monotonic", "_quiet_until")

    def __init__(self, per_minute: int, monotonic: Callable[[], float]) -> None:
        self._budget, self._monotonic = Budget(per_minute, monotonic), monotonic
        self._quiet_until = monotonic()

    def require_turn(self, need: Need, service: str) -> None:
        """Raises `VendorRefusal` with the seconds to wait."""
        left = self._quiet_until - self._monotonic()
        if left > 0:
            reason = f"{service}: asked to be left alone"
            raise VendorRefusal(need, reason, retry_after=math.ceil(left))
        wait = self._budget.take()
        if wait is not None:
            raise VendorRefusal(need, f"{service}: asked often enough for this minute", retry_after=wait)

    def heed(self, refusal: VendorRefusal) -> None:
        """Remembers a `Retry-After`."""
        if refusal.retry_after is not None:
            until = self._monotonic() + min(refusal.retry_after, LONGEST)
            self._quiet_until = max(self._quiet_until, until)

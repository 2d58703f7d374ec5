"""What a guest's request may not hold, since nothing in it could bind it."""

from __future__ import annotations

from typing import Final

from assay.errors import BindingMismatch
from assay.evidence.base import Submission
from assay.verdict import NOT_APPLICABLE, Check, Mismatch, Seen


def _held_data(submission: Submission) -> Seen:
    if submission.runtime_data is None and submission.init_time_data is None:
        return NOT_APPLICABLE
    raise Mismatch("held data", "none: a guest's evidence has no field for its hash")


REQUEST_CHECKS: Final[tuple[Check[Submission], ...]] = (
    Check(
        "held_data.absent",
        "HeldDataNotBound",
        "rest-api 7.0 and 7.5",
        "put it into ClientPayload (which nothing binds), or into the user data of the virtual TPM",
        BindingMismatch,
        _held_data,
    ),
)

"""Failures of a device that pass: tried again a few times, then said."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Final, TypeVar

from assay.client.local.source import LocalEvidenceFailed
from assay.errors import LimitExceeded

if TYPE_CHECKING:
    from collections.abc import Callable

ResultT = TypeVar("ResultT")

# Own: in all four seconds, which a throttling host needs (self-attestation 5).
DELAYS: Final = (0.1, 0.4, 1.2, 2.4)
# self-attestation 5: another report is being made, a signal, the host did not answer in time, throttled.
PASSING: Final = frozenset({errno.EBUSY, errno.EINTR, errno.ETIMEDOUT, errno.EAGAIN})
_AGAIN: Final = "try again; if it lasts, another program uses the device or the host throttles it"


class Passing(Exception):
    """A failure worth another attempt: a race that was lost, or a call that was throttled."""


def patiently(source: str, attempt: Callable[[], ResultT], pause: Callable[[float], None]) -> ResultT:
    """What `attempt` returns; it is called again, with growing pauses, while it fails in passing.

    Raises `LocalEvidenceFailed` for any other failure of the system, and when the last attempt failed too.
    """
    for delay in (*DELAYS, None):
        try:
            return attempt()
        except Passing as error:
            problem = str(error)
        except LimitExceeded as error:
            raise LocalEvidenceFailed(source, error.message, "is this the kernel's own interface?") from error
        except OSError as error:
            problem = told(error)
            if error.errno not in PASSING:
                raise LocalEvidenceFailed(source, problem, remedy_for(error)) from error
        if delay is not None:
            pause(delay)
    raise LocalEvidenceFailed(source, f"{problem} ({len(DELAYS) + 1} attempts)", _AGAIN)


def told(error: OSError) -> str:
    """The system's error as people know it: its name, its text, and the file if there is one."""
    name = errno.errorcode.get(error.errno or 0, "error")
    place = f" at {error.filename}" if error.filename else ""
    return f"{name} ({error.strerror or os.strerror(error.errno or 0)}){place}"


_REMEDIES: Final = {
    errno.EACCES: "run as root, or give this user access",
    errno.EPERM: "run as root; in a container, give it the device",
    errno.EROFS: "it is mounted read-only: mount it writable, also in the container",
    errno.ENXIO: "load the driver of this technology: modprobe sev-guest, or modprobe tdx-guest",
    errno.ENOTTY: "the kernel does not know this call: update it",
    errno.EFBIG: "the report is larger than this kernel admits: update the kernel",
    errno.EINVAL: "the kernel refuses the values: check the privilege level",
    errno.ECONNREFUSED: "nobody answers on the host: start its quote generation service",
}


def remedy_for(error: OSError) -> str:
    """What to do about an error of the system."""
    return _REMEDIES.get(error.errno or 0, "see the kernel's log (dmesg)")

"""The processor time of a process and its children, from Linux' /proc: it does not depend on who else is busy."""

from __future__ import annotations

import os
from pathlib import Path


def processor_seconds(pid: int) -> float | None:
    """User and system time of a process and everything it started and that still runs, or None without /proc."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return None
    # proc(5): utime and stime are fields 14 and 15 of the line, 12 and 13 after the name's parenthesis and state.
    own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return own + sum(processor_seconds(int(child)) or 0 for child in children)

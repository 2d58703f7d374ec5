"""configfs-tsm in memory, by the kernel's own text: Documentation/ABI/testing/configfs-tsm-report.

Each attribute quotes no text and names what the document says of it. Beyond the document, what drivers/virt/coco does
and a client notices: the store of a binary attribute happens when its file is closed, and its error is lost.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass, field

from assay.errors import LimitExceeded

REPORTS = "/sys/kernel/config/tsm/report"
# inblob: up to 64 octets.
INBLOB_MAX = 64
# privlevel: the maximum is TSM_PRIVLEVEL_MAX.
PRIVLEVEL_MAX = 3
BINARY = {"inblob", "outblob", "auxblob"}


def failure(number: int, path: str) -> OSError:
    return OSError(number, os.strerror(number), path)


@dataclass
class Entry:
    inblob: bytes = b""
    privlevel: int = 0
    generation: int = 0
    outblob: bytes | None = None


@dataclass
class FakeConfigfs:
    """`make_report(inblob, privlevel)` is the firmware. `faults` are errors by (operation, attribute), used up in order.

    `interfere` is another program: called with the entry before each read of `outblob`.
    """

    make_report: Callable[[bytes, int], bytes]
    provider: str | None = "sev_guest"
    table: bytes | None = b""
    floor: int = 0
    is_mounted: bool = True
    faults: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    lost_writes: int = 0
    interfere: Callable[[Entry], None] = lambda _entry: None
    entries: dict[str, Entry] = field(default_factory=dict)
    log: list[tuple[str, str]] = field(default_factory=list)
    others: dict[str, bytes] = field(default_factory=dict)

    def _fail(self, operation: str, attribute: str, path: str) -> None:
        self.log.append((operation, attribute))
        pending = self.faults.get((operation, attribute))
        if pending:
            raise failure(pending.pop(0), path)

    def _attributes(self) -> set[str]:
        """Visibility depends on the provider: privilege levels where it has several, auxblob where it has some."""
        found = {"inblob", "outblob", "provider", "generation"}
        if self.provider == "sev_guest":
            found |= {"privlevel", "privlevel_floor"}
        if self.table is not None:
            found.add("auxblob")
        return found

    def _find(self, path: str) -> tuple[Entry, str]:
        name, _, attribute = path.removeprefix(f"{REPORTS}/").partition("/")
        if name not in self.entries or attribute not in self._attributes():
            raise failure(errno.ENOENT, path)
        return self.entries[name], attribute

    def exists(self, path: str) -> bool:
        if path in self.others:
            return True
        if path in ("/sys/kernel/config", REPORTS):
            return self.is_mounted
        try:
            self._find(path)
        except OSError:
            return False
        return True

    def list_directory(self, path: str) -> tuple[str, ...]:
        raise failure(errno.ENOENT, path)

    def make_directory(self, path: str) -> None:
        self._fail("mkdir", "", path)
        if not self.is_mounted:
            raise failure(errno.ENOENT, path)
        if self.provider is None:
            raise failure(errno.ENXIO, path)
        name = path.removeprefix(f"{REPORTS}/")
        assert name not in self.entries, "names must not collide"
        self.entries[name] = Entry()

    def remove_directory(self, path: str) -> None:
        self._fail("rmdir", "", path)
        del self.entries[path.removeprefix(f"{REPORTS}/")]

    def write(self, path: str, content: bytes) -> None:
        entry, attribute = self._find(path)
        self._fail("write", attribute, path)
        if attribute == "inblob":
            # configfs refuses what is larger than the attribute's maximum at the write; the store itself is silent.
            if len(content) > INBLOB_MAX:
                raise failure(errno.EFBIG, path)
            if self.lost_writes:
                self.lost_writes -= 1
                return
            entry.inblob = content
        elif attribute == "privlevel":
            # Text, as kstrtouint reads it; between privlevel_floor and the maximum.
            if not content.strip().isdigit() or not self.floor <= int(content) <= PRIVLEVEL_MAX:
                raise failure(errno.EINVAL, path)
            entry.privlevel = int(content)
        else:
            raise failure(errno.EACCES, path)  # read-only
        # generation: increments each time inblob or any option is written.
        entry.generation += 1
        entry.outblob = None

    def read(self, path: str, limit: int) -> bytes:
        if path in self.others:
            return self.others[path]
        entry, attribute = self._find(path)
        self._fail("read", attribute, path)
        content = self._content(entry, attribute, path)
        if len(content) > limit:
            raise LimitExceeded(path, limit=limit)
        return content

    def _content(self, entry: Entry, attribute: str, path: str) -> bytes:
        match attribute:
            case "generation":
                return f"{entry.generation}\n".encode()
            case "provider":
                return f"{self.provider}\n".encode()
            case "privlevel_floor":
                return f"{self.floor}\n".encode()
            case "outblob" | "auxblob":
                # Generated from inblob and the options, at the first read after a write; none before a write.
                if attribute == "outblob":
                    self.interfere(entry)
                if not entry.inblob:
                    raise failure(errno.EINVAL, path)
                if entry.outblob is None:
                    entry.outblob = self.make_report(entry.inblob, entry.privlevel)
                return entry.outblob if attribute == "outblob" else (self.table or b"")
            case _:
                raise failure(errno.EACCES, path)  # write-only

"""Endorsements directories: trees of files that hold vendor documents (design, section 7)."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from assay import limits
from assay.collateral.holdings import Holding, HoldingKey, Place, arrange
from assay.collateral.recognition import Recognised, is_worth_reading, recognise
from assay.errors import ConfigurationError, LimitExceeded, MalformedEndorsement
from assay.evidence.base import Endorsements

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from assay.endorsements.anchors import TrustAnchors
    from assay.endorsements.documents import Document, Need

# Own: the largest known collection of genuine evidence has some two thousand files.
FILES_IN_TREE: Final = 20_000
_LARGEST: Final = max(limits.COLLATERAL_JSON, limits.REVOCATION_LIST)


@dataclass(frozen=True, slots=True)
class Ignored:
    """A file that is not used, and why."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class _Seen:
    """A file as last read, and the documents in it; unchanged while its stamp (time, size, inode) is."""

    stamp: tuple[int, int, int]
    recognised: tuple[Recognised, ...]
    reason: str


class DirectorySource:
    """The documents of directories, searched recursively, each read once.

    Files that are foreign, unreadable or too large are ignored, and listed in `ignored`. The same file with the same
    issuer chain is the same `Document` object every time, also after a reload in which it did not change.
    """

    def __init__(self, paths: Sequence[Path], anchors: TrustAnchors) -> None:
        """Reads the trees; raises `ConfigurationError` when a path is not there or holds absurdly many files."""
        self._paths, self._anchors = tuple(paths), anchors
        self._seen: dict[Path, _Seen] = {}
        self._holdings: Mapping[HoldingKey, Holding] = {}
        self._ignored: tuple[Ignored, ...] = ()
        self.reload()

    @property
    def ignored(self) -> tuple[Ignored, ...]:
        """The files that are not used."""
        return self._ignored

    def find(self, need: Need, at: datetime) -> Document | None:
        """The document for a need: valid at `at` if one is, of those the best signed, then the newest.

        When none is valid at `at` it is the one nearest in time, so that verification can say when it was valid.
        """
        matching = [holding for holding in self._holdings.values() if holding.answers(need)]
        if not matching:
            return None
        return max(matching, key=lambda holding: holding.rank(at)).document(at)

    def find_only(self, need: Need, at: datetime | None = None) -> Document | None:
        """When nothing matches: the only document of the needed kind, so that a verdict can say why it does not fit.

        Never a document that fits but for its evaluation number: a number means exactly that one (design, section 8).
        """
        alike = [holding for holding in self._holdings.values() if holding.kind is need.kind]
        if any(holding.is_of(need) for holding in alike) or len({holding.body for holding in alike}) != 1:
            return None
        return alike[0].document(at)

    def endorsements(self, needs: Sequence[Need], at: datetime) -> Endorsements:
        """What the directories have for these needs, fitting or not: for an appraisal without any other source."""
        found = {need: self.find(need, at) or self.find_only(need, at) for need in needs}
        return Endorsements({need: document for need, document in found.items() if document is not None})

    def has_changed(self) -> bool:
        """Whether a file was added, removed or written since the last reading; looks at no content."""
        found = {path: _stamp(status) for path, status in self._files()}
        return found != {path: seen.stamp for path, seen in self._seen.items()}

    def reload(self) -> bool:
        """Reads what changed since the last time; returns whether anything did."""
        seen = {}
        for path, status in self._files():
            known, stamp = self._seen.get(path), _stamp(status)
            seen[path] = known if known is not None and known.stamp == stamp else _read(path, stamp)
        if seen == self._seen:
            return False
        places = [Place(path, self._origin(path), one) for path, entry in seen.items() for one in entry.recognised]
        self._holdings = arrange(places, self._anchors, self._holdings)
        self._ignored = tuple(Ignored(path, entry.reason) for path, entry in seen.items() if not entry.recognised)
        self._seen = seen
        return True

    def _origin(self, path: Path) -> str:
        """The file's place below the directory that was given: whole paths are the operator's own business."""
        for root in self._paths:
            if path.is_relative_to(root):
                return f"file {Path(root.name, path.relative_to(root)).as_posix()}"
        return f"file {path.name}"

    def _files(self) -> Iterator[tuple[Path, os.stat_result]]:
        count = 0
        for path in self._walk():
            count += 1
            if count > FILES_IN_TREE:
                raise ConfigurationError(f"endorsements directories: more than {FILES_IN_TREE} files")
            try:
                status = path.stat()
            except OSError:
                continue  # a dangling link, or a file removed in this moment
            # Nothing but regular files is opened: a pipe or device would never end.
            if stat.S_ISREG(status.st_mode):
                yield path, status

    def _walk(self) -> Iterator[Path]:
        for root in self._paths:
            if root.is_file():
                yield root
                continue
            if not root.is_dir():
                raise ConfigurationError(f"endorsements directory {root}: not there")
            # Links to directories are not followed: they may lead in circles.
            for folder, folders, names in os.walk(root, followlinks=False):
                folders.sort()
                yield from (Path(folder, name) for name in sorted(names))


def _stamp(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_mtime_ns, status.st_size, status.st_ino


def _read(path: Path, stamp: tuple[int, int, int]) -> _Seen:
    try:
        with path.open("rb") as file:
            head = file.read(16)
            if not is_worth_reading(path.name, head):
                return _Seen(stamp, (), "neither JSON, PEM, DER nor hex text")
            content = head + file.read(_LARGEST)
    except OSError as error:
        return _Seen(stamp, (), error.strerror or type(error).__name__)
    if len(content) > _LARGEST:
        return _Seen(stamp, (), f"more than {_LARGEST} octets")
    try:
        return _Seen(stamp, recognise(path.name, content), "")
    except (MalformedEndorsement, LimitExceeded) as error:
        return _Seen(stamp, (), error.message)

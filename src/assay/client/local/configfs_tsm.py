"""The kernel's reports for confidential guests: configfs-tsm (Linux 6.7, ABI/testing/configfs-tsm-report).

One entry for each report, under a random name. The store of a binary attribute happens when its file is closed, and
its error is lost: only `generation` shows whether the write counted, and whether somebody else wrote as well.
"""

from __future__ import annotations

import re
import secrets
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from assay import limits
from assay.client.local.bound import require_in_snp_report, require_in_td_quote
from assay.client.local.patience import Passing, patiently, remedy_for, told
from assay.client.local.snp_envelope import snp_evidence
from assay.client.local.source import Asked, Finding, LocalEvidence, LocalEvidenceFailed, Presence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assay.client.local.machine import Files, Machine

CONFIGFS: Final = "/sys/kernel/config"
REPORTS: Final = f"{CONFIGFS}/tsm/report"
SEV_GUEST, TDX_GUEST = "sev_guest", "tdx_guest"
_KINDS: Final = {SEV_GUEST: "SevSnpVm", TDX_GUEST: "TdxVm"}
# Own: an attribute of text is a word or a number.
_TEXT: Final = 4096
_NUMBER: Final = re.compile(r"\d{1,20}\Z", re.ASCII)
_MOUNT: Final = f"mount it: mount -t configfs none {CONFIGFS}; in a container, pass it in"
_MODULE: Final = "load it: modprobe tsm_report (tsm before Linux 6.16); it needs Linux 6.7 and CONFIG_TSM_REPORTS"


class ConfigfsTsm:
    """Reports of SEV-SNP and quotes of TDX, whichever the guest's provider makes."""

    name: Final = "configfs-tsm"

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._files = machine.files

    def look(self) -> Finding:
        """Makes an entry, reads its provider, removes it."""
        if not self._files.exists(REPORTS):
            remedy = _MODULE if self._files.exists(CONFIGFS) else _MOUNT
            return Finding(self.name, Presence.ABSENT, f"no {REPORTS}", remedy=remedy)
        try:
            with _entry(self._files) as entry:
                provider = entry.text("provider")
        except OSError as error:
            return Finding(self.name, Presence.BLOCKED, told(error), remedy=remedy_for(error))
        if provider not in _KINDS:
            remedy = f"only {SEV_GUEST} and {TDX_GUEST} are known"
            return Finding(self.name, Presence.BLOCKED, f"the provider {provider}", remedy=remedy)
        return Finding(self.name, Presence.USABLE, f"the provider {provider}", _KINDS[provider])

    def collect(self, asked: Asked) -> LocalEvidence:
        return patiently(self.name, lambda: self._attempt(asked), self._machine.pause)

    def _attempt(self, asked: Asked) -> LocalEvidence:
        with _entry(self._files) as entry:
            provider = entry.text("provider")
            if provider not in _KINDS:
                raise LocalEvidenceFailed(self.name, f"the provider {provider}", "this version does not know it")
            entry.ask(asked, self.name)
            report = entry.blob("outblob", limits.QUOTE)
            table = entry.optional_blob("auxblob", limits.QUOTE)
            entry.require_undisturbed("after the report was read")
        if provider == SEV_GUEST:
            require_in_snp_report(self.name, report, asked.report_data)
            return snp_evidence(self._machine, self.name, report, table)
        require_in_td_quote(self.name, report, asked.report_data)
        return LocalEvidence(_KINDS[provider], report, self.name)


class _Entry:
    """One entry, and how often it was written to."""

    def __init__(self, files: Files, path: str) -> None:
        self._files, self._path = files, path
        self._expected = 0

    def text(self, attribute: str) -> str:
        return self._files.read(f"{self._path}/{attribute}", _TEXT).decode("ascii", "replace").strip()

    def blob(self, attribute: str, limit: int) -> bytes:
        return self._files.read(f"{self._path}/{attribute}", limit)

    def optional_blob(self, attribute: str, limit: int) -> bytes:
        """Empty where the provider has no such attribute: its visibility depends on the provider."""
        return self.blob(attribute, limit) if self._files.exists(f"{self._path}/{attribute}") else b""

    def ask(self, asked: Asked, source: str) -> None:
        """Writes what the report shall hold, and requires that nothing else was written."""
        self._expected = self._number("generation")
        if asked.privilege_level is not None:
            self._write_privilege_level(asked.privilege_level, source)
        self._write("inblob", asked.report_data)
        self.require_undisturbed("after the report data was written")

    def _write_privilege_level(self, level: int, source: str) -> None:
        if not self._files.exists(f"{self._path}/privlevel"):
            raise LocalEvidenceFailed(source, "no privilege levels here", "ask without one")
        floor = self._number("privlevel_floor")
        if level < floor:
            raise LocalEvidenceFailed(source, f"privilege level {level} is below {floor}", f"ask for {floor} or more")
        # Decimal text; a binary octet is EINVAL.
        self._write("privlevel", str(level).encode())

    def _write(self, attribute: str, content: bytes) -> None:
        self._files.write(f"{self._path}/{attribute}", content)
        self._expected += 1

    def require_undisturbed(self, when: str) -> None:
        found = self._number("generation")
        if found != self._expected:
            raise Passing(f"generation {found} {when}, expected {self._expected}: a write was refused, or not ours")

    def _number(self, attribute: str) -> int:
        text = self.text(attribute)
        if not _NUMBER.match(text):
            raise Passing(f"{attribute} is {text[:40]!r}, which is no number")
        return int(text)


@contextmanager
def _entry(files: Files) -> Iterator[_Entry]:
    """A new entry, removed at the end; its attributes cannot be unlinked, so only the directory is."""
    path = f"{REPORTS}/assay-{secrets.token_hex(8)}"
    files.make_directory(path)
    try:
        yield _Entry(files, path)
    finally:
        # What could not be removed is small and goes with the next boot; the evidence does not depend on it.
        with suppress(OSError):
            files.remove_directory(path)

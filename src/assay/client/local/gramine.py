"""Quotes of an SGX enclave under Gramine: the pseudo-files of /dev/attestation."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from assay import limits
from assay.client.local.bound import require_in_enclave_quote
from assay.client.local.patience import patiently, remedy_for, told
from assay.client.local.source import Asked, Finding, LocalEvidence, Presence

if TYPE_CHECKING:
    from assay.client.local.machine import Machine

DIRECTORY: Final = "/dev/attestation"
_TYPE: Final = f"{DIRECTORY}/attestation_type"
_KIND: Final = "SgxEnclave"
_DCAP: Final = "dcap"
_ABSENT: Final = "it exists in enclaves that Gramine runs only: start the program with gramine-sgx"
_NOT_DCAP: Final = 'write sgx.remote_attestation = "dcap" into the manifest, and sign it again'
# The files hold one pair of report data and quote for the whole process.
_PAIR: Final = threading.Lock()


class Gramine:
    """SGX quotes with their PCK chain."""

    name: Final = "gramine"

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def look(self) -> Finding:
        if not self._machine.files.exists(_TYPE):
            return Finding(self.name, Presence.ABSENT, f"no {_TYPE}", remedy=_ABSENT)
        try:
            found = self._machine.files.read(_TYPE, 4096).decode("ascii", "replace").strip()
        except OSError as error:
            return Finding(self.name, Presence.BLOCKED, told(error), _KIND, remedy_for(error))
        if found != _DCAP:
            return Finding(self.name, Presence.BLOCKED, f"attestation type {found!r}", _KIND, _NOT_DCAP)
        return Finding(self.name, Presence.USABLE, f"attestation type {found}", _KIND)

    def collect(self, asked: Asked) -> LocalEvidence:
        return patiently(self.name, lambda: self._attempt(asked), self._machine.pause)

    def _attempt(self, asked: Asked) -> LocalEvidence:
        with _PAIR:
            # Exactly 64 octets; fewer would keep the end of an earlier caller's.
            self._machine.files.write(f"{DIRECTORY}/user_report_data", asked.report_data)
            quote = self._machine.files.read(f"{DIRECTORY}/quote", limits.QUOTE)
        require_in_enclave_quote(self.name, quote, asked.report_data)
        return LocalEvidence(_KIND, quote, self.name)

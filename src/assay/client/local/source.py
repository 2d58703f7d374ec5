"""What a source of local evidence is: what it finds on this machine, and what it makes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

from assay.errors import AssayError

REPORT_DATA: Final = 64


class LocalEvidenceFailed(AssayError):
    """The machine gave no evidence; `remedy` says what to do about it."""

    code = "LocalEvidenceFailed"

    def __init__(self, source: str, problem: str, remedy: str) -> None:
        super().__init__(f"{source}: {problem}; {remedy}")
        self.source, self.problem, self.remedy = source, problem, remedy


class Presence(str, Enum):
    """Whether a source can be used."""

    USABLE = "usable"
    BLOCKED = "not usable"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a look at the machine showed; `kind` is the evidence type that the source makes, empty when unknown.

    `remedy` is empty for what is usable.
    """

    source: str
    presence: Presence
    seen: str
    kind: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What evidence shall hold: 64 octets of report data; the privilege level (VMPL), None for the most privileged."""

    report_data: bytes
    privilege_level: int | None = None

    def __post_init__(self) -> None:
        if len(self.report_data) != REPORT_DATA:
            raise ValueError(f"report data has {REPORT_DATA} octets, not {len(self.report_data)}")


@dataclass(frozen=True, slots=True)
class LocalEvidence:
    """Evidence as an attest request carries it; its report data is what was asked for.

    `init_time_data` is what the machine itself says its configuration was made of, None where it says nothing;
    `notes` are remarks for people.
    """

    kind: str
    evidence: bytes
    source: str
    init_time_data: bytes | None = None
    notes: tuple[str, ...] = ()


class Source(Protocol):
    """One interface of the machine that makes evidence.

    `look` changes nothing that lasts and raises nothing; `collect` raises `LocalEvidenceFailed`.
    """

    @property
    def name(self) -> str: ...

    def look(self) -> Finding: ...

    def collect(self, asked: Asked) -> LocalEvidence: ...


def report_data_of(runtime_data: bytes | None) -> bytes:
    """The report data that binds runtime data: its SHA-256, then zeros; all zeros without (rest-api 7.0)."""
    digest = b"" if runtime_data is None else hashlib.sha256(runtime_data).digest()
    return digest.ljust(REPORT_DATA, b"\0")

"""The sources of local evidence, in the order in which they are tried."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assay.client.local.configfs_tsm import ConfigfsTsm
from assay.client.local.gramine import Gramine
from assay.client.local.sev_guest import SevGuest
from assay.client.local.source import Asked, Finding, LocalEvidence, LocalEvidenceFailed, Presence, Source
from assay.client.local.tdx_guest import TdxGuest
from assay.client.local.tpm_device import notice_tpm

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.client.local.machine import Machine

# self-attestation 5: an enclave before the machine around it, the kernel's common interface before those of one
# vendor. A new source is one entry here.
SOURCES: Final[tuple[Callable[[Machine], Source], ...]] = (Gramine, ConfigfsTsm, SevGuest, TdxGuest)
SOURCE_NAMES: Final = (Gramine.name, ConfigfsTsm.name, SevGuest.name, TdxGuest.name)
# What is told of a machine and makes no evidence here.
NOTICES: Final[tuple[Callable[[Machine], Finding], ...]] = (notice_tpm,)
_NONE: Final = "no local source of evidence"
_LOOK: Final = "`assay attest --local` tells what to do"


def look_around(machine: Machine) -> tuple[Finding, ...]:
    """What each source found, in their order; the machine is the same afterwards."""
    sources = tuple(make(machine).look() for make in SOURCES)
    return sources + tuple(notice(machine) for notice in NOTICES)


def find_source(machine: Machine, *, name: str | None = None, kind: str | None = None) -> Source:
    """The first usable source, among those of this name and this kind of evidence where they are given.

    Raises `LocalEvidenceFailed`, which says of each source what it lacks. No TEE is ever inferred from the processor.
    """
    findings = []
    for source in (make(machine) for make in SOURCES):
        if name is not None and source.name != name:
            continue
        finding = source.look()
        if finding.presence is Presence.USABLE and kind in (None, finding.kind):
            return source
        findings.append(finding)
    raise _nothing(findings, kind)


def collect_local(machine: Machine, asked: Asked, *, name: str | None = None, kind: str | None = None) -> LocalEvidence:
    """Fresh evidence of this machine from `find_source`, which holds what was asked for."""
    return find_source(machine, name=name, kind=kind).collect(asked)


def _nothing(findings: list[Finding], kind: str | None) -> LocalEvidenceFailed:
    """What each source showed, and the remedies of those that are there; those that are absent need another machine."""
    wanted = _NONE if kind is None else f"{_NONE} of type {kind}"
    seen = [f"{one.source}: {one.seen}{f', for {one.kind}' if one.kind else ''}" for one in findings]
    remedies = [f"{one.source}: {one.remedy}" for one in findings if one.presence is Presence.BLOCKED]
    return LocalEvidenceFailed(wanted, "; ".join(seen) or "none of that name", "; ".join(remedies) or _LOOK)

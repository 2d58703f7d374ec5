"""TCB statuses and levels: the vendor's algorithm for picking and joining them (quote-verification section 5)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Final


class TcbStatus(str, Enum):
    """The status of a platform's TCB; the value is the vendor's spelling, compared exactly."""

    UP_TO_DATE = "UpToDate"
    SW_HARDENING_NEEDED = "SWHardeningNeeded"
    CONFIGURATION_NEEDED = "ConfigurationNeeded"
    CONFIGURATION_AND_SW_HARDENING_NEEDED = "ConfigurationAndSWHardeningNeeded"
    OUT_OF_DATE = "OutOfDate"
    OUT_OF_DATE_CONFIGURATION_NEEDED = "OutOfDateConfigurationNeeded"
    REVOKED = "Revoked"
    TD_RELAUNCH_ADVISED = "TDRelaunchAdvised"
    TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED = "TDRelaunchAdvisedConfigurationNeeded"


# Accepted unless the operator says otherwise (quote-verification 5.8).
ACCEPTED_BY_DEFAULT: Final = frozenset(
    {
        TcbStatus.UP_TO_DATE,
        TcbStatus.SW_HARDENING_NEEDED,
        TcbStatus.CONFIGURATION_NEEDED,
        TcbStatus.CONFIGURATION_AND_SW_HARDENING_NEEDED,
    }
)

# What a vendor document may state for a platform, and for an enclave or module (quote-verification 3.1).
PLATFORM_STATUSES: Final = frozenset(TcbStatus) - {
    TcbStatus.TD_RELAUNCH_ADVISED,
    TcbStatus.TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED,
}
COMPONENT_STATUSES: Final = frozenset({TcbStatus.UP_TO_DATE, TcbStatus.OUT_OF_DATE, TcbStatus.REVOKED})


@dataclass(frozen=True, slots=True)
class TcbLevel:
    """One level of a TCB info: minimum SVNs and what a platform that reaches them is worth."""

    sgx_components: tuple[int, ...]
    tdx_components: tuple[int, ...]
    pce_svn: int
    tcb_date: datetime
    status: TcbStatus
    advisory_ids: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.status.value} ({self.tcb_date:%Y-%m-%d})"


@dataclass(frozen=True, slots=True)
class IsvSvnLevel:
    """One level of an enclave identity or module identity."""

    isv_svn: int
    tcb_date: datetime
    status: TcbStatus
    advisory_ids: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.status.value} (ISVSVN {self.isv_svn})"


@dataclass(frozen=True, slots=True)
class TcbEvaluation:
    """The converged result: status, earliest date, advisory ids in the vendor's order without repeats."""

    status: TcbStatus
    tcb_date: datetime
    advisory_ids: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.status.value} ({', '.join(self.advisory_ids) or 'no advisories'})"


def match_sgx_level(levels: Iterable[TcbLevel], components: Sequence[int], pce_svn: int) -> TcbLevel | None:
    """The highest level that the platform reaches in all sixteen components and in PCESVN, or None (5.1).

    `levels` are in descending order (see `descending`).
    """
    for level in levels:
        if pce_svn >= level.pce_svn and all(map(int.__ge__, components, level.sgx_components)):
            return level
    return None


def match_tdx_level(
    levels: Iterable[TcbLevel], components: Sequence[int], pce_svn: int, tee_tcb_svn: bytes
) -> TcbLevel | None:
    """As `match_sgx_level`, and the platform's TEE_TCB_SVN reaches the TDX components (5.2).

    The first two of these are judged by the module's own identity where its major version is not zero.
    """
    start = 2 if tee_tcb_svn[1] > 0 else 0
    reached = (level for level in levels if all(map(int.__ge__, tee_tcb_svn[start:], level.tdx_components[start:])))
    return match_sgx_level(reached, components, pce_svn)


def match_isv_svn(levels: Iterable[IsvSvnLevel], isv_svn: int) -> IsvSvnLevel | None:
    """The highest level that an enclave's ISVSVN reaches, or None (5.3); `levels` are in descending order."""
    return next((level for level in levels if isv_svn >= level.isv_svn), None)


def descending(levels: Iterable[TcbLevel]) -> tuple[TcbLevel, ...]:
    """Levels from highest to lowest, as the vendor's own verifier keeps them whatever the document's order (CO-18)."""
    return tuple(sorted(levels, key=lambda x: (x.sgx_components, x.tdx_components, x.pce_svn), reverse=True))


def converge(platform: TcbLevel, parts: Sequence[IsvSvnLevel]) -> TcbEvaluation:
    """The platform's level joined with those of its quoting enclave and module (5.4)."""
    status = platform.status
    if any(part.status is TcbStatus.OUT_OF_DATE for part in parts):
        status = _OUT_OF_DATE.get(status, status)
    if any(part.status is TcbStatus.REVOKED for part in parts):
        status = TcbStatus.REVOKED
    advisories = dict.fromkeys((*platform.advisory_ids, *(a for part in parts for a in part.advisory_ids)))
    return TcbEvaluation(status, min(platform.tcb_date, *(p.tcb_date for p in parts)), tuple(advisories))


def relaunch(launch: TcbEvaluation, current: TcbEvaluation) -> TcbEvaluation:
    """What a trust domain is worth that was launched under one TCB and runs under another (5.5).

    Dates and advisories are those of the launch: they hold for the domain until it is launched again.
    """
    if launch.status not in _BEHIND or current.status not in _UP_TO_DATE:
        return launch
    status = TcbStatus.TD_RELAUNCH_ADVISED
    if {launch.status, current.status} & _CONFIGURATION:
        status = TcbStatus.TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED
    return replace(launch, status=status)


_BEHIND: Final = frozenset({TcbStatus.OUT_OF_DATE, TcbStatus.OUT_OF_DATE_CONFIGURATION_NEEDED})
_CONFIGURATION: Final = frozenset(
    {
        TcbStatus.CONFIGURATION_NEEDED,
        TcbStatus.CONFIGURATION_AND_SW_HARDENING_NEEDED,
        TcbStatus.OUT_OF_DATE_CONFIGURATION_NEEDED,
    }
)
_UP_TO_DATE: Final = frozenset(
    {
        TcbStatus.UP_TO_DATE,
        TcbStatus.SW_HARDENING_NEEDED,
        TcbStatus.CONFIGURATION_NEEDED,
        TcbStatus.CONFIGURATION_AND_SW_HARDENING_NEEDED,
    }
)
_LIFTED: Final = {
    TcbStatus.OUT_OF_DATE: TcbStatus.UP_TO_DATE,
    TcbStatus.OUT_OF_DATE_CONFIGURATION_NEEDED: TcbStatus.CONFIGURATION_NEEDED,
}


def lift_to_baseline(evaluation: TcbEvaluation, baseline: datetime) -> TcbEvaluation:
    """The evaluation where what is out of date counts as up to date from a TCB date on, inclusive (5.7)."""
    lifted = _LIFTED.get(evaluation.status)
    if lifted is None or evaluation.tcb_date < baseline:
        return evaluation
    return replace(evaluation, status=lifted)


_OUT_OF_DATE: Final = {
    TcbStatus.UP_TO_DATE: TcbStatus.OUT_OF_DATE,
    TcbStatus.SW_HARDENING_NEEDED: TcbStatus.OUT_OF_DATE,
    TcbStatus.CONFIGURATION_NEEDED: TcbStatus.OUT_OF_DATE_CONFIGURATION_NEEDED,
    TcbStatus.CONFIGURATION_AND_SW_HARDENING_NEEDED: TcbStatus.OUT_OF_DATE_CONFIGURATION_NEEDED,
}

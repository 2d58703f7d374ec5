"""The operator's rules about platforms, outside the policy language (design, section 8).

A rule that nobody set is not in force: its check is "not applicable". What the wire accepts is the default; `strict`
sets the safe set in one word.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final, Generic, TypeVar

from assay.endorsements.anchors import UvmIssuer
from assay.endorsements.intel.tcb import ACCEPTED_BY_DEFAULT, TcbStatus
from assay.verdict import Identifier, Mismatch, Seen

ValueT = TypeVar("ValueT", bytes, str)


@dataclass(frozen=True, slots=True)
class Listing(Generic[ValueT]):
    """Which values are admitted: those of `allowed` (all, where it is None) that are not in `denied`."""

    allowed: frozenset[ValueT] | None = None
    denied: frozenset[ValueT] = frozenset()

    @property
    def is_in_force(self) -> bool:
        return self.allowed is not None or bool(self.denied)

    def admits(self, values: Iterable[ValueT]) -> bool:
        """Whether what has these names, one or several, is admitted; what has none is in no list of allowed ones."""
        names = frozenset(values)
        return (self.allowed is None or bool(names & self.allowed)) and not names & self.denied


class GraceStart(str, Enum):
    """What a grace period counts from."""

    TCB_DATE = "tcbDate"  # the date of the level that the platform reaches
    RECOVERY_EVENT = "recoveryEvent"  # the date of the first level beyond it: when the platform fell behind


@dataclass(frozen=True, slots=True)
class GracePeriod:
    """A status that is tolerated for so many days although it is not accepted (control OK-04)."""

    status: TcbStatus
    days: int
    start: GraceStart = GraceStart.TCB_DATE


@dataclass(frozen=True, slots=True)
class MinimumTcb:
    """The least that a product must have; `product` is a name of its generation in lower case.

    `svns` are least security versions by component: `bootloader`, `tee`, `snp`, `microcode`, `fmc` of AMD; `pce` and
    `qe` of Intel. `tcb_date` is the earliest date, `evaluation_number` the least number, of Intel's TCB evaluation.
    """

    product: str
    svns: tuple[tuple[str, int], ...] = ()
    tcb_date: datetime | None = None
    evaluation_number: int | None = None


ANY_OCTETS: Final[Listing[bytes]] = Listing()
ANY_NAME: Final[Listing[str]] = Listing()


@dataclass(frozen=True, slots=True)
class PlatformRules:
    """The operator's rules; the defaults are the wire's (design, section 8).

    `strict` is the safe set in one word: no debug or provisioning enclaves, no migration, no service TD, VMPL 0 only,
    EPT violations kept from the trust domain, known attributes only, report data beyond the bound hash zero, no octets
    after the evidence. Listings of `generations` name them in lower case: product lines of AMD, processors of Intel and
    their FMSPCs. `tcb_baseline` lifts what is OutOfDate to up to date when its TCB date is not earlier
    (quote-verification 5.7). `uvm_issuers` take the place of those that the table of trust anchors names.
    """

    accepted_tcb: frozenset[TcbStatus] = ACCEPTED_BY_DEFAULT
    allow_debug: bool = True
    strict: bool = False
    grace: tuple[GracePeriod, ...] = ()
    tcb_baseline: datetime | None = None
    advisories: Listing[str] = ANY_NAME
    ppids: Listing[bytes] = ANY_OCTETS
    platform_instances: Listing[bytes] = ANY_OCTETS
    chip_ids: Listing[bytes] = ANY_OCTETS
    generations: Listing[str] = ANY_NAME
    minimum_tcb: tuple[MinimumTcb, ...] = ()
    highest_vmpl: int | None = None
    allow_migration: bool = True
    allow_service_td: bool = True
    require_sept_ve_disable: bool = False
    require_event_log: bool = False
    require_runtime_data: bool = False
    require_alias_check: bool = False
    # No refusal: leaves out the claims that the recorded tokens of 2025 do not have (claims, C8).
    recorded_claims_only: bool = False
    uvm_issuers: tuple[UvmIssuer, ...] | None = None

    @property
    def refuses_debug(self) -> bool:
        return self.strict or not self.allow_debug

    @property
    def refuses_migration(self) -> bool:
        return self.strict or not self.allow_migration

    @property
    def refuses_service_td(self) -> bool:
        return self.strict or not self.allow_service_td

    @property
    def wants_sept_ve_disable(self) -> bool:
        return self.strict or self.require_sept_ve_disable

    @property
    def highest_accepted_vmpl(self) -> int | None:
        """The least privileged VMPL that is accepted; None for any."""
        return 0 if self.strict and self.highest_vmpl is None else self.highest_vmpl

    def minimum_of(self, names: Iterable[str]) -> tuple[MinimumTcb, ...]:
        """The minimums of a product that has these names."""
        known = frozenset(names)
        return tuple(minimum for minimum in self.minimum_tcb if minimum.product in known)


def admitted_identifier(listing: Listing[bytes], identifier: bytes | None) -> Seen:
    """An identifier against a listing in force, shown as a digest; None, where there is none, is in no list."""
    observed = "none" if identifier is None else Identifier(identifier)
    if not listing.admits(() if identifier is None else (identifier,)):
        raise Mismatch(observed, _described(listing))
    return Seen(observed, _described(listing))


def admitted_names(listing: Listing[str], names: tuple[str, ...]) -> Seen:
    """The names of one thing against a listing that is in force."""
    if not listing.admits(names):
        raise Mismatch(names, _named(listing))
    return Seen(names, _named(listing))


def _described(listing: Listing[bytes]) -> str:
    """A listing of identifiers by its size: the identifiers themselves are the operator's."""
    allowed = "any" if listing.allowed is None else f"one of {len(listing.allowed)} allowed"
    return f"{allowed}, none of {len(listing.denied)} denied"


def _named(listing: Listing[str]) -> str:
    allowed = "any" if listing.allowed is None else f"one of {', '.join(sorted(listing.allowed)) or 'none'}"
    return f"{allowed}, none of {', '.join(sorted(listing.denied))}" if listing.denied else allowed


def reached_svns(minimums: Iterable[MinimumTcb], svns: Iterable[tuple[str, int]]) -> Seen:
    """Each component against every minimum; a component that a minimum names and the evidence lacks is too low."""
    found = dict(svns)
    asked: dict[str, int] = {}
    for minimum in minimums:
        for name, least in minimum.svns:
            asked[name] = max(least, asked.get(name, 0))
    observed = tuple(f"{name} {found[name]}" if name in found else f"{name} unknown" for name in asked)
    expected = tuple(f"{name} at least {least}" for name, least in asked.items())
    if any(found.get(name, -1) < least for name, least in asked.items()):
        raise Mismatch(observed, expected)
    return Seen(observed, expected)

"""Bit flips of good evidence and good collateral: which documents there are, and which flips may survive.

Every flip of every bit must be refused, except in the fields listed in `UNSIGNED`, each with its clause. The list is
part of the claim: it is written before a sweep, and a survivor outside it fails.
"""

from __future__ import annotations

import os
import random
import re
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from assay.endorsements.documents import DocumentKind
from assay.errors import EndorsementUnavailable, LimitExceeded, Malformed, VerificationFailed
from assay.simulator import (
    TDX_VARIANTS,
    Recipe,
    SnpRecipe,
    find_knob,
    find_snp_knob,
    simulate,
    tdx_recipe,
)
from tests.appraisals import ANY_STATUS, AT, HELD, Case, judge, simulated_case
from tests.snp_cases import snp_case

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_BASE: Final = Recipe(AT, HELD)
_DOMAIN: Final = tdx_recipe(AT, HELD)
_GUEST: Final = SnpRecipe(AT, HELD)


@dataclass(frozen=True)
class Target:
    """One document of a good case: where it is, and the case with another text in its place."""

    content: Callable[[Case], bytes]
    put: Callable[[Case, bytes], Case]
    turned: str = ""


class Flip(NamedTuple):
    """One bit: bit 0 is the least significant of its octet."""

    target: str
    offset: int
    bit: int


class Survivor(NamedTuple):
    """A flip that was not refused as evidence or endorsements are refused; `how` says what happened instead."""

    flip: Flip
    how: str


def _evidence(turned: str = "") -> Target:
    return Target(lambda case: case.submission.evidence, lambda case, content: case.of(content), turned)


def _body(kind: DocumentKind, turned: str = "") -> Target:
    return Target(
        lambda case: case.documents[kind].body,
        lambda case, content: case.having(replace(case.documents[kind], body=content)),
        turned,
    )


def _chain(kind: DocumentKind) -> Target:
    return Target(
        lambda case: case.documents[kind].issuer_chain,
        lambda case, content: case.having(replace(case.documents[kind], issuer_chain=content)),
    )


TARGETS: Final = {
    "quote": _evidence(),
    "open enclave report": _evidence("oe-report"),
    "open enclave evidence": _evidence("oe-evidence-claims"),
    "TDX quote of version 4": _evidence("td-module-0"),
    "TDX quote of version 5": _evidence("td-1.5"),
    "TDX TCB info": _body(DocumentKind.INTEL_TCB_INFO, "td-1.5"),
    "TCB info": _body(DocumentKind.INTEL_TCB_INFO),
    "TCB info chain": _chain(DocumentKind.INTEL_TCB_INFO),
    "QE identity": _body(DocumentKind.INTEL_QE_IDENTITY),
    "QE identity chain": _chain(DocumentKind.INTEL_QE_IDENTITY),
    "root CRL": _body(DocumentKind.INTEL_ROOT_CRL),
    "PCK CRL": _body(DocumentKind.INTEL_PCK_CRL),
    "SEV-SNP report": _evidence("snp-beside"),
    "VCEK": _body(DocumentKind.AMD_VCEK, "snp-beside"),
    "ASK": _body(DocumentKind.AMD_AUTHORITY, "snp-beside"),
    "ARK CRL": _body(DocumentKind.AMD_CRL, "snp-beside"),
}

_SIGNATURE: Final = re.compile(rb'"signature":"([0-9a-f]{128})"\}\Z')
_CASE_BIT: Final = 5


def _hex_case(content: bytes, flip: Flip) -> bool:
    """quote-verification 3.4, rule 3: the signature is 128 hex digits, either case."""
    found = _SIGNATURE.search(content)
    inside = found is not None and found.start(1) <= flip.offset < found.end(1)
    return inside and flip.bit == _CASE_BIT and chr(content[flip.offset]).isalpha()


# Fields that the specification leaves open, by target: the only flips that may be accepted.
UNSIGNED: Final[dict[str, tuple[Callable[[bytes, Flip], bool], ...]]] = {
    "TCB info": (_hex_case,),
    "TDX TCB info": (_hex_case,),
    "QE identity": (_hex_case,),
}


@lru_cache(maxsize=8)
def good_case(turned: str) -> Case:
    """Good evidence, with a variant's knob turned: of a trust domain where the knob is one of trust domains."""
    if not turned:
        return simulated_case(simulate(_BASE))
    if turned.startswith("snp-"):
        case = snp_case(find_snp_knob(turned).apply(_GUEST))
        # The only certificate at hand, also for a report that calls its key a VLEK.
        return replace(case, documents={DocumentKind.AMD_VLEK: case.documents[DocumentKind.AMD_VCEK], **case.documents})
    knob = find_knob(turned)
    return simulated_case(knob.apply(_DOMAIN if knob in TDX_VARIANTS else _BASE), enveloped=knob.enveloped)


@lru_cache(maxsize=len(TARGETS))
def good_content(target: str) -> bytes:
    return TARGETS[target].content(good_case(TARGETS[target].turned))


def flips(target: str) -> Iterator[Flip]:
    """Every bit of a target, in order."""
    return (Flip(target, offset, bit) for offset in range(len(good_content(target))) for bit in range(8))


def sample(size: int, seed: int) -> list[Flip]:
    """Flips of every target in proportion to nothing: each target gets an equal share."""
    chosen = random.Random(seed)
    share = size // len(TARGETS)
    return [flip for target in TARGETS for flip in chosen.sample(list(flips(target)), share)]


def survives(flip: Flip) -> Survivor | None:
    """None when the flipped document is refused for what it is."""
    target = TARGETS[flip.target]
    content = bytearray(good_content(flip.target))
    content[flip.offset] ^= 1 << flip.bit
    try:
        judge(target.put(good_case(target.turned), bytes(content)), ANY_STATUS)
    except EndorsementUnavailable as error:
        # Nothing may be asked from a vendor on the word of a damaged document.
        return Survivor(flip, error.message)
    except (VerificationFailed, Malformed, LimitExceeded) as error:
        return None if error.verdict is not None else Survivor(flip, f"{type(error).__name__} without a verdict")
    except Exception as error:
        return Survivor(flip, f"{type(error).__name__}: {error}")
    return Survivor(flip, "accepted")


def is_listed(survivor: Survivor) -> bool:
    content = good_content(survivor.flip.target)
    allowed = UNSIGNED.get(survivor.flip.target, ())
    return survivor.how == "accepted" and any(rule(content, survivor.flip) for rule in allowed)


def _survivors_of(part: Sequence[Flip]) -> list[Survivor]:
    return [survivor for survivor in map(survives, part) if survivor is not None]


def sweep(target: str) -> list[Survivor]:
    """The survivors among all flips of a target, on every processor."""
    every = list(flips(target))
    parts = [every[start : start + 1024] for start in range(0, len(every), 1024)]
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        return [survivor for found in pool.map(_survivors_of, parts) for survivor in found]

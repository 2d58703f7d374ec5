"""The hardware's proof inside a guest's request, verified by the folder of its own evidence type.

In this verdict the other folder's checks stand under a name of their own: `isolation.snp.report.signature`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final, NamedTuple, NoReturn

from assay.endorsements.documents import Need
from assay.errors import EndorsementUnavailable, VerificationFailed
from assay.evidence.azure_guest.isolation import HardwareProof, Isolation, IsolationType
from assay.evidence.base import AnyEvidenceType, Grounds, HeldData, HeldDataType, Statement, Submission
from assay.evidence.sev_snp_vm import SEV_SNP_VM
from assay.evidence.tdx_vm import TDX_VM
from assay.verdict import NOT_APPLICABLE, AnyCheck, Entry, Outcome, Verdict

# Judged by the form of the whole request.
_FORM: Final = "evidence.form"


class _Hardware(NamedTuple):
    """One kind of hardware: its evidence type, and under what name each of its checks stands here."""

    isolation: IsolationType
    kind: AnyEvidenceType
    named: Mapping[AnyCheck, AnyCheck]


def _hardware(isolation: IsolationType, kind: AnyEvidenceType, prefix: str) -> _Hardware:
    """Names and codes begin with the hardware's: `isolation.tdx.quote.signature`, `TdxQuoteSignatureInvalid`."""
    named = {
        check: replace(check, name=f"isolation.{prefix}.{check.name}", code=_code(check, prefix))
        for check in kind.checks
        if check.name != _FORM
    }
    return _Hardware(isolation, kind, named)


def _code(check: AnyCheck, prefix: str) -> str:
    """What is missing has one code, whoever misses it: programs try again."""
    return check.code if check.code == EndorsementUnavailable.code else f"{prefix.capitalize()}{check.code}"


_KINDS: Final = (
    _hardware(IsolationType.SEV_SNP, SEV_SNP_VM, "snp"),
    _hardware(IsolationType.TDX, TDX_VM, "tdx"),
)
HARDWARE_CHECKS: Final[tuple[AnyCheck, ...]] = tuple(check for one in _KINDS for check in one.named.values())


def hardware_needs(isolation: Isolation, grounds: Grounds, entries: list[Entry]) -> tuple[Need, ...]:
    """The documents that the proof needs, none for Trusted Launch.

    Raises as `verify_hardware` does for the checks that come before any endorsement.
    """
    for one in _KINDS:
        if isolation.proof is None or one.isolation is not isolation.type:
            entries.extend(_not_applicable(one))
            continue
        try:
            needs: tuple[Need, ...] = one.kind.needs(isolation.proof.evidence, grounds)
        except VerificationFailed as error:
            _raise_under_our_name(error, one, entries)
        return needs
    return ()


def verify_hardware(isolation: Isolation, grounds: Grounds, entries: list[Entry]) -> Statement | None:
    """What the verified hardware says of itself, None for Trusted Launch; its entries are appended.

    Raises what its evidence type raises, with the verdict so far under the names of this folder.
    """
    statement: Statement | None = None
    for one in _KINDS:
        if isolation.proof is None or one.isolation is not isolation.type:
            entries.extend(_not_applicable(one))
            continue
        try:
            verified = one.kind.verify(isolation.proof.evidence, _submission(isolation.proof), grounds)
        except VerificationFailed as error:
            _raise_under_our_name(error, one, entries)
        except EndorsementUnavailable as error:
            error.verdict = _under_our_names(error.verdict, one, entries)
            raise
        entries.extend(_renamed(verified.entries, one))
        statement = one.kind.claims(verified)
    return statement


def _submission(proof: HardwareProof) -> Submission:
    """The runtime claims as held data; not those under a longer hash, which those types do not know (4.2)."""
    if any(proof.report_data[32:]):
        return Submission(b"")
    claims = proof.runtime_claims
    return Submission(b"", HeldData(claims.content, HeldDataType.JSON, claims.members))


def _not_applicable(one: _Hardware) -> Iterator[Entry]:
    return (Entry(check, Outcome.NOT_APPLICABLE, NOT_APPLICABLE) for check in one.named.values())


def _renamed(entries: Iterable[Entry], one: _Hardware) -> Iterator[Entry]:
    return (entry._replace(check=one.named[entry.check]) for entry in entries if entry.check in one.named)


def _under_our_names(verdict: Verdict | None, one: _Hardware, entries: Iterable[Entry]) -> Verdict | None:
    return None if verdict is None else Verdict((*entries, *_renamed(verdict, one)))


def _raise_under_our_name(error: VerificationFailed, one: _Hardware, entries: Iterable[Entry]) -> NoReturn:
    verdict = _under_our_names(error.verdict, one, entries)
    decisive = None if verdict is None else verdict.decisive
    name, code = (error.check, error.code) if decisive is None else (decisive.check.name, decisive.check.code)
    message = error.message.replace(error.check, name, 1)
    raise type(error)(message, code=code, check=name, verdict=verdict) from error

"""AMD's revocation list, issued by the ARK, and the validity of the chain (quote-verification 9, steps 3 and 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from assay import limits
from assay.endorsements.amd.hierarchy import require_list_signer
from assay.endorsements.documents import Document, Need
from assay.errors import (
    EndorsementInvalid,
    LimitExceeded,
    MalformedEndorsement,
    OutsideValidity,
    Revoked,
    SignatureInvalid,
    VerificationFailed,
)
from assay.evidence._snp.endorse import Endorsed
from assay.evidence.base import Grounds
from assay.memo import Lazy, Memo
from assay.pki.profiles import AMD
from assay.pki.revocation import RevocationList, parse_revocation_list, verify_revocation_list
from assay.pki.signatures import SignatureError
from assay.pki.validity import Window
from assay.verdict import NOT_APPLICABLE, AnyCheck, Check, Entry, Identifier, Mismatch, Missing, Seen, run


@dataclass(frozen=True)
class RevocationCase:
    """One endorsement beside the list of its root; the list is parsed when a check first asks for it."""

    endorsed: Endorsed
    need: Need
    document: Document | None
    at: datetime
    unsafe_no_revocation: bool

    @property
    def is_tolerated(self) -> bool:
        """The unsafe switch: a list that is not there, never one that is bad or that revokes."""
        return self.unsafe_no_revocation and self.document is None

    @Lazy
    def revocation(self) -> RevocationList:
        if self.document is None:
            raise Missing((str(self.need),))
        try:
            return parse_revocation_list(self.document.body, "ARK CRL")
        except (MalformedEndorsement, LimitExceeded) as error:
            raise Mismatch(error.message, "a revocation list (RFC 5280, 5)") from error

    @Lazy
    def window(self) -> Window:
        return Window(self.revocation.this_update, self.revocation.next_update)


def _available(case: RevocationCase) -> Seen:
    if case.is_tolerated:
        return NOT_APPLICABLE
    if case.document is None:
        raise Missing((str(case.need),))
    return Seen(case.document, "the revocation list of the root")


def _form(case: RevocationCase) -> Seen:
    if case.is_tolerated:
        return NOT_APPLICABLE
    return Seen(f"{len(case.revocation.serials)} revoked", "a revocation list")


def _signature(case: RevocationCase) -> Seen:
    if case.is_tolerated:
        return NOT_APPLICABLE
    root = case.endorsed.root
    try:
        require_list_signer(root)
        verify_revocation_list(case.revocation, root, AMD)
    except SignatureError as error:
        raise Mismatch(str(error), f"signed by {root.common_name!r}") from error
    return Seen("verifies", f"signed by {root.common_name!r}")


def _validity(case: RevocationCase) -> Seen:
    if case.is_tolerated:
        return NOT_APPLICABLE
    if case.at in case.window:
        return Seen(case.window, "contains the time of appraisal")
    if case.unsafe_no_revocation:
        return NOT_APPLICABLE
    # A list of another time is none for this one: not decided, not refused (quote-verification 9, step 4).
    raise Missing((f"{case.need}: at hand is one valid from {case.window}",))


def _authority(case: RevocationCase) -> Seen:
    if case.is_tolerated:
        return NOT_APPLICABLE
    for certificate in (case.endorsed.authority, case.endorsed.root):
        if certificate.serial in case.revocation.serials:
            serial = certificate.serial.to_bytes(certificate.serial.bit_length() // 8 + 1, "big")
            raise Mismatch((f"{certificate.common_name!r} is revoked, serial", Identifier(serial)), "not listed")
    return Seen("not listed", "not listed")


def _chain_validity(case: RevocationCase) -> Seen:
    endorsed = case.endorsed
    for certificate in (endorsed.leaf, endorsed.authority, endorsed.root):
        _within(certificate.common_name, certificate.window, case.at)
    # Not the window itself: the second in which a VCEK certificate was made nearly names the chip.
    return Seen("every certificate is valid", "valid at the time of appraisal")


def _within(what: str, window: Window, at: datetime) -> Seen:
    if at not in window:
        raise Mismatch(f"{what}: valid from {window}", f"valid at {at:%Y-%m-%dT%H:%M:%SZ}")
    return Seen(window, "contains the time of appraisal")


_AGAIN: Final = "fetch the revocation list again"
_SPEC: Final = "quote-verification 9, step 4"

REVOCATION_CHECKS: Final[tuple[Check[RevocationCase], ...]] = (
    Check(
        "ark_crl.available",
        "EndorsementUnavailable",
        f"{_SPEC}; attack case SNP-10",
        "provide the named list (--endorsements, --collateral) or let the service reach AMD; try again",
        VerificationFailed,
        _available,
    ),
    Check("ark_crl.form", "ArkCrlMalformed", "RFC 5280, 5", _AGAIN, EndorsementInvalid, _form),
    Check("ark_crl.signature", "ArkCrlSignatureInvalid", _SPEC, _AGAIN, SignatureInvalid, _signature),
    Check("ark_crl.validity", "EndorsementUnavailable", _SPEC, _AGAIN, VerificationFailed, _validity),
    Check(
        "vek_authority.revocation",
        "VekAuthorityRevoked",
        f"{_SPEC}; attack case SNP-10",
        "the authority of this endorsement key is revoked; obtain a certificate from its successor",
        Revoked,
        _authority,
    ),
    Check(
        "vek_chain.validity",
        "VekChainExpired",
        "quote-verification 9, step 3; attack case SNP-10",
        "obtain certificates that are valid now, or appraise at the time of the evidence",
        OutsideValidity,
        _chain_validity,
    ),
)


@dataclass(frozen=True, eq=False)
class Current:
    """An endorsement that was not revoked: `windows` are those of the certificates and of the list."""

    windows: tuple[Window, ...]
    entries: tuple[Entry, ...]


_CURRENT: Final = Memo[tuple[Endorsed, Document | None, bool], Current](limits.PLATFORMS)


def require_current(endorsed: Endorsed, grounds: Grounds, passed: list[Entry], later: Sequence[AnyCheck]) -> None:
    """Run the revocation and validity checks, or recall that they passed with this list, in its window.

    Appends to `passed`; raises the class of the failing check, `EndorsementUnavailable` when the list is missing.
    """
    need = endorsed.crl_need
    document = grounds.endorsements.find(need)
    key = (endorsed, document, grounds.unsafe_no_revocation)
    kept = _CURRENT.find(key)
    if kept is None or not all(grounds.at in window for window in kept.windows):
        case = RevocationCase(endorsed, need, document, grounds.at, grounds.unsafe_no_revocation)
        entries = list(passed)
        run(REVOCATION_CHECKS, case, entries, later)
        windows = (endorsed.window,) if grounds.unsafe_no_revocation else (endorsed.window, case.window)
        kept = Current(windows, tuple(entries[len(passed) :]))
        _CURRENT.keep(key, kept)
    passed.extend(kept.entries)

"""Knobs of the revocation lists: entries, issuers, signatures, validity."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from assay.simulator.intel.certificates import key_identifier, serial_number
from assay.simulator.intel.platform import pck_form
from assay.simulator.intel.signed_json import EXPIRED, NOT_YET_VALID
from assay.simulator.keys import filler, sign_der
from assay.simulator.knobs.knob import Knob, on_documents, on_pck_crl, on_root_crl

if TYPE_CHECKING:
    from assay.simulator.intel.collateral import Documents
    from assay.simulator.intel.hierarchy import PckCa
    from assay.simulator.intel.revocation import RevocationList
    from assay.simulator.recipe import Recipe

_STRANGER: Final = "a stranger who signs revocation lists"
_UNKNOWN_EXTENSION: Final = "1.3.6.1.4.1.57264.999"


def _revoke_pck(form: RevocationList, recipe: Recipe) -> RevocationList:
    return replace(form, revoked=(*form.revoked, serial_number(pck_form(recipe.machine.platform))))


def _revoke_pck_ca(form: RevocationList, recipe: Recipe) -> RevocationList:
    authority = recipe.machine.hierarchy.pck_ca(recipe.machine.platform.ca)
    return replace(form, revoked=(*form.revoked, serial_number(authority)))


def _revoke_tcb_signing(form: RevocationList, recipe: Recipe) -> RevocationList:
    return replace(form, revoked=(*form.revoked, serial_number(recipe.machine.hierarchy.tcb_signing)))


def _other_ca(documents: Documents, recipe: Recipe) -> Documents:
    other: PckCa = "processor" if recipe.machine.platform.ca == "platform" else "platform"
    hierarchy = recipe.machine.hierarchy
    return replace(
        documents,
        pck_crl=replace(documents.pck_crl, issuer=hierarchy.pck_ca(other)),
        pck_crl_issuer_chain=hierarchy.pck_ca_chain(other),
    )


def _by_root(form: RevocationList, recipe: Recipe) -> RevocationList:
    return replace(form, issuer=recipe.machine.hierarchy.root)


def _by_stranger(form: RevocationList, _: Recipe) -> RevocationList:
    return replace(form, signed_by=_STRANGER)


def _by_stranger_with_identifier(form: RevocationList, recipe: Recipe) -> RevocationList:
    authority = recipe.machine.hierarchy.pck_ca(recipe.machine.platform.ca)
    identifier = key_identifier(replace(authority, key=_STRANGER, key_identifier=None))
    return replace(form, signed_by=_STRANGER, authority_key_id=identifier)


def _other_identifier(form: RevocationList, _: Recipe) -> RevocationList:
    return replace(form, authority_key_id=filler("another authority", 20))


def _bad_signature(form: RevocationList, _: Recipe) -> RevocationList:
    return replace(form, signature=sign_der(_STRANGER, b"something else"))


def _unsigned(form: RevocationList, _: Recipe) -> RevocationList:
    return replace(form, signature=b"")


def _cut(form: RevocationList, _: Recipe) -> RevocationList:
    return replace(form, keep=120)


def _empty(form: RevocationList, _: Recipe) -> RevocationList:
    return replace(form, keep=0)


def _without_next_update(form: RevocationList, _: Recipe) -> RevocationList:
    return replace(form, without_next_update=True)


def _critical(form: RevocationList, _: Recipe) -> RevocationList:
    return replace(form, critical_extension=_UNKNOWN_EXTENSION)


def _expired(form: RevocationList, _: Recipe) -> RevocationList:
    return replace(form, window=EXPIRED)


def _not_yet_valid(form: RevocationList, _: Recipe) -> RevocationList:
    return replace(form, window=NOT_YET_VALID)


_PCK, _ROOT, _REVOKED = "PCK CRL", "root CRL", "revocation"

# Defects that either list can have: name, words, change, attack case.
_DEFECTS: Final = (
    ("signed-by-another-key", "names its issuer and is signed by another key", _by_stranger, "CO-07"),
    ("authority-key-id-other", "names its issuer and another authority key identifier", _other_identifier, "CO-07"),
    ("bad-signature", "carries the signature of something else", _bad_signature, "CO-09"),
    ("unsigned", "has an empty signature", _unsigned, "CO-09"),
    ("truncated", "is cut short", _cut, "CO-09"),
    ("empty", "is empty", _empty, "CO-09"),
    ("without-next-update", "does not say until when it holds", _without_next_update, "CO-09"),
    ("unknown-critical-extension", "has a critical extension that nobody knows", _critical, "CO-09"),
    ("expired", "ended a second ago", _expired, "CO-13"),
    ("not-yet-valid", "begins in a second", _not_yet_valid, "CO-13"),
)

REVOCATION_KNOBS: Final = (
    Knob("pck-revoked", "The PCK certificate is revoked.", _REVOKED, ("CO-06",), on_pck_crl(_revoke_pck)),
    Knob("pck-ca-revoked", "The PCK authority is revoked.", _REVOKED, ("CO-06",), on_root_crl(_revoke_pck_ca)),
    Knob(
        "tcb-signing-revoked",
        "The TCB signing certificate is revoked.",
        _REVOKED,
        ("CO-06",),
        on_root_crl(_revoke_tcb_signing),
    ),
    Knob(
        "pck-crl-of-the-other-ca",
        "The PCK CRL is that of the other PCK authority, with its chain.",
        _PCK,
        ("CO-08",),
        on_documents(_other_ca),
    ),
    Knob(
        "pck-crl-of-the-root",
        "The root CRL stands in the place of the PCK CRL.",
        _PCK,
        ("CO-08",),
        on_pck_crl(_by_root),
    ),
    Knob(
        "pck-crl-of-a-stranger",
        "The PCK CRL names its issuer, and is signed by another key, whose identifier it names.",
        _PCK,
        ("CO-07",),
        on_pck_crl(_by_stranger_with_identifier),
    ),
    *(
        Knob(f"pck-crl-{name}", f"The PCK CRL {words}.", _PCK, (case,), on_pck_crl(edit))
        for name, words, edit, case in _DEFECTS
    ),
    *(
        Knob(f"root-crl-{name}", f"The root CRL {words}.", _ROOT, (case,), on_root_crl(edit))
        for name, words, edit, case in _DEFECTS
    ),
)

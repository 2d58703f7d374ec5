"""Knobs of the vendor's documents: signatures, signers, matching, revocation, validity."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from assay.simulator.intel.certificates import encode_pem, mint_certificate
from assay.simulator.intel.hierarchy import forge_hierarchy
from assay.simulator.intel.platform import mint_pck_chain, pck_form
from assay.simulator.intel.signed_json import EXPIRED, NOT_YET_VALID
from assay.simulator.knobs.knob import (
    Knob,
    Turn,
    on_documents,
    on_qe_identity,
    on_tcb_info,
    on_tcb_signing,
    sign_qe_identity,
    sign_tcb_info,
)

if TYPE_CHECKING:
    from assay.simulator.intel.collateral import Documents
    from assay.simulator.intel.signed_json import Signing
    from assay.simulator.recipe import Recipe

_NEST: Final = "[" * 5000 + "]" * 5000


def _edit_signed(new: str) -> Turn:
    """Puts another text in the place of the TCB type and signs it rightly: the vendor itself served this."""
    return sign_tcb_info(lambda signing: replace(signing, edits_before=(('"tcbType":0', new),)))


def _edit_wrapper(old: str, new: str) -> Turn:
    return sign_tcb_info(lambda signing: replace(signing, edits_whole=((old, new),)))


def _sign_by(signing: Signing, key: str) -> Signing:
    return replace(signing, signed_by=key)


def _sign_documents_by(documents: Documents, key: str, chain: bytes | None = None) -> Documents:
    return replace(
        documents,
        tcb_info=replace(documents.tcb_info, signing=_sign_by(documents.tcb_info.signing, key)),
        qe_identity=replace(documents.qe_identity, signing=_sign_by(documents.qe_identity.signing, key)),
        tcb_signing_chain=documents.tcb_signing_chain if chain is None else chain,
    )


def _sign_by_pck_ca(documents: Documents, recipe: Recipe) -> Documents:
    ca, hierarchy = recipe.machine.platform.ca, recipe.machine.hierarchy
    return _sign_documents_by(documents, hierarchy.pck_ca(ca).key, hierarchy.pck_ca_chain(ca))


def _sign_by_pck(documents: Documents, recipe: Recipe) -> Documents:
    machine = recipe.machine
    return _sign_documents_by(documents, machine.platform.key, mint_pck_chain(machine.platform, machine.hierarchy))


def _sign_by_pck_without_authority(documents: Documents, recipe: Recipe) -> Documents:
    machine = recipe.machine
    issuer = machine.hierarchy.pck_ca(machine.platform.ca)
    leaf = encode_pem(mint_certificate(pck_form(machine.platform), issuer))
    return _sign_documents_by(documents, machine.platform.key, leaf + encode_pem(machine.hierarchy.root_certificate()))


def _forge_tcb_signing(documents: Documents, recipe: Recipe) -> Documents:
    return replace(documents, tcb_hierarchy=forge_hierarchy(recipe.machine.hierarchy))


def _expired_tcb_signing(recipe: Recipe) -> Recipe:
    end = recipe.at - timedelta(seconds=1)
    return on_tcb_signing(lambda form: replace(form, not_after=end))(recipe)


_TCB_SIGNATURE, _TCB_CHAIN, _JSON = "TCB info signature", "TCB signing chain", "TCB info form"
_MATCH, _VALIDITY = "TCB info match", "collateral validity"

COLLATERAL_KNOBS: Final = (
    Knob(
        "tcb-info-reserialised",
        "The TCB info was parsed and written again, with spaces.",
        _TCB_SIGNATURE,
        ("CO-01",),
        sign_tcb_info(lambda signing: replace(signing, rewrite="spaced")),
    ),
    Knob(
        "tcb-info-reordered",
        "The TCB info was written again with its members sorted.",
        _TCB_SIGNATURE,
        ("CO-01",),
        sign_tcb_info(lambda signing: replace(signing, rewrite="sorted")),
    ),
    Knob(
        "qe-identity-reserialised",
        "The QE identity was parsed and written again, with spaces.",
        "QE identity signature",
        ("CO-01",),
        sign_qe_identity(lambda signing: replace(signing, rewrite="spaced")),
    ),
    Knob(
        "tcb-info-edited",
        "The TCB type in the TCB info was changed after it was signed.",
        _TCB_SIGNATURE,
        ("CO-01",),
        sign_tcb_info(lambda signing: replace(signing, edits_after=(('"tcbType":0', '"tcbType":1'),))),
    ),
    Knob(
        "tcb-info-signed-by-another-key",
        "The TCB info is signed by another key than its chain's.",
        _TCB_SIGNATURE,
        ("CO-05",),
        sign_tcb_info(lambda signing: _sign_by(signing, "another tcb signing")),
    ),
    Knob(
        "tcb-info-unsigned",
        "The TCB info has no signature.",
        _TCB_SIGNATURE,
        ("CO-05",),
        sign_tcb_info(lambda signing: replace(signing, signature="")),
    ),
    Knob(
        "tcb-info-signature-zero",
        "The signature of the TCB info is zero.",
        _TCB_SIGNATURE,
        ("CO-05",),
        sign_tcb_info(lambda signing: replace(signing, signature="00" * 64)),
    ),
    Knob(
        "tcb-info-duplicate-member",
        "The signed TCB info names its evaluation number twice.",
        _JSON,
        ("CO-02",),
        _edit_signed('"tcbType":0,"tcbEvaluationDataNumber":99'),
    ),
    Knob(
        "tcb-info-duplicate-levels",
        "The signed TCB info has a second, empty list of levels.",
        _JSON,
        ("CO-02",),
        _edit_signed('"tcbType":0,"tcbLevels":[]'),
    ),
    Knob(
        "tcb-info-duplicate-by-case",
        "The signed TCB info has a second FMSPC, spelt in capitals.",
        _JSON,
        ("CO-02",),
        _edit_signed('"tcbType":0,"FMSPC":"000000000000"'),
    ),
    Knob(
        "tcb-info-two-bodies",
        "An unsigned TCB info stands before the signed one in the same document.",
        _JSON,
        ("CO-02",),
        _edit_wrapper('{"tcbInfo":', '{"tcbInfo":{"id":"SGX"},"tcbInfo":'),
    ),
    Knob(
        "tcb-info-not-a-number",
        "The TCB type in the signed TCB info is NaN.",
        _JSON,
        ("CO-02",),
        _edit_signed('"tcbType":NaN'),
    ),
    Knob(
        "tcb-info-deep",
        "The signed TCB info nests 5000 lists.",
        _JSON,
        ("CO-02",),
        _edit_signed(f'"tcbType":0,"nest":{_NEST}'),
    ),
    Knob(
        "tcb-info-preceded-by-another",
        "Another document stands before the TCB info.",
        _JSON,
        ("CO-02",),
        _edit_wrapper('{"tcbInfo":', '{} {"tcbInfo":'),
    ),
    Knob(
        "tcb-info-of-another-fmspc",
        "The TCB info is for another FMSPC.",
        _MATCH,
        ("CO-03",),
        on_tcb_info(lambda form: replace(form, fmspc="5CA1AB1E00FF")),
    ),
    Knob(
        "tcb-info-of-another-pce",
        "The TCB info is for another PCE id.",
        _MATCH,
        ("CO-03",),
        on_tcb_info(lambda form: replace(form, pce_id="0001")),
    ),
    Knob(
        "tcb-info-of-tdx",
        "The TCB info is one for TDX.",
        _MATCH,
        ("QV-15",),
        on_tcb_info(lambda form: replace(form, id="TDX")),
    ),
    Knob(
        "tcb-signing-chain-forged",
        "TCB info and QE identity stand under another root with the genuine names.",
        _TCB_CHAIN,
        ("CO-04",),
        on_documents(_forge_tcb_signing),
    ),
    Knob(
        "tcb-signing-signed-by-another-key",
        "The TCB signing certificate names the root and is signed by another key.",
        _TCB_CHAIN,
        ("CO-04",),
        on_tcb_signing(lambda form: replace(form, signed_by="another root")),
    ),
    Knob(
        "tcb-info-signed-by-pck-ca",
        "TCB info and QE identity are signed by the PCK authority, whose chain they carry.",
        _TCB_CHAIN,
        ("CO-05",),
        on_documents(_sign_by_pck_ca),
    ),
    Knob(
        "tcb-info-signed-by-pck",
        "TCB info and QE identity are signed by the platform's PCK, whose chain they carry.",
        _TCB_CHAIN,
        ("CO-05",),
        on_documents(_sign_by_pck),
    ),
    Knob(
        "tcb-info-signed-by-pck-short-chain",
        "TCB info and QE identity are signed by the platform's PCK; their chain leaves out the PCK authority.",
        _TCB_CHAIN,
        ("CO-05",),
        on_documents(_sign_by_pck_without_authority),
    ),
    Knob(
        "tcb-signing-key-swapped",
        "The TCB info is signed by the PCK authority's key and carries the TCB signing chain.",
        _TCB_SIGNATURE,
        ("CO-05",),
        on_documents(
            lambda documents, recipe: _sign_documents_by(
                documents, recipe.machine.hierarchy.pck_ca(recipe.machine.platform.ca).key
            )
        ),
    ),
    Knob(
        "tcb-signing-chain-empty",
        "No chain accompanies TCB info and QE identity.",
        _TCB_CHAIN,
        ("CO-04",),
        on_documents(lambda documents, _: replace(documents, tcb_signing_chain=b"")),
    ),
    Knob(
        "tcb-signing-wrong-key-usage",
        "The TCB signing certificate's key usage does not include digital signatures.",
        _TCB_CHAIN,
        ("CO-05",),
        on_tcb_signing(lambda form: replace(form, uses=("key_agreement",))),
    ),
    Knob(
        "tcb-info-expired",
        "The TCB info ended a second ago; the QE identity is valid.",
        _VALIDITY,
        ("CO-13", "CO-14"),
        on_tcb_info(lambda form: replace(form, window=EXPIRED)),
    ),
    Knob(
        "tcb-info-not-yet-valid",
        "The TCB info is issued in a second.",
        _VALIDITY,
        ("CO-13", "CO-14"),
        on_tcb_info(lambda form: replace(form, window=NOT_YET_VALID)),
    ),
    Knob(
        "qe-identity-expired",
        "The QE identity ended a second ago; the TCB info is valid.",
        _VALIDITY,
        ("CO-13", "CO-14"),
        on_qe_identity(lambda form: replace(form, window=EXPIRED)),
    ),
    Knob(
        "qe-identity-not-yet-valid",
        "The QE identity is issued in a second.",
        _VALIDITY,
        ("CO-13", "CO-14"),
        on_qe_identity(lambda form: replace(form, window=NOT_YET_VALID)),
    ),
    Knob(
        "tcb-signing-expired",
        "The TCB signing certificate ended a second ago.",
        _VALIDITY,
        ("CO-13",),
        _expired_tcb_signing,
    ),
)

"""Knobs of the PCK chain: its root, its order, its rules, its validity."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from assay.simulator.intel.certificates import (
    AUTHORITY_USES,
    END_ENTITY_USES,
    CertificateForm,
    encode_pem,
    key_identifier,
    mint_certificate,
)
from assay.simulator.intel.hierarchy import HIERARCHY, forge_hierarchy
from assay.simulator.intel.platform import PLATFORM, mint_pck_certificate, mint_pck_chain, pck_form
from assay.simulator.knobs.knob import (
    Knob,
    Turn,
    on_chain,
    on_hierarchy,
    on_pck,
    on_pck_ca,
    on_platform,
    on_root,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.simulator.intel.hierarchy import Hierarchy
    from assay.simulator.intel.quote import Machine
    from assay.simulator.recipe import Recipe

_UNKNOWN_EXTENSION: Final = "1.3.6.1.4.1.57264.999"


def _forge_with_identifiers(genuine: Hierarchy) -> Hierarchy:
    forged = forge_hierarchy(genuine)
    return replace(
        forged,
        root=replace(forged.root, key_identifier=key_identifier(genuine.root)),
        processor_ca=replace(forged.processor_ca, key_identifier=key_identifier(genuine.processor_ca)),
        platform_ca=replace(forged.platform_ca, key_identifier=key_identifier(genuine.platform_ca)),
    )


def _forge_the_quote_only(recipe: Recipe) -> Recipe:
    forged = replace(recipe.machine, hierarchy=forge_hierarchy(recipe.machine.hierarchy))
    documents = replace(recipe.documents, hierarchy=recipe.machine.hierarchy)
    return replace(recipe, machine=forged, documents=documents)


def _append_roots(recipe: Recipe) -> Recipe:
    forged = _forge_the_quote_only(recipe)
    genuine_root = encode_pem(HIERARCHY.root_certificate())
    return on_chain(lambda machine: mint_pck_chain(machine.platform, machine.hierarchy) + genuine_root)(forged)


def _pems(machine: Machine) -> tuple[bytes, bytes, bytes]:
    leaf = mint_pck_certificate(machine.platform, machine.hierarchy)
    authority = machine.hierarchy.pck_ca_certificate(machine.platform.ca)
    return encode_pem(leaf), encode_pem(authority), encode_pem(machine.hierarchy.root_certificate())


def _reorder(*order: int) -> Callable[[Machine], bytes]:
    return lambda machine: b"".join(_pems(machine)[place] for place in order)


def _with_stranger(machine: Machine) -> bytes:
    stranger = replace(PLATFORM, name="stranger")
    return b"".join(_pems(machine)) + encode_pem(mint_pck_certificate(stranger, machine.hierarchy))


def _with_inserted_authority(machine: Machine) -> bytes:
    genuine = machine.hierarchy.pck_ca(machine.platform.ca)
    inserted = replace(genuine, key="inserted authority", ca=True, path_length=0, uses=AUTHORITY_USES)
    leaf = encode_pem(mint_certificate(pck_form(machine.platform), inserted))
    return leaf + encode_pem(mint_certificate(inserted, genuine)) + b"".join(_pems(machine)[1:])


def _issued_by_another_leaf(machine: Machine) -> bytes:
    other = pck_form(replace(machine.platform, name="issuing leaf"))
    leaf = encode_pem(mint_certificate(pck_form(machine.platform), other))
    issuing = encode_pem(mint_certificate(other, machine.hierarchy.pck_ca(machine.platform.ca)))
    return leaf + issuing + b"".join(_pems(machine)[1:])


def _expired(form: CertificateForm, recipe: Recipe) -> CertificateForm:
    return replace(form, not_after=recipe.at - timedelta(seconds=1))


def _not_yet_valid(form: CertificateForm, recipe: Recipe) -> CertificateForm:
    return replace(form, not_before=recipe.at + timedelta(seconds=1))


def _at(
    place: Callable[[Callable[[CertificateForm], CertificateForm]], Turn],
    edit: Callable[[CertificateForm, Recipe], CertificateForm],
) -> Turn:
    """Edits a certificate with respect to the recipe's instant."""
    return lambda recipe: place(lambda form: edit(form, recipe))(recipe)


_CHAIN, _PIN, _VALIDITY = "PCK chain", "pinned root", "PCK chain validity"

CHAIN_KNOBS: Final = (
    Knob(
        "forged-pki",
        "Everything stands under another root with the genuine names.",
        _PIN,
        ("QV-10",),
        on_hierarchy(forge_hierarchy),
    ),
    Knob(
        "forged-pki-same-identifiers",
        "Everything stands under another root with the genuine names and key identifiers.",
        _PIN,
        ("QV-10",),
        on_hierarchy(_forge_with_identifiers),
    ),
    Knob(
        "forged-chain-genuine-collateral",
        "The quote stands under another root; the collateral is genuine.",
        _PIN,
        ("QV-10",),
        _forge_the_quote_only,
    ),
    Knob(
        "forged-chain-with-genuine-root",
        "The quote stands under another root; the genuine root is appended to its chain.",
        _PIN,
        ("QV-11",),
        _append_roots,
    ),
    Knob(
        "chain-shuffled",
        "The chain is in the order root, PCK authority, leaf.",
        _CHAIN,
        ("QV-12",),
        on_chain(_reorder(2, 1, 0)),
        rule="chain in order, leaf first",
    ),
    Knob(
        "chain-duplicate-leaf",
        "The leaf stands in the chain twice.",
        _CHAIN,
        ("QV-12",),
        on_chain(_reorder(0, 0, 1, 2)),
    ),
    Knob(
        "chain-with-stranger",
        "The chain has a second PCK certificate, of another platform.",
        _CHAIN,
        ("QV-12",),
        on_chain(_with_stranger),
    ),
    Knob(
        "chain-without-authority",
        "The PCK authority is missing from the chain.",
        _CHAIN,
        ("QV-12", "QV-13"),
        on_chain(_reorder(0, 2)),
    ),
    Knob("chain-empty", "The certification data is empty.", _CHAIN, ("QV-13",), on_chain(lambda _: b"")),
    Knob(
        "chain-not-pem",
        "The certification data is not PEM.",
        _CHAIN,
        ("QV-13",),
        on_chain(lambda _: b"no certificates here\n"),
    ),
    Knob(
        "chain-of-eleven",
        "The chain repeats its root until it has eleven certificates.",
        _CHAIN,
        ("QV-12", "IN-06"),
        on_chain(_reorder(0, 1, *(2,) * 9)),
    ),
    Knob(
        "pck-signed-by-another-key",
        "The PCK certificate names the PCK authority and is signed by another key.",
        _CHAIN,
        ("QV-12",),
        on_pck(lambda form: replace(form, signed_by="another authority")),
    ),
    Knob(
        "pck-ca-signed-by-another-key",
        "The PCK authority names the root and is signed by another key.",
        _CHAIN,
        ("QV-12",),
        on_pck_ca(lambda form: replace(form, signed_by="another root")),
    ),
    Knob(
        "pck-issued-by-another-leaf",
        "The PCK certificate is issued by another PCK certificate.",
        _CHAIN,
        ("QV-12",),
        on_chain(_issued_by_another_leaf),
    ),
    Knob(
        "pck-ca-not-an-authority",
        "The PCK authority's basic constraints say CA false.",
        _CHAIN,
        ("QV-12",),
        on_pck_ca(lambda form: replace(form, ca=False, path_length=None)),
    ),
    Knob(
        "pck-ca-wrong-key-usage",
        "The PCK authority's key usage does not include signing certificates.",
        _CHAIN,
        ("QV-12",),
        on_pck_ca(lambda form: replace(form, uses=END_ENTITY_USES)),
    ),
    Knob(
        "pck-wrong-key-usage",
        "The PCK certificate's key usage does not include digital signatures.",
        _CHAIN,
        ("QV-12",),
        on_pck(lambda form: replace(form, uses=("key_agreement",))),
    ),
    Knob(
        "root-path-length-zero",
        "The root allows no authority below itself.",
        _CHAIN,
        ("QV-12",),
        on_root(lambda form: replace(form, path_length=0)),
    ),
    Knob(
        "authority-inserted",
        "A second authority stands between PCK authority (path length 0) and leaf.",
        _CHAIN,
        ("QV-12",),
        on_chain(_with_inserted_authority),
    ),
    Knob(
        "pck-unknown-critical-extension",
        "The PCK certificate has a critical extension that nobody knows.",
        _CHAIN,
        ("QV-12",),
        on_pck(lambda form: replace(form, critical_extension=_UNKNOWN_EXTENSION)),
    ),
    Knob(
        "pck-ca-unknown-critical-extension",
        "The PCK authority has a critical extension that nobody knows.",
        _CHAIN,
        ("QV-12",),
        on_pck_ca(lambda form: replace(form, critical_extension=_UNKNOWN_EXTENSION)),
    ),
    Knob(
        "pck-name-other",
        "The PCK certificate's common name is not that of a PCK certificate.",
        _CHAIN,
        ("QV-12",),
        on_pck(lambda form: replace(form, common_name="Intel SGX TCB Signing")),
    ),
    Knob(
        "sgx-extension-malformed",
        "The SGX extension of the PCK certificate is cut short.",
        "PCK extension",
        ("QV-12",),
        on_platform(lambda platform: replace(platform, extension=bytes.fromhex("301e06"))),
    ),
    Knob("pck-expired", "The PCK certificate ended a second ago.", _VALIDITY, ("CO-13",), _at(on_pck, _expired)),
    Knob(
        "pck-not-yet-valid",
        "The PCK certificate begins in a second.",
        _VALIDITY,
        ("CO-13",),
        _at(on_pck, _not_yet_valid),
    ),
    Knob("pck-ca-expired", "The PCK authority ended a second ago.", _VALIDITY, ("CO-13",), _at(on_pck_ca, _expired)),
    Knob("root-expired", "The root ended a second ago.", _VALIDITY, ("CO-13",), _at(on_root, _expired)),
)

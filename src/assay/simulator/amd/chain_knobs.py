"""Knobs of certificates and revocation lists."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

from assay.simulator import der
from assay.simulator.amd.knob import (
    STRANGER,
    SnpKnob,
    authority_of_other_line,
    cpuid_of_other_line,
    expired,
    forged,
    knob,
    on_authority,
    on_extension,
    on_leaf,
    on_list,
    on_root,
    other_kind,
    revoke,
)
from assay.simulator.amd.recipe import simulate_snp
from assay.simulator.amd.signing import Scheme

_CHAIN: Final[tuple[SnpKnob, ...]] = (
    knob("forged-pki", "AMD's names under other keys", ("vek_chain.root", "SNP-01 SNP-02 AZ-13"), forged),
    knob(
        "leaf-twice",
        "two certificates of endorsement keys",
        ("vek_chain.form", "QV-12"),
        lambda recipe: replace(
            recipe,
            certificates=lambda chain: (
                *chain,
                *simulate_snp(replace(recipe, chip=replace(recipe.chip, name="second"))).chain[:1],
            ),
        ),
    ),
    knob(
        "chain-of-others",
        "a certificate of somebody else in the chain",
        ("vek_chain.form", "QV-12"),
        on_authority(lambda form: replace(form, common_name="SEV-Nobody")),
    ),
    knob(
        "authority-no-ca",
        "the ASK is no authority",
        ("vek_chain.profile", "QV-12"),
        on_authority(lambda form: replace(form, ca=False, p384=False)),
    ),
    knob(
        "authority-may-not-sign",
        "the ASK may not sign certificates",
        ("vek_chain.profile", "QV-12"),
        on_authority(lambda form: replace(form, uses="sign")),
    ),
    knob(
        "root-path-length",
        "the ARK admits no authority below",
        ("vek_chain.profile", "QV-12"),
        on_root(lambda form: replace(form, path_length=0)),
    ),
    knob(
        "leaf-is-ca",
        "the VCEK is an authority",
        ("vek_chain.profile", "QV-12"),
        on_leaf(lambda form: replace(form, ca=True, key=STRANGER)),
    ),
    knob(
        "leaf-critical",
        "an unknown critical extension",
        ("vek_chain.profile", "QV-12"),
        on_leaf(lambda form: replace(form, critical_extension="1.2.3.4")),
    ),
    knob(
        "leaf-signed-by-stranger",
        "the VCEK is signed by another key",
        ("vek_chain.signature", "SNP-01"),
        on_leaf(lambda form: replace(form, signed_by=STRANGER)),
    ),
    knob(
        "authority-signed-by-stranger",
        "the ASK is signed by another key",
        ("vek_chain.signature", "SNP-01"),
        on_authority(lambda form: replace(form, signed_by=STRANGER)),
    ),
    knob(
        "leaf-pkcs1",
        "the VCEK is signed with PKCS#1 v1.5",
        ("vek_chain.signature", "SNP-11"),
        on_leaf(lambda form: replace(form, scheme=Scheme(pkcs1=True))),
    ),
    knob(
        "leaf-salt-32",
        "the VCEK is signed with a shorter salt",
        ("vek_chain.signature", "SNP-11"),
        on_leaf(lambda form: replace(form, scheme=Scheme(32))),
    ),
    knob(
        "authority-pkcs1",
        "the ASK is signed with PKCS#1 v1.5",
        ("vek_chain.signature", "SNP-11"),
        on_authority(lambda form: replace(form, scheme=Scheme(pkcs1=True))),
    ),
    knob(
        "authority-of-other-line",
        "authorities of another product line",
        ("vek_certificate.product", "SNP-03"),
        authority_of_other_line,
    ),
)
_LEAF: Final[tuple[SnpKnob, ...]] = (
    knob(
        "hwid-missing",
        "a VCEK without the chip's identifier",
        ("vek_certificate.extension", "SNP-05"),
        on_extension("4", None),
    ),
    knob(
        "hwid-short",
        "a chip's identifier of 63 octets",
        ("vek_certificate.extension", "SNP-05"),
        on_extension("4", bytes(63)),
    ),
    knob(
        "tcb-extension-missing",
        "a VCEK without its microcode version",
        ("vek_certificate.extension", "SNP-08"),
        on_extension("3.8", None),
    ),
    knob(
        "tcb-extension-negative",
        "a version that is not from 0 to 255",
        ("vek_certificate.extension", "SNP-08"),
        on_extension("3.3", der.integer(-1)),
    ),
    knob(
        "product-name-unknown",
        "a product that is not known",
        ("vek_certificate.extension", "SNP-03"),
        on_extension("2", der.encode(0x16, b"Zagreb")),
    ),
    knob(
        "leaf-p256",
        "an endorsement key that is not on P-384",
        ("vek_certificate.extension", "SNP-12"),
        on_leaf(lambda form: replace(form, p384=False, key=STRANGER)),
    ),
    knob("key-of-other-kind", "the report names the other kind of key", ("vek_certificate.kind", "SNP-04"), other_kind),
    knob(
        "chain-of-other-line",
        "the certificate's product name is another",
        ("vek_certificate.product", "SNP-03"),
        cpuid_of_other_line,
    ),
)
_REVOCATION: Final[tuple[SnpKnob, ...]] = (
    knob("crl-cut", "a list that does not parse", ("ark_crl.form", "SNP-10"), on_list(keep=120)),
    knob(
        "crl-signed-by-stranger",
        "a list signed by another key",
        ("ark_crl.signature", "SNP-10"),
        on_list(signed_by=STRANGER),
    ),
    knob(
        "crl-pkcs1",
        "a list signed with PKCS#1 v1.5",
        ("ark_crl.signature", "SNP-11"),
        on_list(scheme=Scheme(pkcs1=True)),
    ),
    knob(
        "crl-of-other-line",
        "the list of another product line",
        ("ark_crl.signature", "SNP-03"),
        lambda recipe: replace(recipe, crl_of="Genoa" if recipe.chip.product == "Milan" else "Milan"),
    ),
    knob(
        "crl-other-identifier",
        "a list of another key of the issuer",
        ("ark_crl.signature", "CO-07"),
        on_list(authority_key_id=bytes(20)),
    ),
    knob(
        "crl-missing", "no revocation list", ("ark_crl.available", "SNP-10"), lambda recipe: replace(recipe, crl=None)
    ),
    knob(
        "crl-expired",
        "a list of another time",
        ("ark_crl.validity", "SNP-10"),
        on_list(before=timedelta(days=400), after=timedelta(days=-1)),
    ),
    knob("crl-not-yet", "a list that begins later", ("ark_crl.validity", "SNP-10"), on_list(before=timedelta(days=-1))),
    knob("authority-revoked", "the ASK is revoked", ("vek_authority.revocation", "SNP-10"), revoke),
    knob("leaf-expired", "the VCEK's time is over", ("vek_chain.validity", "SNP-10"), on_leaf(expired)),
    knob("authority-expired", "the ASK's time is over", ("vek_chain.validity", "SNP-10"), on_authority(expired)),
    knob("root-expired", "the ARK's time is over", ("vek_chain.validity", "SNP-10"), on_root(expired)),
)

CHAIN_KNOBS: Final = (*_CHAIN, *_LEAF, *_REVOCATION)

"""Knobs of the quoting enclave: its report, its binding to the attestation key, its identity."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from assay.simulator.intel.qe_identity import IdentityLevel
from assay.simulator.keys import filler
from assay.simulator.knobs.knob import Knob, on_qe, on_qe_identity, on_qe_report, sign_qe_identity

_REPORT_SIGNATURE, _BINDING = "QE report signature", "attestation key binding"
_MATCH, _LEVEL, _IDENTITY_SIGNATURE = "QE identity match", "QE TCB level", "QE identity signature"

QUOTING_ENCLAVE_KNOBS: Final = (
    Knob(
        "qe-report-signed-by-another-key",
        "The QE report is signed by another key than the PCK; the chain is good.",
        _REPORT_SIGNATURE,
        ("QV-01",),
        on_qe(lambda qe: replace(qe, report_signed_by="pck another platform")),
    ),
    Knob(
        "qe-report-signature-zero",
        "The signature of the QE report is zero.",
        _REPORT_SIGNATURE,
        ("QV-01", "QV-14"),
        on_qe(lambda qe: replace(qe, report_signature=bytes(64))),
    ),
    Knob(
        "attestation-key-not-bound",
        "The QE report, signed by the PCK, binds another attestation key.",
        _BINDING,
        ("QV-02",),
        on_qe(lambda qe: replace(qe, bound_hash=filler("another binding", 32))),
    ),
    Knob(
        "attestation-key-not-bound-zero",
        "The QE report, signed by the PCK, binds nothing: its report data is zero.",
        _BINDING,
        ("QV-02",),
        on_qe(lambda qe: replace(qe, bound_hash=bytes(32))),
    ),
    Knob(
        "qe-binding-tail",
        "The QE report binds the attestation key, and the rest of its report data is not zero.",
        _BINDING,
        ("QV-03",),
        on_qe(lambda qe: replace(qe, binding_tail=bytes(31) + b"\x01")),
    ),
    Knob(
        "qe-signer-other",
        "The quoting enclave has another signer than its identity says.",
        _MATCH,
        ("QV-04",),
        on_qe_report(lambda report: replace(report, mr_signer=filler("another signer", 32))),
    ),
    Knob(
        "qe-product-other",
        "The quoting enclave has another product id than its identity says.",
        _MATCH,
        ("QV-05",),
        on_qe_report(lambda report: replace(report, isv_prod_id=2)),
    ),
    Knob(
        "qe-misc-select-other",
        "The quoting enclave's MISCSELECT differs from its identity under the mask.",
        _MATCH,
        ("QV-07",),
        on_qe_report(lambda report: replace(report, misc_select=1)),
    ),
    Knob(
        "qe-attributes-other",
        "The quoting enclave is a debug enclave; its identity forbids it under the mask.",
        _MATCH,
        ("QV-07",),
        on_qe_report(lambda report: replace(report, flags=report.flags | 2)),
    ),
    Knob(
        "qe-misc-select-mask-ignored",
        "Report and identity have the same MISCSELECT, which the identity's mask takes away.",
        _MATCH,
        ("QV-07",),
        lambda recipe: on_qe_identity(lambda form: replace(form, misc_select="01000000", misc_select_mask="FEFFFFFF"))(
            on_qe_report(lambda report: replace(report, misc_select=1))(recipe)
        ),
    ),
    Knob(
        "qe-attributes-mask-ignored",
        "Report and identity have the same ATTRIBUTES, a bit of which the identity's mask takes away.",
        _MATCH,
        ("QV-07",),
        on_qe_identity(
            lambda form: replace(
                form,
                attributes="1500000000000000E700000000000000",
                attributes_mask="FBFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
            )
        ),
    ),
    Knob(
        "qe-identity-of-td-qe",
        "The identity is that of the TD quoting enclave.",
        _MATCH,
        ("QV-08",),
        on_qe_identity(lambda form: replace(form, id="TD_QE")),
    ),
    Knob(
        "qe-identity-of-qve",
        "The identity is that of the quote verification enclave.",
        _MATCH,
        ("QV-08",),
        on_qe_identity(lambda form: replace(form, id="QVE")),
    ),
    Knob(
        "qe-identity-signed-by-another-key",
        "The QE identity is signed by another key than its chain's.",
        _IDENTITY_SIGNATURE,
        ("QV-04",),
        sign_qe_identity(lambda signing: replace(signing, signed_by="another tcb signing")),
    ),
    Knob(
        "qe-identity-signature-zero",
        "The signature of the QE identity is zero.",
        _IDENTITY_SIGNATURE,
        ("QV-04",),
        sign_qe_identity(lambda signing: replace(signing, signature="00" * 64)),
    ),
    Knob(
        "qe-identity-unsigned",
        "The QE identity has no signature.",
        _IDENTITY_SIGNATURE,
        ("QV-04",),
        sign_qe_identity(lambda signing: replace(signing, signature="")),
    ),
    Knob(
        "qe-identity-signer-swapped",
        "The QE and its identity agree on another signer, put there after the identity was signed.",
        _IDENTITY_SIGNATURE,
        ("QV-04",),
        lambda recipe: sign_qe_identity(
            lambda signing: replace(
                signing,
                edits_after=((recipe.documents.qe_identity.mr_signer, filler("another signer", 32).hex().upper()),),
            )
        )(on_qe_report(lambda report: replace(report, mr_signer=filler("another signer", 32)))(recipe)),
    ),
    Knob(
        "qe-svn-below-every-level",
        "The quoting enclave's ISVSVN is below every level of its identity.",
        _LEVEL,
        ("QV-06", "CO-17"),
        on_qe_report(lambda report: replace(report, isv_svn=4)),
    ),
    Knob(
        "qe-out-of-date",
        "The quoting enclave is at an OutOfDate level; the platform is UpToDate.",
        _LEVEL,
        ("QV-06", "CO-20"),
        on_qe_report(lambda report: replace(report, isv_svn=6)),
        status="OutOfDate",
    ),
    Knob(
        "qe-revoked-level",
        "The quoting enclave is at a Revoked level; the platform is UpToDate.",
        _LEVEL,
        ("QV-06", "CO-20"),
        on_qe_identity(lambda form: replace(form, levels=(IdentityLevel(1, "Revoked"),))),
        status="Revoked",
    ),
    Knob(
        "qe-status-unknown",
        "The status of the quoting enclave's level is a word that nobody defined.",
        _LEVEL,
        ("CO-15",),
        on_qe_identity(lambda form: replace(form, levels=(IdentityLevel(1, "Uptodate"),))),
    ),
)

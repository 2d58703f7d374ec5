"""Changes that a verifier must accept: the controls beside the negatives (attack-cases section 11)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from assay.simulator.intel.enclave import KSS
from assay.simulator.intel.revocation import STRANGERS
from assay.simulator.intel.signed_json import Window
from assay.simulator.keys import filler
from assay.simulator.knobs.knob import (
    Knob,
    Turn,
    on_certification,
    on_enclave,
    on_pck_crl,
    on_platform,
    on_qe,
    on_qe_identity,
    on_quote,
    on_root_crl,
    on_tcb_info,
    sign_tcb_info,
)
from assay.simulator.knobs.tcb import at_status
from assay.simulator.open_enclave import EVIDENCE, LEGACY_REPORT, RAW_SGX_QUOTE, REPORT, EvidenceForm, ReportForm

if TYPE_CHECKING:
    from assay.simulator.recipe import Recipe

_ACCEPTED: Final = "nothing"
_FIRST_INSTANT: Final = Window(before=timedelta())
_LAST_INSTANT: Final = Window(before=timedelta(days=30), after=timedelta())


def _windows(window: Window) -> Turn:
    """The same window for all four documents."""

    def turn(recipe: Recipe) -> Recipe:
        for edit in (
            on_tcb_info(lambda form: replace(form, window=window)),
            on_qe_identity(lambda form: replace(form, window=window)),
            on_pck_crl(lambda form, _: replace(form, window=window)),
            on_root_crl(lambda form, _: replace(form, window=window)),
        ):
            recipe = edit(recipe)
        return recipe

    return turn


def _envelope(envelope: ReportForm | EvidenceForm, *, keeps_runtime_data: bool) -> Turn:
    return lambda recipe: replace(
        recipe, envelope=envelope, runtime_data=recipe.runtime_data if keeps_runtime_data else None
    )


def _version(number: int) -> Turn:
    return on_quote(lambda form: replace(form, version=number))


_STATUSES: Final = (
    ("hardening-needed", "SWHardeningNeeded"),
    ("configuration-needed", "ConfigurationNeeded"),
    ("configuration-and-hardening-needed", "ConfigurationAndSWHardeningNeeded"),
)
_CLAIMS: Final = (("pk", bytes(range(32))), ("empty", b""))
_ENVELOPES: Final = (
    ("oe-report", "An Open Enclave report.", _envelope(REPORT, keeps_runtime_data=True)),
    (
        "oe-report-trailing",
        "An Open Enclave report with bytes after the declared length.",
        _envelope(replace(REPORT, trailing=b"\0" * 8), keeps_runtime_data=True),
    ),
    ("oe-evidence", "Open Enclave evidence without custom claims.", _envelope(EVIDENCE, keeps_runtime_data=False)),
    (
        "oe-evidence-claims",
        "Open Enclave evidence with custom claims.",
        _envelope(replace(EVIDENCE, claims=_CLAIMS), keeps_runtime_data=False),
    ),
    (
        "oe-evidence-without-header",
        "Open Enclave evidence without its header: the quote, then the custom claims.",
        _envelope(replace(EVIDENCE, claims=_CLAIMS, header=False), keeps_runtime_data=False),
    ),
    (
        "oe-evidence-version-2",
        "Open Enclave evidence of version 2: a report header before the quote.",
        _envelope(replace(EVIDENCE, version=2, claims=_CLAIMS), keeps_runtime_data=False),
    ),
    (
        "oe-evidence-legacy-report",
        "Open Enclave evidence that carries an Open Enclave report.",
        _envelope(replace(EVIDENCE, format=LEGACY_REPORT), keeps_runtime_data=True),
    ),
    (
        "oe-evidence-raw-quote",
        "Open Enclave evidence that carries a bare quote.",
        _envelope(replace(EVIDENCE, format=RAW_SGX_QUOTE), keeps_runtime_data=True),
    ),
)

VARIANTS: Final = (
    *(
        Knob(
            f"version-{version}",
            f"An enclave's quote of version {version}.",
            _ACCEPTED,
            ("OK-01",),
            _version(version),
            status="UpToDate",
        )
        for version in (4, 5)
    ),
    Knob(
        "platform-ca",
        "The PCK certificate is issued by the platform CA.",
        _ACCEPTED,
        ("OK-01",),
        on_platform(lambda platform: replace(platform, ca="platform")),
        status="UpToDate",
    ),
    Knob(
        "chain-ends-with-nul",
        "A NUL byte ends the chain inside the certification data.",
        _ACCEPTED,
        ("OK-01",),
        on_certification(lambda _, certification: replace(certification, end=b"\0")),
        status="UpToDate",
    ),
    Knob(
        "trailing-zeros",
        "Zero bytes follow the quote.",
        _ACCEPTED,
        ("QV-17",),
        on_quote(lambda form: replace(form, trailing=bytes(70))),
        status="UpToDate",
    ),
    Knob(
        "authentication-data-empty",
        "The quoting enclave adds no authentication data.",
        _ACCEPTED,
        ("OK-01",),
        on_qe(lambda qe: replace(qe, authentication_data=b"")),
        status="UpToDate",
    ),
    Knob(
        "key-separation",
        "The enclave uses key separation and sharing: every extended identifier is set.",
        _ACCEPTED,
        ("OK-01",),
        on_enclave(
            lambda enclave: replace(
                enclave,
                flags=enclave.flags | KSS,
                config_id=filler("configuration", 64),
                config_svn=3,
                isv_ext_prod_id=filler("extended product", 16),
                isv_family_id=filler("family", 16),
            )
        ),
        status="UpToDate",
    ),
    Knob(
        "tcb-info-version-2",
        "The TCB info has the form of API v3.",
        _ACCEPTED,
        ("OK-01",),
        on_tcb_info(lambda form: replace(form, version=2)),
        status="UpToDate",
    ),
    Knob(
        "tcb-info-other-case",
        "The FMSPC in the TCB info is in lower case.",
        _ACCEPTED,
        ("OK-01",),
        lambda recipe: on_tcb_info(lambda form: replace(form, fmspc=recipe.machine.platform.fmspc.lower()))(recipe),
        status="UpToDate",
    ),
    Knob(
        "levels-ascending",
        "The levels stand in ascending order; the platform reaches them all, the highest too.",
        _ACCEPTED,
        ("CO-18",),
        on_tcb_info(lambda form: replace(form, levels=tuple(reversed(form.levels)))),
        status="UpToDate",
    ),
    Knob(
        "tcb-info-unknown-member",
        "The signed TCB info has a member that nobody knows.",
        _ACCEPTED,
        ("OK-09",),
        sign_tcb_info(lambda signing: replace(signing, edits_before=(('"tcbType":0', '"tcbType":0,"new":{}'),))),
        status="UpToDate",
    ),
    Knob(
        "evaluation-numbers-differ",
        "TCB info and QE identity have different evaluation numbers.",
        _ACCEPTED,
        ("OK-03",),
        on_tcb_info(lambda form: replace(form, evaluation_number=form.evaluation_number + 1)),
        status="UpToDate",
    ),
    Knob(
        "strangers-revoked",
        "Both revocation lists have entries, of others.",
        _ACCEPTED,
        ("CO-06",),
        lambda recipe: on_root_crl(lambda form, _: replace(form, revoked=STRANGERS))(
            on_pck_crl(lambda form, _: replace(form, revoked=STRANGERS))(recipe)
        ),
        status="UpToDate",
    ),
    Knob(
        "first-instant",
        "Every document is issued at the very second.",
        _ACCEPTED,
        ("CO-14",),
        _windows(_FIRST_INSTANT),
        status="UpToDate",
    ),
    Knob(
        "last-instant",
        "Every document ends at the very second.",
        _ACCEPTED,
        ("CO-14",),
        _windows(_LAST_INSTANT),
        status="UpToDate",
    ),
    *(
        Knob(name, f"The platform's level is {status}.", _ACCEPTED, ("OK-03",), at_status(status), status=status)
        for name, status in _STATUSES
    ),
    *(
        Knob(name, words, _ACCEPTED, ("QV-28",), turn, status="UpToDate", enveloped=True)
        for name, words, turn in _ENVELOPES
    ),
)

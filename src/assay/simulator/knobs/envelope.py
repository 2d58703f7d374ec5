"""Knobs of Open Enclave envelopes: report headers, evidence headers, custom claims."""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from uuid import UUID

from assay.simulator.knobs.knob import Knob, Turn
from assay.simulator.open_enclave import (
    EVIDENCE,
    LOCAL,
    REPORT,
    SGX_LOCAL,
    TDX_QUOTE,
    EvidenceForm,
    ReportForm,
    encode_custom_claims,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.simulator.recipe import Recipe

_CLAIMS: Final = (("pk", bytes(range(32))),)
_BUFFER: Final = encode_custom_claims(_CLAIMS)


def _report(edit: Callable[[ReportForm], ReportForm]) -> Turn:
    """Changes the report header; a recipe without one gets it first."""

    def turn(recipe: Recipe) -> Recipe:
        envelope = recipe.envelope if isinstance(recipe.envelope, ReportForm) else REPORT
        return replace(recipe, envelope=edit(envelope))

    return turn


def _evidence(edit: Callable[[EvidenceForm], EvidenceForm]) -> Turn:
    """Changes the evidence envelope; a recipe without one gets one with a custom claim, which binds no runtime data."""

    def turn(recipe: Recipe) -> Recipe:
        envelope = recipe.envelope if isinstance(recipe.envelope, EvidenceForm) else replace(EVIDENCE, claims=_CLAIMS)
        return replace(recipe, envelope=edit(envelope), runtime_data=None)

    return turn


def _report_of_td_quote(recipe: Recipe) -> Recipe:
    quote = replace(recipe.quote, version=4, tee_type=0x81)
    return _report(lambda form: form)(replace(recipe, quote=quote))


def _bound_but_malformed(buffer: bytes) -> Turn:
    return _evidence(lambda form: replace(form, claims_buffer=buffer))


_HEADER, _EVIDENCE, _CUSTOM = "Open Enclave report header", "Open Enclave evidence header", "custom claims"

ENVELOPE_KNOBS: Final = tuple(
    Knob(name, description, trips, ("QV-28",), turn, enveloped=True)
    for name, description, trips, turn in (
        (
            "oe-report-version-2",
            "The report header says version 2.",
            _HEADER,
            _report(lambda form: replace(form, version=2)),
        ),
        (
            "oe-report-local",
            "The report header says a local report.",
            _HEADER,
            _report(lambda form: replace(form, type=LOCAL)),
        ),
        (
            "oe-report-type-unknown",
            "The report header says a type that is not defined.",
            _HEADER,
            _report(lambda form: replace(form, type=7)),
        ),
        (
            "oe-report-size-long",
            "The report header's size exceeds the bytes.",
            _HEADER,
            _report(lambda form: replace(form, size=1 << 20)),
        ),
        (
            "oe-report-size-greatest",
            "The report header's size is the greatest number of its field.",
            _HEADER,
            _report(lambda form: replace(form, size=(1 << 64) - 1)),
        ),
        (
            "oe-report-size-short",
            "The report header's size ends inside the quote.",
            _HEADER,
            _report(lambda form: replace(form, size=1000)),
        ),
        (
            "oe-report-size-zero",
            "The report header's size is zero.",
            _HEADER,
            _report(lambda form: replace(form, size=0)),
        ),
        ("oe-report-of-td-quote", "The report carries a quote of a trust domain.", "quote form", _report_of_td_quote),
        (
            "oe-evidence-version-unknown",
            "The evidence header says version 4.",
            _EVIDENCE,
            _evidence(lambda form: replace(form, version=4)),
        ),
        (
            "oe-evidence-format-unknown",
            "The evidence header says a format that is not defined.",
            _EVIDENCE,
            _evidence(lambda form: replace(form, format=UUID("00000000-0000-4000-8000-000000000000").bytes)),
        ),
        (
            "oe-evidence-local",
            "The evidence header says a local report.",
            _EVIDENCE,
            _evidence(lambda form: replace(form, format=SGX_LOCAL)),
        ),
        (
            "oe-evidence-tdx",
            "The evidence header says a TDX quote.",
            _EVIDENCE,
            _evidence(lambda form: replace(form, format=TDX_QUOTE)),
        ),
        (
            "oe-evidence-size-long",
            "The evidence header's size exceeds the bytes.",
            _EVIDENCE,
            _evidence(lambda form: replace(form, size=1 << 20)),
        ),
        (
            "oe-evidence-size-short",
            "The evidence header's size ends inside the quote.",
            _EVIDENCE,
            _evidence(lambda form: replace(form, size=1000)),
        ),
        (
            "oe-claims-not-bound",
            "The custom claims are not what the report data binds.",
            _CUSTOM,
            _evidence(lambda form: replace(form, bound_buffer=_BUFFER + b"!")),
        ),
        (
            "oe-claims-appended",
            "Custom claims were appended to a quote that binds none.",
            _CUSTOM,
            _evidence(lambda form: replace(form, bound_buffer=b"")),
        ),
        (
            "oe-claims-removed",
            "The custom claims that the report data binds were removed.",
            _CUSTOM,
            _evidence(lambda form: replace(form, claims_buffer=b"", bound_buffer=_BUFFER)),
        ),
        (
            "oe-claims-version",
            "The bound custom claims are of version 2.",
            _CUSTOM,
            _bound_but_malformed(b"\x02" + _BUFFER[1:]),
        ),
        (
            "oe-claims-count-greatest",
            "The bound custom claims count 2^64-1 claims.",
            _CUSTOM,
            _bound_but_malformed(struct.pack("<QQ", 1, (1 << 64) - 1) + _BUFFER[16:]),
        ),
        (
            "oe-claims-name-size",
            "A name in the bound custom claims is longer than the buffer.",
            _CUSTOM,
            _bound_but_malformed(_BUFFER[:16] + struct.pack("<Q", 1 << 40) + _BUFFER[24:]),
        ),
        (
            "oe-claims-cut",
            "The bound custom claims end inside a value.",
            _CUSTOM,
            _bound_but_malformed(_BUFFER[:-1]),
        ),
    )
)

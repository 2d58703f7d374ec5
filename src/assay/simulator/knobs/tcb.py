"""Knobs of the TCB evaluation: levels, statuses, their convergence."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from assay.simulator.intel.tcb_info import TcbLevel
from assay.simulator.knobs.knob import Knob, Turn, on_platform, on_qe_report, on_tcb_info

_LEVEL, _STATUS = "TCB level", "TCB status"
_FLOOR: Final = TcbLevel((0,) * 16, 0, "OutOfDate", "2018-01-04T00:00:00Z", ("ASSAY-SA-00009",))


def at_status(status: str, advisory_ids: tuple[str, ...] = ("ASSAY-SA-00001",)) -> Turn:
    """Puts the platform at a level of the status."""

    def turn(level: TcbLevel) -> TcbLevel:
        return replace(level, status=status, advisory_ids=advisory_ids)

    return on_tcb_info(lambda form: replace(form, levels=(turn(form.levels[0]), *form.levels[1:])))


def short_by_one(component: int) -> Turn:
    """Leaves one of the sixteen components (from 1) one short of the first level, and all else sufficient.

    The level asks for one more than the platform has; below it stands one OutOfDate level that everything reaches.
    """

    def ask_more(level: TcbLevel) -> TcbLevel:
        asked = list(level.components)
        asked[component - 1] += 1
        return replace(level, components=tuple(asked))

    return on_tcb_info(lambda form: replace(form, levels=(ask_more(form.levels[0]), _FLOOR)))


def _unknown(name: str, status: str, words: str) -> Knob:
    return Knob(f"status-{name}", f"The TCB info's first status is {words}.", _STATUS, ("CO-15",), at_status(status))


def _with_qe_out_of_date(platform_status: str) -> Turn:
    platform = at_status(platform_status)
    quoting_enclave = on_qe_report(lambda report: replace(report, isv_svn=6))
    return lambda recipe: quoting_enclave(platform(recipe))


def _no_level(level: TcbLevel) -> TcbLevel:
    return replace(level, components=(255,) * 16)


TCB_KNOBS: Final = (
    _unknown("with-space", "UpToDate ", "UpToDate with a space after it"),
    _unknown("other-case", "uptodate", "UpToDate in lower case"),
    _unknown("undefined", "Recommended", "a word that nobody defined"),
    _unknown("empty", "", "empty"),
    *(
        Knob(
            f"platform-{name}", f"The platform's level is {status}.", _STATUS, ("CO-16",), at_status(status), "", status
        )
        for name, status in (
            ("out-of-date", "OutOfDate"),
            ("out-of-date-configuration-needed", "OutOfDateConfigurationNeeded"),
            ("revoked", "Revoked"),
        )
    ),
    Knob(
        "no-level",
        "Every level asks for more than the platform has.",
        _LEVEL,
        ("CO-17",),
        on_tcb_info(lambda form: replace(form, levels=tuple(_no_level(level) for level in form.levels))),
    ),
    Knob(
        "no-levels-at-all",
        "The TCB info has an empty list of levels.",
        _LEVEL,
        ("CO-17",),
        on_tcb_info(lambda form: replace(form, levels=())),
    ),
    Knob(
        "pce-svn-short",
        "Only the platform's PCESVN is short of the first level.",
        _STATUS,
        ("CO-19",),
        on_platform(lambda platform: replace(platform, pce_svn=platform.pce_svn - 1)),
        status="OutOfDateConfigurationNeeded",
    ),
    *(
        Knob(
            f"component-{component}-short",
            f"Only SGX TCB component {component} is short of the first level.",
            _STATUS,
            ("CO-19",),
            short_by_one(component),
            status="OutOfDate",
        )
        for component in (1, 2, 8, 16)
    ),
    Knob(
        "qe-out-of-date-hardening",
        "The platform needs software hardening and the quoting enclave is OutOfDate.",
        _STATUS,
        ("CO-20",),
        _with_qe_out_of_date("SWHardeningNeeded"),
        status="OutOfDate",
    ),
    Knob(
        "qe-out-of-date-configuration",
        "The platform needs configuration and the quoting enclave is OutOfDate.",
        _STATUS,
        ("CO-20",),
        _with_qe_out_of_date("ConfigurationNeeded"),
        status="OutOfDateConfigurationNeeded",
    ),
    Knob(
        "qe-out-of-date-configuration-and-hardening",
        "The platform needs configuration and software hardening, and the quoting enclave is OutOfDate.",
        _STATUS,
        ("CO-20",),
        _with_qe_out_of_date("ConfigurationAndSWHardeningNeeded"),
        status="OutOfDateConfigurationNeeded",
    ),
)

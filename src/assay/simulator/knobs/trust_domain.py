"""Knobs of trust domains: quote forms, TDX module, TDX components, attributes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from assay.simulator.intel.tcb_info import Module, ModuleLevel, TcbInfo
from assay.simulator.intel.trust_domain import (
    DEBUG,
    MIGRATABLE,
    SEPT_VE_DISABLE,
    TD_1_0,
    TD_1_5,
    TD_1_5_EX,
)
from assay.simulator.keys import filler
from assay.simulator.knobs.knob import Knob, Turn, on_domain, on_qe_identity, on_quote, on_tcb_info
from assay.simulator.knobs.tcb import at_status
from assay.simulator.tpm.event_log import CC, EFI_ACTION, IPL, SEPARATOR, LogForm, LoggedEvent, encode_log
from assay.simulator.tpm.structures import SHA384

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.simulator.recipe import Recipe

_FORM, _MODULE, _LEVEL, _STATUS = "quote form", "TDX module identity", "TCB level", "TCB status"
_RULE: Final = "platform rule on trust domains"
_ACCEPTED: Final = "nothing"
_OLD, _LOW = bytes((3, 1, 2)) + bytes(13), bytes((2, 1, 2)) + bytes(13)


def _both(*turns: Turn) -> Turn:
    def turn(recipe: Recipe) -> Recipe:
        for each in turns:
            recipe = each(recipe)
        return recipe

    return turn


def _body(number: int) -> Turn:
    """A report of another form, in a quote of version 5."""
    return _both(
        on_domain(lambda domain: replace(domain, body=number)), on_quote(lambda form: replace(form, version=5))
    )


def _attribute(bit: int) -> Turn:
    return on_domain(lambda domain: replace(domain, attributes=domain.attributes | bit))


def _svn(svn: bytes) -> Turn:
    return on_domain(lambda domain: replace(domain, tee_tcb_svn=svn))


def _relaunch(launch: bytes, current: bytes) -> Turn:
    svns = on_domain(lambda domain: replace(domain, tee_tcb_svn=launch, tee_tcb_svn_2=current))
    return _both(_body(TD_1_5), svns)


def _modules(*modules: Module) -> Turn:
    return on_tcb_info(lambda form: replace(form, modules=modules))


def _ask_tdx(component: int, svn: int) -> Turn:
    """Every TCB level asks for this SVN of one TDX component (from 1)."""

    def ask(form: TcbInfo) -> TcbInfo:
        levels = tuple(
            replace(
                level,
                tdx_components=(*level.tdx_components[: component - 1], svn, *level.tdx_components[component:]),
            )
            for level in form.levels
        )
        return replace(form, levels=levels)

    return on_tcb_info(ask)


# A boot as a domain's firmware measures it: index 1 is RTMR 0 (UEFI 2.10, 38.4.1).
BOOT: Final = tuple(
    LoggedEvent(index, kind, data)
    for index, kind, data in (
        (1, EFI_ACTION, b"firmware"),
        (1, SEPARATOR, bytes(4)),
        (2, EFI_ACTION, b"Calling EFI Application from Boot Option"),
        (3, IPL, b"kernel command line"),
    )
)


def _logged(edit: Callable[[tuple[LoggedEvent, ...]], bytes]) -> Turn:
    """A boot whose log is not handed over as it was."""
    return lambda recipe: replace(recipe, events=BOOT, event_log=edit(BOOT))


def _last_event_other(events: tuple[LoggedEvent, ...]) -> bytes:
    return encode_log((*events[:-1], replace(events[-1], data=b"another command line")), CC)


TDX_KNOBS: Final = (
    Knob(
        "td-log-event-other",
        "One event of the log is another than was measured.",
        "event log replay",
        ("QV-30",),
        _logged(_last_event_other),
    ),
    Knob(
        "td-log-short",
        "The log lacks its last event.",
        "event log replay",
        ("QV-30",),
        _logged(lambda events: encode_log(events[:-1], CC)),
    ),
    Knob(
        "td-log-empty",
        "The log has no event but its header.",
        "event log replay",
        ("QV-30",),
        _logged(lambda _: encode_log((), CC)),
    ),
    Knob(
        "td-log-reordered",
        "Two events of one register stand in the other order.",
        "event log replay",
        ("QV-30",),
        _logged(lambda events: encode_log((events[1], events[0], *events[2:]), CC)),
    ),
    Knob(
        "td-log-cut",
        "The log ends inside an event.",
        "event log form",
        ("QV-30", "IN-01"),
        _logged(lambda events: encode_log(events, CC)[:-3]),
    ),
    Knob(
        "td-log-of-a-tpm",
        "The log is a TPM's.",
        "event log form",
        ("QV-30",),
        _logged(lambda events: encode_log(events, LogForm((SHA384,)))),
    ),
    Knob(
        "td-quote-of-sgx",
        "The header of the trust domain's quote says TEE type SGX.",
        _FORM,
        ("QV-15",),
        on_quote(lambda form: replace(form, tee_type=0)),
    ),
    Knob(
        "td-version-3",
        "The header of the trust domain's quote says version 3.",
        _FORM,
        ("QV-15",),
        on_quote(lambda form: replace(form, version=3)),
    ),
    Knob(
        "td-version-5-in-the-form-of-4",
        "The header says version 5, and no body descriptor follows.",
        _FORM,
        ("QV-23",),
        on_quote(lambda form: replace(form, patches=((0, b"\x05"),))),
    ),
    Knob(
        "td-body-type-unknown",
        "The body type of a version 5 quote is not defined.",
        _FORM,
        ("QV-23",),
        _both(_body(TD_1_5), on_quote(lambda form: replace(form, body_type=5))),
    ),
    Knob(
        "td-body-type-of-enclave",
        "The body type of a version 5 quote with TEE type TDX is that of an enclave report.",
        _FORM,
        ("QV-23",),
        _both(_body(TD_1_0), on_quote(lambda form: replace(form, body_type=1, body_size=384))),
    ),
    Knob(
        "td-1.5-with-size-of-1.0",
        "The body type is TD 1.5 and the size that of TD 1.0.",
        _FORM,
        ("QV-23",),
        _both(_body(TD_1_0), on_quote(lambda form: replace(form, body_type=TD_1_5))),
    ),
    Knob(
        "td-body-size-greatest",
        "The body size is the greatest number of its field.",
        _FORM,
        ("QV-23", "QV-16"),
        _both(_body(TD_1_5), on_quote(lambda form: replace(form, body_size=0xFFFFFFFF))),
    ),
    Knob(
        "td-outer-type-5",
        "The outer certification data is of type 5.",
        _FORM,
        ("QV-13",),
        on_quote(lambda form: replace(form, outer_type=5)),
    ),
    Knob(
        "td-outer-size-short",
        "The outer certification data ends before what it encloses.",
        _FORM,
        ("QV-16",),
        on_quote(lambda form: replace(form, outer_size=100)),
    ),
    Knob(
        "td-outer-size-long",
        "The outer certification data exceeds the signature data.",
        _FORM,
        ("QV-16",),
        on_quote(lambda form: replace(form, outer_size=1 << 20)),
    ),
    Knob(
        "td-qe-identity-of-qe",
        "The identity is that of SGX's quoting enclave.",
        "QE identity match",
        ("QV-08",),
        on_qe_identity(lambda form: replace(form, id="QE")),
    ),
    Knob(
        "td-tcb-info-of-sgx",
        "The TCB info is that of the platform for SGX.",
        "TCB info of another TEE",
        ("QV-15",),
        on_tcb_info(lambda form: replace(form, id="SGX")),
    ),
    Knob(
        "td-tcb-info-version-2",
        "The TCB info has the form of API v3, which knows no TDX.",
        "TCB info of another TEE",
        ("QV-15",),
        on_tcb_info(lambda form: replace(form, version=2)),
    ),
    Knob(
        "td-module-signer-other",
        "The TDX module has another signer than its identity says.",
        _MODULE,
        ("QV-22",),
        on_domain(lambda domain: replace(domain, mr_signer_seam=filler("module signer", 48))),
    ),
    Knob(
        "td-module-0-signer-other",
        "The TDX module of version 0 has another signer than `tdxModule` says.",
        _MODULE,
        ("QV-22",),
        _both(
            _svn(bytes((5, 0, 2)) + bytes(13)),
            on_domain(lambda domain: replace(domain, mr_signer_seam=filler("module signer", 48))),
        ),
    ),
    Knob(
        "td-module-attributes-other",
        "SEAMATTRIBUTES is not zero.",
        _MODULE,
        ("QV-22",),
        on_domain(lambda domain: replace(domain, seam_attributes=1)),
    ),
    Knob(
        "td-module-attributes-published",
        "SEAMATTRIBUTES is not zero, and its identity says the same.",
        _MODULE,
        ("QV-22",),
        _both(
            on_domain(lambda domain: replace(domain, seam_attributes=1)),
            _modules(Module("TDX_01", attributes="0100000000000000")),
        ),
    ),
    Knob(
        "td-module-attributes-zero",
        "SEAMATTRIBUTES is zero, and its identity says otherwise.",
        _MODULE,
        ("QV-22",),
        _modules(Module("TDX_01", attributes="0100000000000000")),
    ),
    Knob(
        "td-module-unknown",
        "The TDX module's major version has no identity.",
        _MODULE,
        ("QV-22",),
        _svn(bytes((5, 2, 2)) + bytes(13)),
    ),
    Knob(
        "td-module-identities-absent",
        "The TCB info has no TDX module identities.",
        _MODULE,
        ("QV-22",),
        on_tcb_info(lambda form: replace(form, modules=None)),
    ),
    Knob(
        "td-module-absent",
        "The TCB info has no `tdxModule`.",
        "TCB info form",
        ("QV-22",),
        on_tcb_info(lambda form: replace(form, module=None)),
    ),
    Knob(
        "td-module-identities-twice",
        "The TCB info has two identities of one module.",
        "TCB info form",
        ("QV-22",),
        _modules(Module("TDX_01"), Module("tdx_01")),
    ),
    Knob(
        "td-module-status-unknown",
        "The status of the TDX module's level is a platform's.",
        "TCB info form",
        ("CO-15",),
        _modules(Module("TDX_01", levels=(ModuleLevel(1, "SWHardeningNeeded"),))),
    ),
    Knob(
        "td-module-below-every-level",
        "The TDX module is below every level of its identity.",
        "TDX module level",
        ("CO-17",),
        _svn(_LOW),
    ),
    Knob(
        "td-current-below-every-level",
        "The TDX module that runs now is below every level of its identity.",
        "current TCB",
        ("CO-17",),
        _relaunch(bytes((5, 1, 2)) + bytes(13), _LOW),
    ),
    Knob(
        "td-current-module-unknown",
        "The TDX module that runs now has a major version without identity.",
        "current TCB",
        ("QV-22",),
        _relaunch(bytes((5, 1, 2)) + bytes(13), bytes((5, 2, 2)) + bytes(13)),
    ),
    Knob(
        "td-component-short",
        "Every level asks for more of the third TDX component than the platform has.",
        _LEVEL,
        ("CO-17", "CO-19"),
        _ask_tdx(3, 3),
    ),
    Knob(
        "td-module-0-component-short",
        "With module version 0, every level asks for more of the first TDX component than the platform has.",
        _LEVEL,
        ("CO-17", "CO-19"),
        _both(_svn(bytes((4, 0, 2)) + bytes(13)), _ask_tdx(1, 5)),
    ),
    Knob(
        "td-module-out-of-date",
        "The TDX module is at an OutOfDate level; the platform is UpToDate.",
        _STATUS,
        ("CO-20",),
        _svn(_OLD),
        status="OutOfDate",
    ),
    Knob(
        "td-module-revoked",
        "The TDX module is at a Revoked level; the platform is UpToDate.",
        _STATUS,
        ("CO-20",),
        _modules(Module("TDX_01", levels=(ModuleLevel(1, "Revoked"),))),
        status="Revoked",
    ),
    Knob(
        "td-module-out-of-date-configuration",
        "The TDX module is OutOfDate and the platform needs configuration.",
        _STATUS,
        ("CO-20",),
        _both(_svn(_OLD), at_status("ConfigurationNeeded")),
        status="OutOfDateConfigurationNeeded",
    ),
    Knob(
        "td-relaunch",
        "The domain was launched under an OutOfDate module; the one that runs now is UpToDate.",
        _STATUS,
        ("CO-16",),
        _relaunch(_OLD, bytes((5, 1, 2)) + bytes(13)),
        status="TDRelaunchAdvised",
    ),
    Knob(
        "td-relaunch-configuration",
        "As before, on a platform that needs configuration.",
        _STATUS,
        ("CO-16",),
        _both(_relaunch(_OLD, bytes((5, 1, 2)) + bytes(13)), at_status("ConfigurationNeeded")),
        status="TDRelaunchAdvisedConfigurationNeeded",
    ),
    Knob(
        "td-current-out-of-date-too",
        "The domain was launched under an OutOfDate module, and the one that runs now is OutOfDate too.",
        _STATUS,
        ("CO-16",),
        _relaunch(_OLD, _OLD),
        status="OutOfDate",
    ),
    *(
        Knob(
            f"td-reserved-{bit}",
            f"The reserved attribute of bit {bit}, in the group of untrusted domains, is set.",
            "trust domain attributes",
            ("QV-20",),
            _attribute(1 << bit),
        )
        for bit in (1, 4, 7)
    ),
    Knob("td-debug", "The DEBUG attribute is set.", _RULE, ("QV-20",), _attribute(DEBUG), rule="no debug domains"),
    Knob(
        "td-attribute-unknown",
        "An attribute that is not defined is set.",
        _RULE,
        ("QV-20",),
        _attribute(1 << 40),
        rule="known attributes only",
    ),
    Knob(
        "td-sept-ve",
        "SEPT_VE_DISABLE is clear.",
        _RULE,
        ("QV-20",),
        on_domain(lambda domain: replace(domain, attributes=domain.attributes & ~SEPT_VE_DISABLE)),
        rule="EPT violations are kept from the domain",
    ),
    Knob(
        "td-migratable", "The domain may be migrated.", _RULE, ("QV-21",), _attribute(MIGRATABLE), rule="no migration"
    ),
    Knob(
        "td-service-td",
        "A service TD is bound.",
        _RULE,
        ("QV-21",),
        _both(_body(TD_1_5), on_domain(lambda domain: replace(domain, mr_service_td=filler("service td", 48)))),
        rule="no service TD",
    ),
    Knob(
        "td-service-td-ex",
        "A service TD is bound, as the extended report says.",
        _RULE,
        ("QV-21",),
        _both(_body(TD_1_5_EX), on_domain(lambda domain: replace(domain, current_service_td=filler("service td", 48)))),
        rule="no service TD",
    ),
    Knob(
        "td-features-unknown",
        "XFAM has a bit that is not defined.",
        _RULE,
        ("QV-20",),
        on_domain(lambda domain: replace(domain, xfam=domain.xfam | 1 << 40)),
        rule="known features only",
    ),
    Knob(
        "td-features-without-sse",
        "XFAM lacks a feature that is always there.",
        _RULE,
        ("QV-20",),
        on_domain(lambda domain: replace(domain, xfam=domain.xfam & ~2)),
        rule="known features only",
    ),
)

TDX_VARIANTS: Final = (
    Knob(
        "td-log",
        "The CC event log comes with the quote, and zeros after it.",
        _ACCEPTED,
        ("OK-13",),
        _logged(lambda events: encode_log(events, CC) + bytes(64)),
        status="UpToDate",
    ),
    Knob("td-1.0", "A TD report 1.0 in a quote of version 5.", _ACCEPTED, ("OK-02",), _body(TD_1_0), status="UpToDate"),
    Knob("td-1.5", "A TD report 1.5.", _ACCEPTED, ("OK-02",), _body(TD_1_5), status="UpToDate"),
    Knob("td-1.5-ex", "A TD report 1.5 Ex.", _ACCEPTED, ("OK-02",), _body(TD_1_5_EX), status="UpToDate"),
    Knob(
        "td-module-0",
        "The TDX module of version 0: the platform's level judges it.",
        _ACCEPTED,
        ("OK-02",),
        _svn(bytes((5, 0, 2)) + bytes(13)),
        status="UpToDate",
    ),
    Knob(
        "td-module-0-without-identities",
        "The TDX module of version 0, and no list of module identities.",
        _ACCEPTED,
        ("OK-02",),
        _both(_svn(bytes((5, 0, 2)) + bytes(13)), on_tcb_info(lambda form: replace(form, modules=None))),
        status="UpToDate",
    ),
    Knob(
        "td-module-identity-other-case",
        "The identity's name is in lower case.",
        _ACCEPTED,
        ("OK-02",),
        _modules(Module("tdx_01")),
        status="UpToDate",
    ),
    Knob(
        "td-module-components-of-others",
        "Every level asks for more of the first TDX component, which the module's own identity judges.",
        _ACCEPTED,
        ("CO-19",),
        _ask_tdx(1, 99),
        status="UpToDate",
    ),
    Knob(
        "td-current-newer",
        "The domain was launched under a good module, and a newer one runs now.",
        _ACCEPTED,
        ("OK-02",),
        _relaunch(bytes((5, 1, 2)) + bytes(13), bytes((6, 1, 2)) + bytes(13)),
        status="UpToDate",
    ),
)

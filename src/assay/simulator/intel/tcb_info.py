"""TCB info of the synthetic Intel (quote-verification 3.1), members in the order of the genuine documents."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from assay.simulator.intel.platform import COMPONENTS, PCE_SVN
from assay.simulator.intel.signed_json import SIGNING, WINDOW, Signing, Window, format_instant, sign_document

if TYPE_CHECKING:
    from datetime import datetime

    from assay.simulator.intel.hierarchy import Hierarchy
    from assay.simulator.intel.platform import Platform

EVALUATION_NUMBER: Final = 17


@dataclass(frozen=True, slots=True)
class TcbLevel:
    """One level of a TCB info: the least SVNs it asks for, and what it says of a platform that has them."""

    components: tuple[int, ...]
    pce_svn: int
    status: str
    date: str = "2024-03-13T00:00:00Z"
    advisory_ids: tuple[str, ...] = ()
    tdx_components: tuple[int, ...] = (0,) * 16


@dataclass(frozen=True, slots=True)
class ModuleLevel:
    """One level of a TDX module identity."""

    isv_svn: int
    status: str
    date: str = "2024-03-13T00:00:00Z"
    advisory_ids: tuple[str, ...] = ()


MODULE_LEVELS: Final = (
    ModuleLevel(5, "UpToDate"),
    ModuleLevel(3, "OutOfDate", "2023-08-09T00:00:00Z", ("ASSAY-SA-00006",)),
)


@dataclass(frozen=True, slots=True)
class Module:
    """A TDX module that the vendor vouches for; the one without an id is `tdxModule`."""

    id: str = ""
    mr_signer: str = "00" * 48
    attributes: str = "00" * 8
    attributes_mask: str = "FF" * 8
    levels: tuple[ModuleLevel, ...] = MODULE_LEVELS


MODULES: Final = (Module("TDX_03", levels=(ModuleLevel(3, "UpToDate"),)), Module("TDX_01"))


def _lower(components: tuple[int, ...], by: int) -> tuple[int, ...]:
    return (components[0] - by, components[1] - by, *components[2:])


LEVELS: Final = (
    TcbLevel(COMPONENTS, PCE_SVN, "UpToDate"),
    TcbLevel((*COMPONENTS[:6], 0, *COMPONENTS[7:]), PCE_SVN, "ConfigurationNeeded", advisory_ids=("ASSAY-SA-00001",)),
    TcbLevel(_lower(COMPONENTS, 1), PCE_SVN, "OutOfDate", "2023-02-15T00:00:00Z", ("ASSAY-SA-00001", "ASSAY-SA-00002")),
    TcbLevel(
        _lower((*COMPONENTS[:6], 0, *COMPONENTS[7:]), 4),
        PCE_SVN - 2,
        "OutOfDateConfigurationNeeded",
        "2021-11-10T00:00:00Z",
        ("ASSAY-SA-00001", "ASSAY-SA-00002", "ASSAY-SA-00003"),
    ),
)


@dataclass(frozen=True, slots=True)
class TcbInfo:
    """A TCB info to be made; `fmspc` and `pce_id` None mean the platform's.

    Version 2 is the form of API v3, version 3 that of API v4. `module` and `modules` (None: no such member) are written
    for TDX only.
    """

    id: str = "SGX"
    version: int = 3
    window: Window = WINDOW
    fmspc: str | None = None
    pce_id: str | None = None
    tcb_type: int = 0
    evaluation_number: int = EVALUATION_NUMBER
    levels: tuple[TcbLevel, ...] = LEVELS
    signing: Signing = SIGNING
    module: Module | None = Module()
    modules: tuple[Module, ...] | None = MODULES


TCB_INFO: Final = TcbInfo()
# The first two TDX components are the module's, which its own identity judges from version 1 on; then the loader's.
_TDX_COMPONENTS: Final = (5, 0, 2, *(0,) * 13)
TDX_LEVELS: Final = tuple(
    replace(level, tdx_components=tuple(max(svn - by, 0) for svn in _TDX_COMPONENTS)) for by, level in enumerate(LEVELS)
)
TDX_TCB_INFO: Final = TcbInfo("TDX", levels=TDX_LEVELS)


def mint_tcb_info(form: TcbInfo, at: datetime, platform: Platform, hierarchy: Hierarchy) -> bytes:
    """The TCB info as the PCS serves it, signed by the hierarchy's TCB signing key unless the form says otherwise."""
    head: dict[str, object] = {"id": form.id} if form.version >= 3 else {}
    inner = head | {
        "version": form.version,
        "issueDate": format_instant(form.window.issued(at)),
        "nextUpdate": format_instant(form.window.expires(at)),
        "fmspc": platform.fmspc.upper() if form.fmspc is None else form.fmspc,
        "pceId": platform.pce_id.upper() if form.pce_id is None else form.pce_id,
        "tcbType": form.tcb_type,
        "tcbEvaluationDataNumber": form.evaluation_number,
        **(_encode_modules(form) if form.id == "TDX" else {}),
        "tcbLevels": [_encode_level(level, form) for level in form.levels],
    }
    return sign_document("tcbInfo", inner, form.signing, hierarchy.tcb_signing.key)


def _encode_modules(form: TcbInfo) -> dict[str, object]:
    encoded: dict[str, object] = {}
    if form.module is not None:
        encoded["tdxModule"] = _encode_module(form.module)
    if form.modules is not None:
        encoded["tdxModuleIdentities"] = [
            {
                "id": module.id,
                **_encode_module(module),
                "tcbLevels": [_encode_module_level(level) for level in module.levels],
            }
            for module in form.modules
        ]
    return encoded


def _encode_module(module: Module) -> dict[str, object]:
    return {
        "mrsigner": module.mr_signer,
        "attributes": module.attributes,
        "attributesMask": module.attributes_mask,
    }


def _encode_module_level(level: ModuleLevel) -> dict[str, object]:
    encoded: dict[str, object] = {
        "tcb": {"isvsvn": level.isv_svn},
        "tcbDate": level.date,
        "tcbStatus": level.status,
    }
    return encoded | {"advisoryIDs": list(level.advisory_ids)} if level.advisory_ids else encoded


def _encode_level(level: TcbLevel, form: TcbInfo) -> dict[str, object]:
    encoded: dict[str, object] = {
        "tcb": _encode_tcb(level, form),
        "tcbDate": level.date,
        "tcbStatus": level.status,
    }
    return encoded | {"advisoryIDs": list(level.advisory_ids)} if level.advisory_ids else encoded


def _encode_tcb(level: TcbLevel, form: TcbInfo) -> dict[str, object]:
    if form.version < 3:
        named = {f"sgxtcbcomp{i:02}svn": svn for i, svn in enumerate(level.components, start=1)}
        return {**named, "pcesvn": level.pce_svn}
    components: dict[str, object] = {"sgxtcbcomponents": [{"svn": svn} for svn in level.components]}
    if form.id == "TDX":
        components["tdxtcbcomponents"] = [{"svn": svn} for svn in level.tdx_components]
    return components | {"pcesvn": level.pce_svn}

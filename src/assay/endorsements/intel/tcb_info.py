"""TCB info: which SVNs of a platform are worth what (quote-verification section 3.1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from assay import limits
from assay.endorsements.documents import Document
from assay.endorsements.intel.signed_json import Members, parse_signed_json
from assay.endorsements.intel.tcb import (
    COMPONENT_STATUSES,
    PLATFORM_STATUSES,
    IsvSvnLevel,
    TcbLevel,
    TcbStatus,
    descending,
)

_SVN = 0xFF


@dataclass(frozen=True, slots=True)
class ModuleIdentity:
    """One TDX module that Intel vouches for; `name` is `TDX_` and the major version in two upper-case hex digits.

    The module of major version 0 (`tdxModule`) has no name and no levels: the platform's levels judge it.
    """

    name: str
    mr_signer: bytes
    attributes: bytes
    attributes_mask: bytes
    levels: tuple[IsvSvnLevel, ...]


@dataclass(frozen=True, slots=True)
class TcbInfo:
    """A parsed TCB info; `levels` are in descending order, `tee` is `sgx` or `tdx`.

    `module` and `module_identities` exist for TDX only; the latter is None where the document has no such list.
    """

    tee: str
    version: int
    issue_date: datetime
    next_update: datetime
    fmspc: bytes
    pce_id: bytes
    evaluation_number: int
    levels: tuple[TcbLevel, ...]
    signed: bytes
    signature: bytes
    module: ModuleIdentity | None = None
    module_identities: tuple[ModuleIdentity, ...] | None = None

    def find_module(self, major_version: int) -> ModuleIdentity | None:
        """The identity of a module by its major version, TEE_TCB_SVN[1] (4, step 9), or None."""
        if major_version == 0:
            return self.module
        name = f"TDX_{major_version:02X}"
        return next((identity for identity in self.module_identities or () if identity.name == name), None)


@lru_cache(maxsize=limits.DOCUMENTS)
def parse_tcb_info(document: Document) -> TcbInfo:
    """The TCB info of a document; raises `MalformedEndorsement`, for unknown statuses too (CO-15)."""
    parsed = parse_signed_json(document.body, "tcbInfo")
    members = parsed.members
    version = members.integer("version")
    if version not in (2, 3):
        raise members.wrong("version", f"{version} is not 2 or 3")
    identity = members.text("id") if version == 3 else "SGX"
    if identity not in ("SGX", "TDX"):
        raise members.wrong("id", f"{identity!r} is not SGX or TDX")
    if members.integer("tcbType") != 0:
        raise members.wrong("tcbType", "not 0")
    read = _read_level_v3 if version == 3 else _read_level_v2
    return TcbInfo(
        identity.lower(),
        version,
        members.time("issueDate"),
        members.time("nextUpdate"),
        members.octets("fmspc", 6),
        members.octets("pceId", 2),
        members.integer("tcbEvaluationDataNumber", most=0xFFFFFFFF),
        descending(read(level, identity) for level in members.objects("tcbLevels")),
        parsed.signed,
        parsed.signature,
        *(_read_modules(members) if identity == "TDX" else (None, None)),
    )


def _read_modules(members: Members) -> tuple[ModuleIdentity, tuple[ModuleIdentity, ...] | None]:
    module = _read_module(members.member("tdxModule"), "", ())
    if "tdxModuleIdentities" not in members:
        return module, None
    identities = tuple(
        _read_module(identity, identity.text("id").upper(), read_isv_svn_levels(identity))
        for identity in members.objects("tdxModuleIdentities")
    )
    if len({identity.name for identity in identities}) != len(identities):
        raise members.wrong("tdxModuleIdentities", "two identities of one module")
    return module, identities


def _read_module(members: Members, name: str, levels: tuple[IsvSvnLevel, ...]) -> ModuleIdentity:
    return ModuleIdentity(
        name,
        members.octets("mrsigner", 48),
        members.octets("attributes", 8),
        members.octets("attributesMask", 8),
        levels,
    )


def _read_level_v3(level: Members, identity: str) -> TcbLevel:
    tcb = level.member("tcb")
    sgx = tuple(c.integer("svn", most=_SVN) for c in tcb.objects("sgxtcbcomponents", size=16))
    tdx: tuple[int, ...] = ()
    if identity == "TDX":
        tdx = tuple(c.integer("svn", most=_SVN) for c in tcb.objects("tdxtcbcomponents", size=16))
    return _level(level, sgx, tdx, tcb.integer("pcesvn"))


def _read_level_v2(level: Members, _identity: str) -> TcbLevel:
    tcb = level.member("tcb")
    sgx = tuple(tcb.integer(f"sgxtcbcomp{i:02d}svn", most=_SVN) for i in range(1, 17))
    return _level(level, sgx, (), tcb.integer("pcesvn"))


def _level(level: Members, sgx: tuple[int, ...], tdx: tuple[int, ...], pce_svn: int) -> TcbLevel:
    status = read_status(level, PLATFORM_STATUSES)
    return TcbLevel(sgx, tdx, pce_svn, level.time("tcbDate"), status, level.texts("advisoryIDs"))


def read_status(level: Members, known: frozenset[TcbStatus]) -> TcbStatus:
    """The `tcbStatus` of a level, exactly spelled; an unknown one is an error, never a guess."""
    text = level.text("tcbStatus")
    for status in known:
        if status.value == text:
            return status
    raise level.wrong("tcbStatus", f"unknown status {text!r}")


def read_isv_svn_levels(members: Members) -> tuple[IsvSvnLevel, ...]:
    """The `tcbLevels` of an enclave or module identity, in descending order of `isvsvn`."""
    levels = [
        IsvSvnLevel(
            level.member("tcb").integer("isvsvn"),
            level.time("tcbDate"),
            read_status(level, COMPONENT_STATUSES),
            level.texts("advisoryIDs"),
        )
        for level in members.objects("tcbLevels")
    ]
    return tuple(sorted(levels, key=lambda x: x.isv_svn, reverse=True))

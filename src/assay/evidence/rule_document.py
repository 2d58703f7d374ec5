"""Platform rules as a document: what an operator writes in TOML or JSON, and what a provider stores.

A member that is absent, or null, leaves the rule as it was. Names compare without regard to case.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, NoReturn, TypeVar

from assay.endorsements.anchors import UvmIssuer
from assay.endorsements.intel.tcb import TcbStatus
from assay.errors import ConfigurationError
from assay.evidence.platform_rules import (
    GracePeriod,
    GraceStart,
    Listing,
    MinimumTcb,
    PlatformRules,
)
from assay.formats.strict_json import JsonObject, JsonValue
from assay.pki.did_x509 import DidError, parse_did_x509

ElementT = TypeVar("ElementT", bytes, str)
_HEX: Final = re.compile(r"(?:[0-9a-fA-F]{2})+\Z")
_ADVISORY: Final = re.compile(r"[!-~]{1,64}\Z")
# Components of MinimumTcb, and the greatest value that each has on its platform.
_COMPONENTS: Final = {
    **dict.fromkeys(("bootloader", "tee", "snp", "microcode", "fmc"), 0xFF),
    **dict.fromkeys(("pce", "qe"), 0xFFFF),
}
# Own: a century; longer periods are statuses that are accepted.
_MOST_DAYS: Final = 36_500
_LEAST_PRIVILEGED_VMPL: Final = 3
# A status may be tolerated for a while; what is revoked may not.
_GRACE: Final = {status.value.lower(): status for status in TcbStatus if status is not TcbStatus.REVOKED}


def decode_rules(document: JsonObject, rules: PlatformRules) -> PlatformRules:
    """The rules with those that the document sets; raises `ConfigurationError`, which names the member."""
    changes: dict[str, object] = {}
    for name, value in document.items():
        known = _READERS.get(name.lower())
        if known is None:
            _fail(name, f"no such rule; there are {', '.join(rule for rule, _, _ in _RULES)}")
        if value is not None:
            field, read = known
            changes[field] = read(name, value)
    return replace(rules, **changes)  # type: ignore[arg-type]  # each reader gives its field's type


def _fail(place: str, problem: str) -> NoReturn:
    raise ConfigurationError(f"platform rule {place[:80]}: {problem}")


def _members(place: str, value: JsonValue) -> Mapping[str, JsonValue]:
    if not isinstance(value, dict):
        _fail(place, "not a table")
    return value


def _text(place: str, value: JsonValue) -> str:
    if not isinstance(value, str):
        _fail(place, "not text")
    return value


def _flag(place: str, value: JsonValue) -> bool:
    if not isinstance(value, bool):
        _fail(place, "neither true nor false")
    return value


def _number(place: str, value: JsonValue, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        _fail(place, f"not a whole number from 0 to {most}")
    return value


def _vmpl(place: str, value: JsonValue) -> int:
    return _number(place, value, _LEAST_PRIVILEGED_VMPL)


def _time(place: str, value: JsonValue) -> datetime:
    text = _text(place, value)
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        _fail(place, f"{text[:40]!r} is not a date (2024-03-13) or time (2024-03-13T00:00:00Z)")
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _listing(read: Callable[[str, JsonValue], ElementT]) -> Callable[[str, JsonValue], Listing[ElementT]]:
    def read_listing(place: str, value: JsonValue) -> Listing[ElementT]:
        found: dict[str, frozenset[ElementT]] = {}
        for name, elements in _members(place, value).items():
            if name.lower() not in ("allow", "deny"):
                _fail(f"{place}.{name}", "neither allow nor deny")
            if not isinstance(elements, list):
                _fail(f"{place}.{name}", "not a list")
            found[name.lower()] = frozenset(read(f"{place}.{name}", each) for each in elements)
        return Listing(found.get("allow"), found.get("deny", frozenset()))

    return read_listing


def _identifier(size: int) -> Callable[[str, JsonValue], bytes]:
    def read(place: str, value: JsonValue) -> bytes:
        text = _text(place, value)
        if not _HEX.match(text) or len(text) != 2 * size:
            _fail(place, f"an identifier is {2 * size} hex digits")
        return bytes.fromhex(text)

    return read


def _chip_id(place: str, value: JsonValue) -> bytes:
    """64 octets; the 8 of Turin's HWID stand for the same with zeros (quote-verification 8.3)."""
    text = _text(place, value)
    if not _HEX.match(text) or len(text) not in (16, 128):
        _fail(place, "a chip id is 128 hex digits, or the 16 of a Turin's hardware id")
    return bytes.fromhex(text).ljust(64, b"\x00")


def _generation(place: str, value: JsonValue) -> str:
    """As rules compare it: lower case, without spaces and hyphens."""
    text = re.sub(r"[ _-]", "", _text(place, value)).lower()
    if not text.isascii() or not text.isalnum():
        _fail(place, "a generation is a name of letters and digits, or an FMSPC of 12 hex digits")
    return text


def _advisory(place: str, value: JsonValue) -> str:
    text = _text(place, value)
    if not _ADVISORY.match(text):
        _fail(place, "an advisory is named like INTEL-SA-00960")
    return text


def _minimums(place: str, value: JsonValue) -> tuple[MinimumTcb, ...]:
    tables = _members(place, value)
    return tuple(_minimum(f"{place}.{product}", product, table) for product, table in tables.items())


def _minimum(place: str, product: str, value: JsonValue) -> MinimumTcb:
    svns: list[tuple[str, int]] = []
    tcb_date, evaluation_number = None, None
    for name, member in _members(place, value).items():
        match name.lower():
            case "tcbdate":
                tcb_date = _time(f"{place}.{name}", member)
            case "evaluationnumber":
                evaluation_number = _number(f"{place}.{name}", member, 0xFFFFFFFF)
            case component if component in _COMPONENTS:
                svns.append((component, _number(f"{place}.{name}", member, _COMPONENTS[component])))
            case _:
                _fail(f"{place}.{name}", f"there are {', '.join(_COMPONENTS)}, tcbDate and evaluationNumber")
    return MinimumTcb(_generation(place, product), tuple(svns), tcb_date, evaluation_number)


def _graces(place: str, value: JsonValue) -> tuple[GracePeriod, ...]:
    return tuple(_grace(f"{place}.{name}", name, member) for name, member in _members(place, value).items())


def _grace(place: str, name: str, value: JsonValue) -> GracePeriod:
    status = _GRACE.get(name.lower())
    if status is None:
        _fail(place, f"there is a grace period for {', '.join(each.value for each in _GRACE.values())}")
    if not isinstance(value, dict):
        return GracePeriod(status, _number(place, value, _MOST_DAYS))
    members = {key.lower(): member for key, member in value.items()}
    if not members.keys() <= {"days", "since"}:
        _fail(place, "there are days and since")
    since = members.get("since", GraceStart.TCB_DATE.value)
    start = next((each for each in GraceStart if each.value == since), None)
    if start is None:
        _fail(f"{place}.since", f"there are {', '.join(each.value for each in GraceStart)}")
    return GracePeriod(status, _number(f"{place}.days", members.get("days"), _MOST_DAYS), start)


def _uvm_issuers(place: str, value: JsonValue) -> tuple[UvmIssuer, ...]:
    if not isinstance(value, list):
        _fail(place, "not a list of tables")
    return tuple(_uvm_issuer(f"{place}[{index}]", each) for index, each in enumerate(value))


def _uvm_issuer(place: str, value: JsonValue) -> UvmIssuer:
    members = {name.lower(): member for name, member in _members(place, value).items()}
    if not {"issuer", "feed"} <= members.keys() <= {"issuer", "feed", "minimumsvn", "compliancestatus"}:
        _fail(place, "there are issuer and feed, and perhaps minimumSvn and complianceStatus")
    issuer = _text(f"{place}.issuer", members["issuer"])
    try:
        parse_did_x509(issuer)
    except DidError as error:
        _fail(f"{place}.issuer", str(error))
    feed = _text(f"{place}.feed", members["feed"])
    minimum = _number(f"{place}.minimumSvn", members.get("minimumsvn", 0), 0xFFFFFFFF)
    status = members.get("compliancestatus")
    compliance = None if status is None else _text(f"{place}.complianceStatus", status)
    return UvmIssuer(issuer, feed, "the operator's platform rules", minimum, compliance)


# The name in documents, the field, and how its value is read.
_RULES: Final[tuple[tuple[str, str, Callable[[str, JsonValue], object]], ...]] = (
    ("graceDays", "grace", _graces),
    ("tcbBaseline", "tcb_baseline", _time),
    ("advisories", "advisories", _listing(_advisory)),
    ("ppids", "ppids", _listing(_identifier(16))),
    ("platformInstances", "platform_instances", _listing(_identifier(16))),
    ("chipIds", "chip_ids", _listing(_chip_id)),
    ("generations", "generations", _listing(_generation)),
    ("minimumTcb", "minimum_tcb", _minimums),
    ("highestVmpl", "highest_vmpl", _vmpl),
    ("allowMigration", "allow_migration", _flag),
    ("allowServiceTd", "allow_service_td", _flag),
    ("requireSeptVeDisable", "require_sept_ve_disable", _flag),
    ("requireEventLog", "require_event_log", _flag),
    ("requireRuntimeData", "require_runtime_data", _flag),
    ("requireAliasCheck", "require_alias_check", _flag),
    ("recordedClaimsOnly", "recorded_claims_only", _flag),
    ("uvmIssuers", "uvm_issuers", _uvm_issuers),
)
_READERS: Final = {name.lower(): (field, read) for name, field, read in _RULES}
RULE_NAMES: Final = tuple(name for name, _, _ in _RULES)

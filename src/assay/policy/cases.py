"""Test cases of policies as data: read from JSON or TOML, and judged against what was observed."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, TypeGuard

from assay.claims import Claim, ClaimSet, ClaimValue, Issuer, ValueType, value_type
from assay.errors import AssayError, Malformed, PolicyDenied
from assay.formats import strict_json
from assay.formats.strict_json import JsonError, JsonValue
from assay.policy.document import draft_policy, issued_members

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assay.policy.evaluation import PolicyOutcome

_WHAT: Final = "case"
_MEMBERS: Final = frozenset({"description", "policy", "claims", "evidence", "expect"})
# What stands beside `evidence`, as the options of the same names do beside evidence of `assay verify`.
_SETTINGS: Final = frozenset(
    {
        *("type", "endorsements", "at", "runtime_data", "runtime_data_type", "init_time_data", "init_time_data_type"),
        *("accept_tcb", "unsafe_simulator", "unsafe_no_revocation"),
    }
)
_EXPECTED: Final = frozenset({"permitted", "issued", "code", "denied_line"})
_CLAIM: Final = frozenset({"type", "value", "issuer", "valueType"})
_LEAST, _MOST = -(1 << 63), (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a case expects; None is not looked at."""

    permitted: bool
    issued: Mapping[str, JsonValue] | None = None
    code: str | None = None
    denied_line: int | None = None


@dataclass(frozen=True, slots=True)
class EvidenceCase:
    """Where the evidence of a case is, and the settings it is verified with, as texts by their names."""

    path: str
    endorsements: tuple[str, ...]
    settings: Mapping[str, str]
    flags: frozenset[str]


@dataclass(frozen=True, slots=True)
class Case:
    """One case: a policy by its path, what it is tried on, and what is expected."""

    description: str
    policy: str
    tried_on: ClaimSet | EvidenceCase
    expectation: Expectation


@dataclass(frozen=True, slots=True)
class Observed:
    """What came out of a trial; `denied_line` is that of the deny rule that fired."""

    permitted: bool
    issued: Mapping[str, JsonValue]
    code: str | None = None
    denied_line: int | None = None
    message: str = ""


def read_case(content: bytes, *, is_toml: bool) -> Case:
    """The case in the content of a file; raises `Malformed`, which names the member that is wrong."""
    members = _decode(content, is_toml=is_toml)
    has_evidence = "evidence" in members
    _refuse_unknown(members, _MEMBERS | _SETTINGS if has_evidence else _MEMBERS)
    if has_evidence == ("claims" in members):
        raise Malformed(_WHAT, "needs either claims or evidence")
    tried_on = _evidence_case(members) if has_evidence else read_claims(members["claims"])
    description = _text(members, "description") if "description" in members else ""
    return Case(description, _text(members, "policy"), tried_on, _expectation(members.get("expect")))


def _decode(content: bytes, *, is_toml: bool) -> Mapping[str, JsonValue]:
    try:
        if is_toml:
            return tomllib.loads(content.decode("utf-8"))
        return strict_json.decode_object(content)
    except (JsonError, tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(_WHAT, str(error)) from error


def _refuse_unknown(members: Mapping[str, JsonValue], known: frozenset[str]) -> None:
    unknown = members.keys() - known
    if unknown:
        raise Malformed(_WHAT, f"unknown member {min(unknown)!r}; known: {', '.join(sorted(known))}")


def _text(members: Mapping[str, JsonValue], name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str) or not value:
        raise Malformed(_WHAT, f"{name} is missing, or no text")
    return value


def _evidence_case(members: Mapping[str, JsonValue]) -> EvidenceCase:
    _text(members, "type")
    named = members.get("endorsements", [])
    endorsements = named if isinstance(named, list) else [named]
    if not all(isinstance(directory, str) for directory in endorsements):
        raise Malformed(_WHAT, "endorsements is neither a directory nor a list of them")
    settings: dict[str, str] = {}
    flags: set[str] = set()
    for name in sorted(_SETTINGS & members.keys() - {"endorsements"}):
        value = members[name]
        if name.startswith("unsafe_"):
            if not isinstance(value, bool):
                raise Malformed(_WHAT, f"{name} is neither true nor false")
            flags |= {name} if value else set()
            continue
        # TOML has times of its own.
        settings[name] = value.isoformat() if isinstance(value, datetime) else _text(members, name)
    return EvidenceCase(_text(members, "evidence"), tuple(map(str, endorsements)), settings, frozenset(flags))


def _expectation(value: JsonValue) -> Expectation:
    if not isinstance(value, dict):
        raise Malformed(_WHAT, "expect is missing, or no object")
    _refuse_unknown(value, _EXPECTED)
    permitted, issued, code, line = (value.get(name) for name in ("permitted", "issued", "code", "denied_line"))
    if not isinstance(permitted, bool):
        raise Malformed(_WHAT, "expect.permitted is missing, or neither true nor false")
    if issued is not None and not isinstance(issued, dict):
        raise Malformed(_WHAT, "expect.issued is no object of claims")
    if code is not None and not isinstance(code, str):
        raise Malformed(_WHAT, "expect.code is no text")
    if line is not None and (not isinstance(line, int) or isinstance(line, bool)):
        raise Malformed(_WHAT, "expect.denied_line is no line number")
    if permitted and (code is not None or line is not None):
        raise Malformed(_WHAT, "expect: what is permitted has neither code nor denied_line")
    if not permitted and issued is not None:
        raise Malformed(_WHAT, "expect: what is not permitted issues nothing")
    return Expectation(permitted, issued, code, line)


def read_claims(value: JsonValue) -> ClaimSet:
    """Claims as a JSON list of objects, or an object of values by type; raises `Malformed`."""
    if isinstance(value, dict):
        pairs = ((key, one) for key, many in value.items() for one in (many if isinstance(many, list) else [many]))
        value = [{"type": key, "value": one} for key, one in pairs]
    if not isinstance(value, list):
        raise Malformed(_WHAT, "claims is neither a list of claims nor an object of them")
    return ClaimSet(_read_claim(index, one) for index, one in enumerate(value))


def _read_claim(index: int, value: JsonValue) -> Claim:
    place = f"claim {index}"
    if not isinstance(value, dict):
        raise Malformed(_WHAT, f"{place} is no object")
    _refuse_unknown(value, _CLAIM)
    found, stated = value.get("value"), value.get("valueType")
    issuer = value.get("issuer", Issuer.SERVICE.value)
    if issuer not in [known.value for known in Issuer]:
        raise Malformed(_WHAT, f"{place}: the issuer is none of {', '.join(known.value for known in Issuer)}")
    if not _is_claim_value(found):
        raise Malformed(_WHAT, f"{place}: the value is neither a string, a 64-bit integer nor a boolean")
    if stated is not None and stated != value_type(found).value:
        known = ", ".join(kind.value for kind in ValueType)
        raise Malformed(_WHAT, f"{place}: valueType {stated!r} is not that of the value ({known})")
    return Claim(_text(value, "type"), found, Issuer(issuer))


def _is_claim_value(value: JsonValue) -> TypeGuard[ClaimValue]:
    return isinstance(value, bool | str) or (isinstance(value, int) and _LEAST <= value <= _MOST)


def try_on_claims(text: str, claims: ClaimSet) -> Observed:
    """What a policy text makes of claims; a text that does not parse is observed too."""
    try:
        return observe_outcome(draft_policy(text).evaluate(claims))
    except AssayError as error:
        return observe_refusal(error)


def observe_outcome(outcome: PolicyOutcome) -> Observed:
    """What a policy that permitted gave."""
    return Observed(permitted=True, issued=issued_members(outcome.issued))


def observe_refusal(error: AssayError) -> Observed:
    """A refusal, by the policy or before it."""
    line = error.line if isinstance(error, PolicyDenied) else None
    return Observed(permitted=False, issued={}, code=error.code, denied_line=line, message=error.message)


def differences(expected: Expectation, observed: Observed) -> tuple[str, ...]:
    """In words, where the observed is not the expected; empty when the case passes."""
    found: list[str] = []
    if expected.permitted != observed.permitted:
        because = f" ({observed.code}: {observed.message})" if observed.code else ""
        words = {True: "permitted", False: "not permitted"}
        return (f"expected {words[expected.permitted]}, found {words[observed.permitted]}{because}",)
    if expected.code is not None and expected.code != observed.code:
        found.append(f"expected code {expected.code}, found {observed.code} ({observed.message})")
    if expected.denied_line is not None and expected.denied_line != observed.denied_line:
        where = "no deny rule" if observed.denied_line is None else f"line {observed.denied_line}"
        found.append(f"expected a denial by line {expected.denied_line}, found one by {where}")
    if expected.issued is not None:
        found += _issued_differences(expected.issued, observed.issued)
    return tuple(found)


def _issued_differences(expected: Mapping[str, JsonValue], observed: Mapping[str, JsonValue]) -> list[str]:
    texts = [{name: _json(value) for name, value in members.items()} for members in (expected, observed)]
    wanted, found = texts
    missing = [f"expected issued {name} {text}, found none" for name, text in wanted.items() if name not in found]
    other = [
        f"expected issued {name} {text}, found {found[name]}"
        for name, text in wanted.items()
        if found.get(name, text) != text
    ]
    return [*missing, *other, *(f"issued unexpectedly: {name} {found[name]}" for name in found if name not in wanted)]


def _json(value: JsonValue) -> str:
    """JSON text tells `1` from `true`, which Python does not."""
    return strict_json.encode_compact(value).decode("utf-8")

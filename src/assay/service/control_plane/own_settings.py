"""What a provider can be told here and not at Azure: the member `assay` of a resource's properties."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeVar

from assay.errors import ConfigurationError, MalformedRequest
from assay.evidence.platform_rules import PlatformRules
from assay.evidence.rule_document import decode_rules
from assay.service.config import read_accepted_tcb, read_algorithm, read_base_url
from assay.store import ProviderSettings, TrustModel, encode_settings

if TYPE_CHECKING:
    from assay.formats.strict_json import JsonValue

OWN: Final = "assay"
ReadT = TypeVar("ReadT")
# As `assay serve --token-lifetime`: a minute to a year.
_LIFETIMES: Final = range(1, 525_601)


@dataclass(frozen=True, slots=True)
class OwnSettings:
    """The settings that a body names; `named` are the ones it names, null among them, which means the operator's."""

    named: frozenset[str] = frozenset()
    base_url: str | None = None
    token_lifetime: int | None = None
    algorithm: str | None = None
    accepted_tcb: tuple[str, ...] | None = None
    allow_debug: bool | None = None
    strict: bool | None = None
    platform_rules: Mapping[str, JsonValue] | None = None
    allow_policy_replay: bool = False
    shared: bool = False

    def applied(self, settings: ProviderSettings) -> ProviderSettings:
        """The settings with those that are named."""
        changed = {name: getattr(self, name) for name in self.named if name != "shared"}
        return replace(settings, **changed)


def read_own_settings(value: JsonValue) -> OwnSettings:
    """The member of a body; raises `MalformedRequest` for names and values that are none."""
    if value is None:
        return OwnSettings()
    if not isinstance(value, dict):
        raise MalformedRequest(OWN, "not an object")
    read: dict[str, object] = {}
    for name, member in value.items():
        setting = _SETTINGS.get(name.lower())
        if setting is None:
            raise MalformedRequest(OWN, f"no setting {name[:60]!r}; there are {', '.join(_WIRE.values())}")
        read[setting] = None if member is None and setting not in _PLAIN else _READERS[setting](name, member)
    return OwnSettings(named=frozenset(read), **read)  # type: ignore[arg-type]  # each reader gives its member's type


def encode_own_settings(settings: ProviderSettings) -> JsonValue:
    """The member of an answer: what deviates from the operator's options."""
    stored = encode_settings(settings)
    stored["shared"] = settings.trust_model is TrustModel.SHARED
    return {wire: stored[name] for name, wire in _WIRE.items() if stored.get(name) not in (None, False)}


def _text(name: str, value: JsonValue) -> str:
    if not isinstance(value, str):
        raise MalformedRequest(name, "not text")
    return value


def _flag(name: str, value: JsonValue) -> bool:
    if not isinstance(value, bool):
        raise MalformedRequest(name, "neither true nor false")
    return value


def _lifetime(name: str, value: JsonValue) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value not in _LIFETIMES:
        raise MalformedRequest(name, "minutes, from 1 to 525600")
    return value


def _statuses(name: str, value: JsonValue) -> tuple[str, ...]:
    texts = [_text(name, each) for each in value] if isinstance(value, list) else [_text(name, value)]
    return tuple(sorted(status.value for status in _configured(name, read_accepted_tcb, ",".join(texts))))


def _algorithm(name: str, value: JsonValue) -> str:
    return _configured(name, read_algorithm, _text(name, value))


def _base_url(name: str, value: JsonValue) -> str:
    return _configured(name, read_base_url, _text(name, value))


def _rules(name: str, value: JsonValue) -> Mapping[str, JsonValue]:
    """The document as it was sent, once it is shown to be one of rules."""
    if not isinstance(value, dict):
        raise MalformedRequest(name, "not an object")
    try:
        decode_rules(value, PlatformRules())
    except ConfigurationError as error:
        raise MalformedRequest(name, error.message) from error
    return value


def _configured(name: str, read: Callable[[str], ReadT], text: str) -> ReadT:
    try:
        return read(text)
    except ConfigurationError as error:
        raise MalformedRequest(name, error.message) from error


_WIRE: Final[Mapping[str, str]] = {
    "base_url": "baseUrl",
    "token_lifetime": "tokenLifetimeInMinutes",
    "algorithm": "signingAlgorithm",
    "accepted_tcb": "acceptedTcbStatuses",
    "allow_debug": "allowDebug",
    "strict": "strict",
    "platform_rules": "platformRules",
    "allow_policy_replay": "allowPolicyReplay",
    "shared": "shared",
}
_SETTINGS: Final = {wire.lower(): name for name, wire in _WIRE.items()}
_READERS: Final[Mapping[str, Callable[[str, JsonValue], object]]] = {
    "base_url": _base_url,
    "token_lifetime": _lifetime,
    "algorithm": _algorithm,
    "accepted_tcb": _statuses,
    "allow_debug": _flag,
    "strict": _flag,
    "platform_rules": _rules,
    "allow_policy_replay": _flag,
    "shared": _flag,
}
_PLAIN: Final = frozenset({"allow_policy_replay", "shared"})

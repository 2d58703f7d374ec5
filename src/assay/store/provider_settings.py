"""The settings of a provider: its trust model, where it answers, what it deviates from the operator's options in."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Final

from assay.formats.strict_json import JsonValue


class TrustModel(str, Enum):
    """Who may change the policies of a provider (rest-api 8.1); fixed when the provider is created."""

    AAD = "AAD"
    ISOLATED = "Isolated"
    SHARED = "Shared"


_EMPTY: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """What makes one provider differ from another; None means the operator's option of `assay serve`.

    `base_url` is None for an address made from the installation's. `token_lifetime` is in minutes. `accepted_tcb` are
    TCB statuses by name, `platform_rules` a document of rules. `allow_policy_replay` admits older signed policies again
    (attack case POL-02).
    """

    trust_model: TrustModel = TrustModel.AAD
    base_url: str | None = None
    location: str = "local"
    subscription: str = "local"
    resource_group: str = "local"
    tags: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    public_network_access: bool = True
    tpm_authentication: bool = True
    token_lifetime: int | None = None
    algorithm: str | None = None
    accepted_tcb: tuple[str, ...] | None = None
    allow_debug: bool | None = None
    strict: bool | None = None
    platform_rules: Mapping[str, JsonValue] | None = None
    allow_policy_replay: bool = False


_DEFAULT: Final = ProviderSettings()
_NAMES: Final = tuple(each.name for each in dataclasses.fields(ProviderSettings))


def encode_settings(settings: ProviderSettings) -> dict[str, JsonValue]:
    """The settings that are not the default, as JSON."""
    values = {name: getattr(settings, name) for name in _NAMES}
    return {name: _encode(value) for name, value in values.items() if value != getattr(_DEFAULT, name)}


def _encode(value: object) -> JsonValue:
    """A setting as JSON: an enumeration by its value, a tuple as a list."""
    match value:
        case TrustModel():
            return value.value
        case tuple():
            return [str(each) for each in value]
        case Mapping():
            return dict(value)
        case bool() | int() | str() | None:
            return value
        case _:
            raise TypeError(f"a setting of type {type(value).__name__}")


def decode_settings(stored: object) -> ProviderSettings:
    """The settings of a row; raises `ValueError` for what `encode_settings` does not write."""
    if not isinstance(stored, dict):
        raise ValueError("not an object")  # noqa: TRY004  # a value of the database, not an argument
    unknown = set(stored) - set(_NAMES)
    if unknown:
        raise ValueError(f"unknown members {', '.join(sorted(map(str, unknown)))}: written by a newer version?")
    values = dict(stored)
    if "trust_model" in values:
        values["trust_model"] = TrustModel(values["trust_model"])
    if values.get("accepted_tcb") is not None:
        values["accepted_tcb"] = tuple(map(str, values["accepted_tcb"]))
    if not isinstance(values.get("platform_rules"), dict | None):
        raise ValueError("platform_rules: not an object")  # noqa: TRY004  # a value of the database, not an argument
    if "tags" in values:
        values["tags"] = {str(name): str(value) for name, value in values["tags"].items()}
    return ProviderSettings(**values)

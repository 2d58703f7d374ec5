"""Providers as JSON resources: what a body asks for, what an answer shows (rest-api 14)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from assay import limits
from assay.errors import InvalidOperation, MalformedRequest
from assay.policy.signers import read_x5c, require_signer_chain
from assay.service.control_plane.addresses import NAMESPACE, RESOURCE
from assay.service.control_plane.own_settings import OWN, OwnSettings, encode_own_settings, read_own_settings
from assay.store import ProviderSettings, TrustModel

if TYPE_CHECKING:
    from assay.formats.strict_json import JsonValue
    from assay.service.control_plane.addresses import Address
    from assay.service.provider import Provider

# As the names of real providers, which are host labels; the lower-case form is the one that is kept.
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{1,22}[a-z0-9]")
_SWITCH: Final = {"enabled": True, "disabled": False}
# Own: Azure admits 50 tags of 512 and 256 characters.
_TAGS: Final = 50
_TAG: Final = 512


@dataclass(frozen=True, slots=True)
class Requested:
    """What a body asks for; None where it says nothing. `signers` are chains of `x5c`, empty for no isolation."""

    location: str | None
    tags: Mapping[str, str] | None
    public_network_access: bool | None
    tpm_authentication: bool | None
    signers: tuple[tuple[str, ...], ...] | None
    own: OwnSettings

    def applied(self, settings: ProviderSettings) -> ProviderSettings:
        """The settings with what is asked for; the location is fixed when the provider is made."""
        network, tpm = self.public_network_access, self.tpm_authentication
        return replace(
            self.own.applied(settings),
            tags=settings.tags if self.tags is None else self.tags,
            public_network_access=settings.public_network_access if network is None else network,
            tpm_authentication=settings.tpm_authentication if tpm is None else tpm,
        )

    def created(self, address: Address) -> ProviderSettings:
        """The settings of a new provider; certificates make it isolated (rest-api 8.1)."""
        made = ProviderSettings(
            trust_model=self._trust_model(),
            location=self.location or "local",
            subscription=address.subscription,
            resource_group=address.group,
        )
        return self.applied(made)

    def _trust_model(self) -> TrustModel:
        if self.own.shared:
            if self.signers:
                raise InvalidOperation("a shared provider has default policies only, and so no signers")
            return TrustModel.SHARED
        return TrustModel.ISOLATED if self.signers else TrustModel.AAD


def require_name(name: str) -> None:
    """Raises `MalformedRequest` for a name that no provider can have."""
    if not _NAME.fullmatch(name):
        raise MalformedRequest("name", "3 to 24 letters, digits and hyphens, no hyphen at the ends")


def read_requested(members: Mapping[str, JsonValue]) -> Requested:
    """The body of PUT and PATCH, member names in lower case; raises `MalformedRequest`, and what signers raise."""
    properties = {name.lower(): value for name, value in _object(members.get("properties"), "properties").items()}
    location = members.get("location")
    if location is not None and not isinstance(location, str):
        raise MalformedRequest("location", "not text")
    return Requested(
        location=location,
        tags=_tags(members.get("tags")),
        public_network_access=_switch(properties, "publicNetworkAccess"),
        tpm_authentication=_switch(properties, "tpmAttestationAuthentication"),
        signers=_signers(properties.get("policysigningcertificates")),
        own=read_own_settings(properties.get(OWN.lower())),
    )


def _object(value: JsonValue, name: str) -> Mapping[str, JsonValue]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise MalformedRequest(name, "not an object")
    return value


def _tags(value: JsonValue) -> Mapping[str, str] | None:
    if value is None:
        return None
    tags = {name: text for name, text in _object(value, "tags").items() if isinstance(text, str)}
    if len(tags) != len(_object(value, "tags")):
        raise MalformedRequest("tags", "a tag that is not text")
    if len(tags) > _TAGS or any(len(part) > _TAG for tag in tags.items() for part in tag):
        raise MalformedRequest("tags", f"more than {_TAGS} tags, or one longer than {_TAG} characters")
    return tags


def _switch(properties: Mapping[str, JsonValue], name: str) -> bool | None:
    value = properties.get(name.lower())
    if value is None:
        return None
    switched = _SWITCH.get(value.lower()) if isinstance(value, str) else None
    if switched is None:
        raise MalformedRequest(name, "neither Enabled nor Disabled")
    return switched


def _signers(value: JsonValue) -> tuple[tuple[str, ...], ...] | None:
    if value is None:
        return None
    keys = _object(value, "policySigningCertificates").get("keys")
    if not isinstance(keys, list) or len(keys) > limits.KEY_SET_KEYS:
        raise MalformedRequest("policySigningCertificates", "a JSON web key set is required")
    chains = []
    for key in keys:
        chain = read_x5c(_object(key, "key").get("x5c"), "policySigningCertificates: each key needs x5c")
        require_signer_chain(chain)
        chains.append(chain)
    return tuple(chains)


def encode_provider(provider: Provider) -> dict[str, JsonValue]:
    """The resource of a provider."""
    settings = provider.settings
    scope = f"/subscriptions/{settings.subscription}/resourceGroups/{settings.resource_group}/"
    properties: dict[str, JsonValue] = {
        "attestUri": provider.base_url,
        "publicNetworkAccess": _encode_switch(on=settings.public_network_access),
        "status": "Ready",
        "tpmAttestationAuthentication": _encode_switch(on=settings.tpm_authentication),
        "trustModel": "Isolated" if provider.is_isolated else "AAD",
        OWN: encode_own_settings(settings),
    }
    return {
        "id": f"{'' if provider.is_shared else scope}providers/{RESOURCE}/{provider.name}",
        "name": provider.name,
        "type": RESOURCE,
        "location": settings.location,
        "tags": dict(settings.tags),
        "properties": properties,
    }


def _encode_switch(*, on: bool) -> str:
    return "Enabled" if on else "Disabled"


def encode_operations() -> dict[str, JsonValue]:
    """The list of operations that roles are about (rest-api section 3)."""
    described = {
        "attestationProviders/read": "Read providers",
        "attestationProviders/write": "Create and change providers",
        "attestationProviders/delete": "Delete providers",
        "attestationProviders/attestation/read": "Read policies and policy management certificates",
        "attestationProviders/attestation/write": "Set policies, add policy management certificates",
        "attestationProviders/attestation/delete": "Reset policies, remove policy management certificates",
    }
    operations: list[JsonValue] = [
        {
            "name": f"{NAMESPACE}/{name}",
            "display": {
                "provider": NAMESPACE,
                "resource": "Attestation providers",
                "operation": text,
                "description": text,
            },
        }
        for name, text in described.items()
    ]
    return {"value": operations}

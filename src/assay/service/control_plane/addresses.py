"""What a path of the resource provider is about (rest-api 14); its fixed segments compare without regard to case."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

NAMESPACE: Final = "Microsoft.Attestation"
RESOURCE: Final = f"{NAMESPACE}/attestationProviders"


class Subject(Enum):
    """The kinds of things that the resource provider answers for."""

    OPERATIONS = "operations"
    PROVIDERS = "attestationProviders"
    PROVIDER = "attestationProviders/{name}"
    DEFAULT_PROVIDERS = "defaultProviders"
    DEFAULT_PROVIDER = "locations/{location}/defaultProvider"
    CONNECTIONS = "privateEndpointConnections"
    CONNECTION = "privateEndpointConnections/{connection}"
    LINK_RESOURCES = "privateLinkResources"


@dataclass(frozen=True, slots=True)
class Address:
    """A parsed path; what it does not name is empty. The provider's name is in lower case."""

    subject: Subject
    subscription: str = ""
    group: str = ""
    name: str = ""
    location: str = ""


_SEGMENT: Final = r"[^/]{1,100}"
_SCOPE: Final = rf"/subscriptions/(?P<subscription>{_SEGMENT})"
_GROUP: Final = rf"{_SCOPE}/resourceGroups/(?P<group>{_SEGMENT})"
_OURS: Final = rf"/providers/{re.escape(NAMESPACE)}"
_NAMED: Final = rf"{_GROUP}{_OURS}/attestationProviders/(?P<name>{_SEGMENT})"
_PATTERNS: Final = tuple(
    (subject, re.compile(pattern, re.IGNORECASE))
    for subject, pattern in (
        (Subject.OPERATIONS, rf"{_OURS}/operations"),
        (Subject.PROVIDERS, rf"{_GROUP}{_OURS}/attestationProviders"),
        (Subject.PROVIDERS, rf"{_SCOPE}{_OURS}/attestationProviders"),
        (Subject.PROVIDER, _NAMED),
        (Subject.DEFAULT_PROVIDERS, rf"{_SCOPE}{_OURS}/defaultProviders"),
        (Subject.DEFAULT_PROVIDER, rf"{_SCOPE}{_OURS}/locations/(?P<location>{_SEGMENT})/defaultProvider"),
        (Subject.CONNECTIONS, rf"{_NAMED}/privateEndpointConnections"),
        (Subject.CONNECTION, rf"{_NAMED}/privateEndpointConnections/{_SEGMENT}"),
        (Subject.LINK_RESOURCES, rf"{_NAMED}/privateLinkResources"),
    )
)


def parse_address(path: str) -> Address | None:
    """The address of a path, or None when the resource provider has nothing there."""
    for subject, pattern in _PATTERNS:
        found = pattern.fullmatch(path.rstrip("/"))
        if found is not None:
            parts = found.groupdict()
            parts["name"] = parts.get("name", "").lower()
            return Address(subject, **parts)
    return None

"""`AttestationInfo`: what a guest of Azure sends about its boot, its vTPM and its isolation (tpm-and-guest 3.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from assay import limits
from assay.errors import LimitExceeded, MalformedEvidence, UnsupportedEvidence
from assay.evidence._tcg.event_log import EventLog, parse_event_log
from assay.evidence.azure_guest.isolation import Isolation, parse_isolation
from assay.evidence.azure_guest.members import Members
from assay.evidence.azure_guest.tpm_info import TpmInfo, parse_tpm_info
from assay.formats import strict_json
from assay.formats.strict_json import JsonError, JsonValue

_WHAT: Final = "AttestationInfo"
_VERSIONS: Final = ("1.0", "2.0")


class OperatingSystem(NamedTuple):
    """What the guest says of its system, unmeasured; None where it says nothing."""

    type: str
    distro: str | None
    build: str | None
    major: int | None
    minor: int | None

    @property
    def is_windows(self) -> bool:
        return self.type.lower() == "windows"


class AttestationInfo(NamedTuple):
    """A parsed request; `client_payload` is copied into the token as it was sent."""

    octets: bytes
    version: str
    system: OperatingSystem
    log: EventLog
    client_payload: Mapping[str, JsonValue]
    tpm: TpmInfo
    isolation: Isolation


def parse_attestation_info(content: bytes) -> AttestationInfo:
    """The parsed JSON of a request; unknown members are ignored.

    Raises `MalformedEvidence`, `LimitExceeded`, and `UnsupportedEvidence` for other protocol versions and isolations.
    """
    if len(content) > limits.GUEST_REQUEST_BODY:
        raise LimitExceeded(f"{_WHAT}, octets", limit=limits.GUEST_REQUEST_BODY, found=len(content))
    try:
        members = Members(strict_json.decode_object(content))
    except JsonError as error:
        raise MalformedEvidence(_WHAT, str(error)) from error
    version = _version(members)
    return AttestationInfo(
        content,
        version,
        _system(members),
        parse_event_log(members.octets("TcgLogs", limits.EVENT_LOG)),
        _client_payload(members),
        parse_tpm_info(members.object("TpmInfo")),
        parse_isolation(members, version),
    )


def _version(members: Members) -> str:
    version = members.get("AttestationProtocolVersion")
    if not isinstance(version, str) or version not in _VERSIONS:
        raise UnsupportedEvidence(
            _WHAT, f"protocol version {str(version)[:20]!r}, expected 1.0 or 2.0", code="UnsupportedProtocolVersion"
        )
    return version


def _system(members: Members) -> OperatingSystem:
    kind = members.text("OSType")
    if not kind:
        raise MalformedEvidence(_WHAT, "OSType is absent")
    return OperatingSystem(
        kind,
        members.text("OSDistro"),
        members.text("OSBuild"),
        members.number("OSVersionMajor"),
        members.number("OSVersionMinor"),
    )


def _client_payload(members: Members) -> Mapping[str, JsonValue]:
    value = members.get("ClientPayload")
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise MalformedEvidence(_WHAT, "ClientPayload is not an object")
    if len(value) > limits.GUEST_PAYLOAD_NAMES:
        raise LimitExceeded("ClientPayload, names", limit=limits.GUEST_PAYLOAD_NAMES, found=len(value))
    size = len(strict_json.encode_compact(value))
    if size > limits.GUEST_PAYLOAD:
        raise LimitExceeded("ClientPayload, octets", limit=limits.GUEST_PAYLOAD, found=size)
    return value

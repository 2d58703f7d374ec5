"""Reading the members of a request's JSON: each of its type, octets in unpadded base64url."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from assay.errors import MalformedEvidence
from assay.formats import base64url, strict_json
from assay.formats.strict_json import JsonError, JsonValue

WHAT: Final = "attestation request"
Members = Mapping[str, JsonValue]


def decode_object(content: bytes, what: str = WHAT) -> dict[str, JsonValue]:
    """A JSON object from strangers; raises `MalformedEvidence`."""
    try:
        return strict_json.decode_object(content)
    except JsonError as error:
        raise MalformedEvidence(what, str(error)) from error


def required_object(members: Members, name: str) -> Members:
    """The object under a name; raises `MalformedEvidence`."""
    value = members.get(name)
    if not isinstance(value, dict):
        raise MalformedEvidence(WHAT, f"{name} is not an object")
    return value


def optional_object(members: Members, name: str) -> Members | None:
    """The object under a name, None where it is absent or null."""
    return None if members.get(name) is None else required_object(members, name)


def optional_list(members: Members, name: str) -> list[Members]:
    """A list of objects, empty where it is absent or null."""
    value = members.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise MalformedEvidence(WHAT, f"{name} is not a list")
    objects = [each for each in value if isinstance(each, dict)]
    if len(objects) != len(value):
        raise MalformedEvidence(WHAT, f"{name} holds something that is no object")
    return [*objects]


def required_text(members: Members, name: str) -> str:
    """The text under a name; raises `MalformedEvidence`."""
    value = members.get(name)
    if not isinstance(value, str):
        raise MalformedEvidence(WHAT, f"{name} is not text")
    return value


def optional_text(members: Members, name: str) -> str | None:
    """The text under a name, None where it is absent or null."""
    return None if members.get(name) is None else required_text(members, name)


def required_octets(members: Members, name: str) -> bytes:
    """Octets in unpadded base64url (tpm-and-guest 0.2)."""
    try:
        return base64url.decode_strict(required_text(members, name))
    except base64url.Base64Error as error:
        raise MalformedEvidence(WHAT, f"{name}: {error}") from error


def optional_octets(members: Members, name: str) -> bytes:
    """As `required_octets`, empty where the member is absent or null."""
    return b"" if members.get(name) is None else required_octets(members, name)


def required_integer(members: Members, name: str) -> int:
    """The whole number under a name; a Boolean is none."""
    value = members.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise MalformedEvidence(WHAT, f"{name} is not a whole number")
    return value

"""Runtime claims of a confidential VM: keys of its vTPM and its configuration, hashed into the hardware report."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from enum import IntEnum
from typing import Final, NamedTuple

from assay import limits
from assay.errors import LimitExceeded, MalformedEvidence
from assay.formats import base64url, strict_json
from assay.formats.base64url import Base64Error
from assay.formats.strict_json import JsonError, JsonValue
from assay.verdict import Mismatch, Seen

_WHAT: Final = "runtime claims"
ATTESTATION_KEY: Final = "HCLAkPub"
_REPORT_DATA: Final = 64


class HashType(IntEnum):
    """Which hash of the claims the hardware report holds."""

    SHA256 = 1
    SHA384 = 2
    SHA512 = 3

    def digest(self, content: bytes) -> bytes:
        return hashlib.new(self.name.lower(), content).digest()


class RsaNumbers(NamedTuple):
    """An RSA public key as two numbers, however it was spelled."""

    modulus: int
    exponent: int


class RuntimeClaims(NamedTuple):
    """The claims exactly as received, their members, and the one attestation key among their keys."""

    content: bytes
    members: Mapping[str, JsonValue]
    attestation_key: RsaNumbers

    @property
    def vm_unique_id(self) -> str | None:
        """The identifier of the VM, when the paravisor states one."""
        configuration = self.members.get("vm-configuration")
        value = configuration.get("vmUniqueId") if isinstance(configuration, dict) else None
        return value if isinstance(value, str) else None


def parse_runtime_claims(content: bytes) -> RuntimeClaims:
    """The claims: an open object with exactly one RSA key of kid HCLAkPub (tpm-and-guest 4.3, attack case AZ-06).

    Raises `MalformedEvidence` and `LimitExceeded`.
    """
    if len(content) > limits.HCL_REPORT:
        raise LimitExceeded(f"{_WHAT}, octets", limit=limits.HCL_REPORT, found=len(content))
    try:
        members = strict_json.decode_object(content)
    except JsonError as error:
        raise MalformedEvidence(_WHAT, str(error)) from error
    keys = members.get("keys")
    if not isinstance(keys, list):
        raise MalformedEvidence(_WHAT, "no array of keys")
    found = [key for key in keys if isinstance(key, dict) and key.get("kid") == ATTESTATION_KEY]
    if len(found) != 1:
        raise MalformedEvidence(_WHAT, f"{len(found)} keys named {ATTESTATION_KEY} instead of one")
    return RuntimeClaims(content, members, _rsa_numbers(found[0]))


def _rsa_numbers(key: Mapping[str, JsonValue]) -> RsaNumbers:
    if key.get("kty") != "RSA":
        raise MalformedEvidence(_WHAT, f"{ATTESTATION_KEY} is not an RSA key")
    return RsaNumbers(_number(key, "n"), _number(key, "e"))


def _number(key: Mapping[str, JsonValue], name: str) -> int:
    value = key.get(name)
    if not isinstance(value, str) or not value:
        raise MalformedEvidence(_WHAT, f"{ATTESTATION_KEY} has no {name}")
    try:
        return int.from_bytes(base64url.decode_strict(value), "big")
    except Base64Error as error:
        raise MalformedEvidence(_WHAT, f"{name} of {ATTESTATION_KEY}: {error}") from error


def verify_binding(claims: bytes, report_data: bytes, hash_type: HashType | None = None) -> Seen:
    """Whether the report data is the hash of the claims and zeros after it; raises `Mismatch` when not.

    Without the hash type, which AzureGuest does not transmit, the zeros tell it (tpm-and-guest 4.2).
    """
    chosen = hash_type or _hash_type_of(report_data)
    expected = chosen.digest(claims).ljust(_REPORT_DATA, b"\x00")
    if report_data != expected:
        raise Mismatch(f"report data {report_data.hex()}", f"{chosen.name} of the runtime claims: {expected.hex()}")
    return Seen(report_data, f"{chosen.name} of the runtime claims, then zeros")


def _hash_type_of(report_data: bytes) -> HashType:
    if not any(report_data[32:]):
        return HashType.SHA256
    return HashType.SHA384 if not any(report_data[48:]) else HashType.SHA512

"""What a verified guest says to a policy and in the token (tpm-and-guest 3.5, claims 6)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from assay.claims import ClaimSet, ClaimValue
from assay.evidence._tcg.boot_claims import WindowsBoot, secure_boot, windows_boot
from assay.evidence.azure_guest.attestation_info import AttestationInfo, OperatingSystem
from assay.evidence.azure_guest.verify import VerifiedGuest
from assay.evidence.base import Statement
from assay.formats import base64url, strict_json
from assay.formats.strict_json import JsonValue

ATTESTATION_TYPE: Final = "azurevm"
_PREFIX: Final = "x-ms-azurevm-"
_PCRS: Final = f"{_PREFIX}attested-pcrs"
_GUID: Final = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\Z")


def azure_guest_claims(verified: VerifiedGuest) -> Statement:
    """The claims of the boot, of the guest about itself, and of its hardware.

    A policy reads each quoted PCR as a claim of its own (policy-language Q19), and from version 1.2 on the objects as
    compact JSON (Q18, claims C10).
    """
    info = verified.info
    scalars = _scalars(verified)
    pcrs = sorted(info.tpm.pcrs.values)
    objects: dict[str, JsonValue] = {"x-ms-runtime": _runtime(info)}
    marks = {"simulator"} if verified.simulated else set()
    if verified.hardware is not None:
        objects["x-ms-isolation-tee"] = _isolation(info, verified.hardware)
        marks.update(verified.hardware.marks)
    texts = ((name, strict_json.encode_compact(value).decode("utf-8")) for name, value in objects.items())
    incoming = ClaimSet.of_service((*scalars.items(), *((_PCRS, index) for index in pcrs), *texts))
    members: dict[str, JsonValue] = {**scalars, _PCRS: [*pcrs], **objects}
    return Statement(incoming, members, _recipient(info), tuple(sorted(marks)), from_1_2=frozenset(objects))


def _scalars(verified: VerifiedGuest) -> dict[str, ClaimValue]:
    info, keys = verified.info, verified.keys
    boot = windows_boot(verified.measured)
    own: dict[str, ClaimValue] = {
        "attestation-protocol-ver": info.version,
        "is-windows": boot.is_measured and info.system.is_windows,
        "default-securebootkeysvalidated": keys.are_defaults,
        "dbvalidated": keys.db.is_known,
        "dbxvalidated": keys.dbx.is_known,
        **_windows(boot, may_hide=not (boot.is_measured or info.system.is_windows)),
        **dict(_system(info.system)),
    }
    identifier = _vm_identifier(info)
    if identifier is not None:
        own["vmid"] = identifier
    named = {f"{_PREFIX}{name}": value for name, value in own.items()}
    return {"x-ms-attestation-type": ATTESTATION_TYPE, "secureboot": secure_boot(verified.measured), **named}


def _windows(boot: WindowsBoot, *, may_hide: bool) -> Mapping[str, ClaimValue]:
    """The settings of a Windows boot; another system may extend its PCRs with what this log does not show."""
    debuggers = (boot.boot_debugging, boot.kernel_debugging, boot.hypervisor_debugging)
    signing = (boot.test_signing, boot.flight_signing)
    return {
        "bootdebug-enabled": boot.boot_debugging,
        "kerneldebug-enabled": boot.kernel_debugging,
        "hypervisordebug-enabled": boot.hypervisor_debugging,
        "debuggersdisabled": boot.debuggers_disabled or (may_hide and not any(debuggers)),
        "testsigning-enabled": boot.test_signing,
        "flightsigning-enabled": boot.flight_signing,
        "signingdisabled": boot.signing_disabled or (may_hide and not any(signing)),
        "elam-enabled": boot.elam,
        "hvci-policy": boot.hvci_policy,
    }


def _system(system: OperatingSystem) -> Iterator[tuple[str, ClaimValue]]:
    """What the guest says of its system, where it says it; nothing measures it."""
    stated = {
        "ostype": system.type,
        "osdistro": system.distro,
        "osbuild": system.build,
        "osversion-major": system.major,
        "osversion-minor": system.minor,
    }
    return ((name, value) for name, value in stated.items() if value is not None)


def _vm_identifier(info: AttestationInfo) -> str | None:
    """The VM's identifier: of the paravisor, or of the certificate's subject where that is a GUID (9, row 19)."""
    if info.isolation.proof is not None:
        stated = info.isolation.proof.runtime_claims.vm_unique_id
        return None if stated is None else stated.upper()
    name = info.tpm.certificate.common_name
    return name.upper() if _GUID.match(name) else None


def _runtime(info: AttestationInfo) -> JsonValue:
    """The payload as it was sent, and the key that the answer is sealed to."""
    runtime: dict[str, JsonValue] = {"keys": [_encryption_key(info)]}
    if info.client_payload:
        runtime["client-payload"] = dict(info.client_payload)
    return runtime


def _encryption_key(info: AttestationInfo) -> JsonValue:
    numbers = _rsa(info).public_numbers()
    return {
        "kid": "TpmEphemeralEncryptionKey",
        "kty": "RSA",
        "key_ops": ["encrypt"],
        "e": _number(numbers.e),
        "n": _number(numbers.n),
    }


def _number(value: int) -> str:
    return base64url.encode(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def _recipient(info: AttestationInfo) -> bytes:
    return _rsa(info).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _rsa(info: AttestationInfo) -> RSAPublicKey:
    key = info.tpm.encryption_key.key
    if not isinstance(key, RSAPublicKey):
        raise TypeError("verification admits RSA encryption keys only")
    return key


def _isolation(info: AttestationInfo, hardware: Statement) -> JsonValue:
    """What the hardware's own token would say, without its envelope, and the runtime claims whatever their hash."""
    if info.isolation.proof is None:
        raise TypeError("hardware was verified without a proof of it")
    return {**hardware.members, "x-ms-runtime": dict(info.isolation.proof.runtime_claims.members)}

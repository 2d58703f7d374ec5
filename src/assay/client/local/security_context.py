"""What a confidential container on Azure finds beside its report: the directory of its security context (11.1)."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Final, NamedTuple

from assay import limits
from assay.endorsements.amd.spellings import read_certificates
from assay.errors import LimitExceeded, MalformedEndorsement
from assay.formats import strict_json
from assay.formats.strict_json import JsonError
from assay.pki.certificate import Certificate

if TYPE_CHECKING:
    from assay.client.local.machine import Machine

# Where the environment names none (self-attestation 5): a directory at the root by its prefix, or that of Kata.
_PREFIX: Final = "security-context-"
_KATA: Final = "/opt/confidential-containers/share/kata-containers"
POLICY: Final = "security-policy-base64"
REFERENCE: Final = "reference-info-base64"
HOST_CERTIFICATES: Final = "host-amd-cert-base64"


class HostCertificates(NamedTuple):
    """The host's cached certificates, and the TCB they are for, in the vendor's hexadecimal."""

    chain: tuple[Certificate, ...]
    tcb: str


class SecurityContext(NamedTuple):
    """The decoded files of the directory, each None where it is absent or unreadable; `notes` say what was wrong."""

    policy: bytes | None = None
    uvm_endorsements: bytes | None = None
    certificates: HostCertificates | None = None
    notes: tuple[str, ...] = ()


def find_context_directory(machine: Machine) -> str | None:
    """The directory of the security context: the environment's, else one of the usual places, else None."""
    if machine.context_directory is not None:
        return machine.context_directory
    try:
        names = machine.files.list_directory("/")
    except OSError:
        names = ()
    candidates = (*(f"/{name}" for name in names if name.startswith(_PREFIX)), _KATA)
    return next((path for path in candidates if machine.files.exists(f"{path}/{REFERENCE}")), None)


def read_security_context(machine: Machine) -> SecurityContext:
    """What the directory holds; nothing of it is believed here, and what is unreadable is left out with a note."""
    directory = find_context_directory(machine)
    if directory is None:
        return SecurityContext()
    notes: list[str] = []
    policy = _read(machine, f"{directory}/{POLICY}", notes)
    reference = _read(machine, f"{directory}/{REFERENCE}", notes)
    host = _read(machine, f"{directory}/{HOST_CERTIFICATES}", notes)
    certificates = None if host is None else _read_certificates(host, notes)
    return SecurityContext(policy, reference, certificates, tuple(notes))


def _read(machine: Machine, path: str, notes: list[str]) -> bytes | None:
    if not machine.files.exists(path):
        return None
    try:
        content = machine.files.read(path, limits.REQUEST_BODY)
        return base64.b64decode(b"".join(content.split()), validate=True)
    except (OSError, LimitExceeded, binascii.Error) as error:
        notes.append(f"{path} is left out: {error}")
        return None


def _read_certificates(content: bytes, notes: list[str]) -> HostCertificates | None:
    """The JSON of the host's certificate cache (quote-verification 10)."""
    try:
        chain = read_certificates(content, HOST_CERTIFICATES, MalformedEndorsement)
        tcb = strict_json.decode_object(content).get("tcbm")
    except (JsonError, MalformedEndorsement, LimitExceeded) as error:
        notes.append(f"{HOST_CERTIFICATES} is left out: {error}")
        return None
    if not isinstance(tcb, str):
        notes.append(f"{HOST_CERTIFICATES} is left out: tcbm is missing or not a string")
        return None
    return HostCertificates(chain, tcb.lower())

"""Certificates of authorities over TPM keys that come with the package, as candidates for paths.

The certificate of an Azure virtual TPM's attestation key comes alone (tpm-and-guest 3.1 and 3.3): what stands above it
must be at hand. None is believed for being here: a path ends at a pinned root (`TrustAnchors.find_tpm_root`).
"""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from assay.errors import MalformedEndorsement
from assay.formats import pem
from assay.pki.certificate import Certificate, parse_certificate

# certificates/README.md says who published each, and until when it is valid.
_NAMES: Final = (
    "azure-virtual-tpm-root-2023.pem",
    "global-virtual-tpm-ca-03.pem",
    "microsoft-rsa-devices-root-2021.pem",
    "simulator-tpm-root.pem",
    "simulator-tpm-ca.pem",
)


def _read(name: str) -> Certificate:
    content = (files(__package__) / "certificates" / name).read_bytes()
    (der,) = pem.decode_certificates(content, name, MalformedEndorsement)
    return parse_certificate(der)


PACKAGED_AUTHORITIES: Final = tuple(map(_read, _NAMES))

"""The simulator's authorities over TPM keys, as candidates for paths; vendors' come from the operator.

The certificate of an Azure virtual TPM's attestation key comes alone (tpm-and-guest 3.1 and 3.3): the operator puts
what stands above it into a trust directory. None is believed for being at hand: a path ends at a root that is pinned by
its key (`TrustAnchors.find_tpm_root`).
"""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from assay.errors import MalformedEndorsement
from assay.formats import pem
from assay.pki.certificate import Certificate, parse_certificate

_NAMES: Final = (
    "simulator-tpm-root.pem",
    "simulator-tpm-ca.pem",
)


def _read(name: str) -> Certificate:
    content = (files(__package__) / "certificates" / name).read_bytes()
    (der,) = pem.decode_certificates(content, name, MalformedEndorsement)
    return parse_certificate(der)


PACKAGED_AUTHORITIES: Final = tuple(map(_read, _NAMES))

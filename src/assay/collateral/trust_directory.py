"""Trust directories: the operator's own roots, in PEM or DER, pinned beside the vendors'; authorities below them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from assay import limits
from assay.collateral.secure_boot_files import read_secure_boot_keys
from assay.endorsements.anchors import TrustAnchors, trust_anchors
from assay.endorsements.tpm.chain import attestation_key_problem
from assay.errors import ConfigurationError, LimitExceeded, Malformed, MalformedEndorsement
from assay.formats import pem
from assay.pki.certificate import Certificate, parse_certificate

_LARGEST = limits.CERTIFICATES_IN_CHAIN * limits.CERTIFICATE


def read_anchors(paths: Iterable[Path], *, allow_simulator: bool) -> TrustAnchors:
    """The vendors' anchors and what these directories or files hold.

    A self-issued certificate is a root, another authority a candidate for paths to a root, and the certificate of an
    attestation key is pinned as it is (design, section 8); `secure_boot_keys.json` lists keys of the operator's
    machines. Raises `ConfigurationError` for a path with none of them, which would silently trust less than was meant,
    and for the simulator's where that is not allowed.
    """
    roots: list[Certificate] = []
    authorities: list[Certificate] = []
    leaves: list[Certificate] = []
    keys: dict[str, tuple[str, ...]] = {}
    for path in paths:
        before = len(roots) + len(authorities) + len(leaves)
        listed = read_secure_boot_keys(path)
        keys.update({variable: (*keys.get(variable, ()), *digests) for variable, digests in listed.items()})
        for certificate in _certificates(path):
            if certificate.subject == certificate.issuer:
                roots.append(certificate)
            elif certificate.is_ca:
                authorities.append(certificate)
            elif attestation_key_problem(certificate) is None:
                leaves.append(certificate)
        if not listed and len(roots) + len(authorities) + len(leaves) == before:
            raise ConfigurationError(f"--trust: no self-issued certificate (PEM or DER) in {path}")
    anchors = trust_anchors(roots, certificates=authorities, pinned_leaves=leaves, allow_simulator=allow_simulator)
    return replace(anchors, secure_boot_keys=keys) if keys else anchors


def _certificates(path: Path) -> Iterator[Certificate]:
    if not path.exists():
        raise ConfigurationError(f"--trust: {path} is not there")
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if not file.is_file() or file.stat().st_size > _LARGEST:
            continue
        try:
            content = file.read_bytes()
        except OSError as error:
            raise ConfigurationError(f"--trust: {file}: {error.strerror}") from error
        try:
            yield from map(parse_certificate, _ders(content, file.name))
        except (Malformed, LimitExceeded):
            continue  # keys, notes and lists may lie beside the roots


def _ders(content: bytes, name: str) -> tuple[bytes, ...]:
    if content.lstrip().startswith(b"-----BEGIN"):
        return pem.decode_certificates(content.strip() + b"\n", name, MalformedEndorsement)
    return (content,)

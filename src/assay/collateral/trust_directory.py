"""Trust directories: the operator's own roots, in PEM or DER, pinned beside the vendors'."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from assay import limits
from assay.endorsements.anchors import TrustAnchors, trust_anchors
from assay.errors import ConfigurationError, LimitExceeded, Malformed, MalformedEndorsement
from assay.formats import pem
from assay.pki.certificate import Certificate, parse_certificate

_LARGEST = limits.CERTIFICATES_IN_CHAIN * limits.CERTIFICATE


def read_anchors(paths: Iterable[Path], *, allow_simulator: bool) -> TrustAnchors:
    """The vendors' roots and the self-issued certificates of these directories or files.

    Raises `ConfigurationError` for a path without a root, which would silently trust less than was meant, and for a
    root of the simulator where that is not allowed.
    """
    roots: list[Certificate] = []
    for path in paths:
        found = [certificate for certificate in _certificates(path) if certificate.subject == certificate.issuer]
        if not found:
            raise ConfigurationError(f"--trust: no self-issued certificate (PEM or DER) in {path}")
        roots += found
    return trust_anchors(roots, allow_simulator=allow_simulator)


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

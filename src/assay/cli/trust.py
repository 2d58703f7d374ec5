"""Trust directories of the caller: roots in PEM or DER that are pinned beside the vendors'."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.files import FileUnreadable, read_file
from assay.endorsements.anchors import TrustAnchors, trust_anchors
from assay.errors import LimitExceeded, Malformed, MalformedEndorsement
from assay.formats import pem
from assay.pki.certificate import Certificate, parse_certificate

if TYPE_CHECKING:
    from collections.abc import Iterator


def read_anchors(directories: tuple[str, ...], *, allow_simulator: bool) -> TrustAnchors:
    """The vendors' roots and the self-issued certificates of these directories.

    Raises `click.UsageError` for a directory without a certificate, `ConfigurationError` for a simulator's root that is
    not allowed.
    """
    roots: list[Certificate] = []
    for directory in directories:
        found = [
            certificate for certificate in _certificates(Path(directory)) if certificate.subject == certificate.issuer
        ]
        if not found:
            raise click.UsageError(f"{directory}: no root certificate (PEM or DER) in it")
        roots += found
    return trust_anchors(roots, allow_simulator=allow_simulator)


def _certificates(directory: Path) -> Iterator[Certificate]:
    for path in sorted(directory.rglob("*")) if directory.is_dir() else [directory]:
        if not path.is_file():
            continue
        try:
            content = read_file(str(path))
        except FileUnreadable as error:
            raise click.UsageError(str(error)) from error
        try:
            yield from map(parse_certificate, _ders(content, path.name))
        except (Malformed, LimitExceeded):
            continue  # keys, notes and lists may lie beside the roots


def _ders(content: bytes, name: str) -> tuple[bytes, ...]:
    if content.lstrip().startswith(b"-----BEGIN"):
        return pem.decode_certificates(content.strip() + b"\n", name, MalformedEndorsement)
    return (content,)

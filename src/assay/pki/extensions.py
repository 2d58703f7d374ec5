"""The certificate extensions that the vendors' profiles look at, read in one pass (RFC 5280, 4.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from cryptography import x509


class ReadExtensions(NamedTuple):
    """What the extensions say.

    `path_length` is -1 for a certificate that is no CA; else how many CAs may follow below, None for any number.
    `critical` are the dotted identifiers of critical extensions that no check here understands; `vendor` the values of
    extensions that the library does not know, by dotted identifier. `purposes` are the dotted identifiers of the
    extended key usage, None where there is none; a critical one stands in `critical` too.
    """

    path_length: int | None
    key_usage: x509.KeyUsage | None
    subject_key_id: bytes | None
    authority_key_id: bytes | None
    critical: tuple[str, ...]
    vendor: Mapping[str, bytes]
    purposes: tuple[str, ...] | None = None


def read_extensions(extensions: x509.Extensions) -> ReadExtensions:
    """The extensions of a certificate, whose identifiers do not repeat (the library refuses that)."""
    path_length: int | None = -1
    key_usage = subject_key_id = authority_key_id = purposes = None
    critical: list[str] = []
    vendor: dict[str, bytes] = {}
    for extension in extensions:
        value = extension.value
        # By class: these have no subclasses, and asking `isinstance` of an abstract class's kin takes a microsecond.
        if type(value) is x509.BasicConstraints:
            path_length = value.path_length if value.ca else -1
            continue
        if type(value) is x509.KeyUsage:
            key_usage = value
            continue
        if type(value) is x509.SubjectKeyIdentifier:
            subject_key_id = value.digest
        elif type(value) is x509.AuthorityKeyIdentifier:
            authority_key_id = value.key_identifier
        elif type(value) is x509.ExtendedKeyUsage:
            purposes = tuple(purpose.dotted_string for purpose in value)
        elif type(value) is x509.UnrecognizedExtension:
            vendor[extension.oid.dotted_string] = value.value
        # RFC 5280, 4.2: a critical extension that is not processed makes the certificate unusable.
        if extension.critical:
            critical.append(extension.oid.dotted_string)
    return ReadExtensions(path_length, key_usage, subject_key_id, authority_key_id, tuple(critical), vendor, purposes)

"""AMD's certificates in a file, in any of the spellings in which hosts and clouds keep them (quote-verification 10)."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

from assay.endorsements.amd.hierarchy import AUTHORITY_NAMES, LEAF_NAMES, ROOT_NAMES
from assay.endorsements.amd.spellings import read_certificates
from assay.errors import LimitExceeded, MalformedEndorsement
from assay.pki.certificate import Certificate

_NAMES: Final = (*LEAF_NAMES, *AUTHORITY_NAMES, *ROOT_NAMES)
_DER: Final = b"\x30"
# A host's certificate cache in base64, as confidential containers find it (11.1), and a certificate table (8.4).
_FILES: Final = re.compile(r"(amd.?cert.*base64|cert.?table.*\.bin|auxblob.*)\Z", re.IGNORECASE)
_CACHE: Final = re.compile(rb"\s*\{\s*\"(vcekCert|tcbm|certificateChain|cacheControl)\"")


def is_named_for_amd(name: str) -> bool:
    """Whether a file's name promises AMD's certificates in a form that its first octets do not show."""
    return _FILES.search(name) is not None


def read_amd_certificates(name: str, content: bytes) -> tuple[Certificate, ...]:
    """The certificates of AMD's hierarchy in a file, none for a file of another kind.

    Raises `MalformedEndorsement` for a file that promises them and does not parse, and `LimitExceeded`.
    """
    if is_named_for_amd(name):
        content = decode_base64(content)
    elif not content.startswith((b"-----BEGIN CERTIFICATE", b"\x30")) and not _CACHE.match(content):
        return ()
    try:
        certificates = read_certificates(content, name, MalformedEndorsement)
    except (MalformedEndorsement, LimitExceeded) as error:
        # What else there is in DER (a list, a broken certificate) is recognised by other means.
        if content[:1] != _DER and (is_named_for_amd(name) or _CACHE.match(content)):
            raise MalformedEndorsement(name, str(error)) from error
        return ()
    return certificates if all(one.common_name in _NAMES for one in certificates) else ()


def decode_base64(content: bytes) -> bytes:
    """The octets of a text in base64; others as they are."""
    try:
        return base64.b64decode(b"".join(content.split()), validate=True)
    except binascii.Error:
        return content

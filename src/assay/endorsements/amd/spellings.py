"""The spellings in which AMD's certificates travel beside a report (quote-verification 8.4 and 10, rest-api 7.3)."""

from __future__ import annotations

import re
from typing import Final

from assay.endorsements.amd.certificate_table import parse_certificate_table
from assay.endorsements.amd.hierarchy import parse_certificates
from assay.errors import Malformed
from assay.formats import strict_json
from assay.formats.strict_json import JsonError
from assay.pki.certificate import Certificate

_JSON: Final = re.compile(rb"\s*\{")
_HOST_CACHE: Final = ("vcekcert", "certificatechain")


def read_certificates(text: bytes, what: str, error: type[Malformed]) -> tuple[Certificate, ...]:
    """The certificates in PEM, in DER, in the JSON of a host's cache, or in a certificate table.

    Raises `error` or `LimitExceeded`.
    """
    if text.startswith(b"-----BEGIN") or text[:1] == b"\x30":
        return parse_certificates(text, what, error)
    if _JSON.match(text):
        return _read_host_cache(text, what, error)
    return parse_certificate_table(text, error)


def _read_host_cache(text: bytes, what: str, error: type[Malformed]) -> tuple[Certificate, ...]:
    """What a host's certificate cache answers: `vcekCert` and `certificateChain` in PEM (quote-verification 10)."""
    try:
        members = {name.lower(): value for name, value in strict_json.decode_object(text).items()}
    except JsonError as cause:
        raise error(what, str(cause)) from cause
    found: list[Certificate] = []
    for name in _HOST_CACHE:
        value = members.get(name)
        if not isinstance(value, str):
            raise error(what, f"{name} is missing or not a string")
        found.extend(parse_certificates(value.encode("utf-8", "replace"), what, error))
    return tuple(found)

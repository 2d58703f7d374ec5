"""Endorsements of utility virtual machines: which launch measurement belongs to which release of Azure's (UVM).

COSE_Sign1 in two generations (quote-verification 11.3): a JSON payload under text headers, and a hash envelope whose
payload is the measurement itself under CWT claims. The issuer is a did:x509; who is believed stands in `anchors.py`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple

from assay import limits
from assay.errors import MalformedEvidence
from assay.formats import strict_json
from assay.formats.cbor import CborValue, Tagged
from assay.formats.cose import CWT_CLAIMS, PAYLOAD_HASH_ALGORITHM, X5CHAIN, X5T, CoseSign1, Headers, parse_cose_sign1
from assay.formats.strict_json import JsonError, JsonValue
from assay.pki.certificate import Certificate, parse_certificate
from assay.pki.chain import authority_problem, critical_problem, verify_issued
from assay.pki.did_x509 import DidError, DidX509, parse_did_x509
from assay.pki.profiles import MICROSOFT
from assay.pki.signatures import SignatureError
from assay.pki.validity import Window, intersection

_WHAT: Final = "UVM endorsement"
_MEASUREMENT: Final = "x-ms-sevsnpvm-launchmeasurement"
_GUEST_SVN: Final = "x-ms-sevsnpvm-guestsvn"
_GUEST_SVN_INTEGER: Final = "x-ms-sevsnpvm-guestsvn-int"
_HEX_MEASUREMENT: Final = re.compile(r"[0-9a-fA-F]{96}\Z")
_SVN: Final = re.compile(r"[0-9]{1,9}\Z")
# COSE algorithm identifiers of hashes (RFC 9054, 2).
_SHA256, _SHA384 = -16, -43
_MEASUREMENT_SIZE: Final = 48
_LATEST: Final = datetime(9999, 1, 1, tzinfo=UTC).timestamp()
# RFC 8392, 3.1: issuer, subject, issued at.
_ISSUER, _SUBJECT, _ISSUED_AT = 1, 2, 6
# Extended key usage is read by the issuer's policy, although critical.
_UNDERSTOOD: Final = frozenset({"2.5.29.37"})


class UvmEndorsement(NamedTuple):
    """A parsed endorsement, nothing of it believed; `chain` has the leaf first, `signed_at` is what the signer says."""

    message: CoseSign1
    chain: tuple[Certificate, ...]
    issuer: DidX509
    feed: str
    signed_at: datetime

    @property
    def window(self) -> Window:
        """When all certificates are valid."""
        return intersection(certificate.window for certificate in self.chain)


class Release(NamedTuple):
    """What an endorsement endorses: a launch measurement, and the security version of its release."""

    launch_measurement: bytes
    svn: int


@lru_cache(maxsize=limits.DOCUMENTS)
def parse_uvm_endorsement(content: bytes) -> UvmEndorsement:
    """Parse an endorsement but for its payload; equal octets give the same object.

    Raises `MalformedEvidence`, `MalformedEndorsement` for a certificate, and `LimitExceeded`.
    """
    message = parse_cose_sign1(content, _WHAT, limits.UVM_ENDORSEMENT)
    headers, claims = message.protected, message.protected.get(CWT_CLAIMS)
    found = (headers.get("iss"), headers.get("feed"), headers.get("signingtime"))
    if isinstance(claims, Mapping):
        found = (claims.get(_ISSUER), claims.get(_SUBJECT), claims.get(_ISSUED_AT))
    issuer, feed, signed_at = found
    if not isinstance(issuer, str) or not isinstance(feed, str):
        raise MalformedEvidence(_WHAT, "no issuer and feed as text")
    try:
        did = parse_did_x509(issuer)
    except DidError as error:
        raise MalformedEvidence(_WHAT, str(error)) from error
    return UvmEndorsement(message, _read_chain(headers), did, feed, _read_time(signed_at))


def read_release(message: CoseSign1) -> Release:
    """What the payload and its headers endorse, in either generation; raises `MalformedEvidence`."""
    claims = message.protected.get(CWT_CLAIMS)
    if isinstance(claims, Mapping):
        return _read_hash_envelope(message, claims)
    try:
        payload = strict_json.decode_object(message.payload)
    except JsonError as error:
        raise MalformedEvidence(_WHAT, f"payload: {error}") from error
    return Release(_read_hex(payload), _read_svn(payload))


def _read_chain(headers: Headers) -> tuple[Certificate, ...]:
    value = headers.get(X5CHAIN)
    ders = value if isinstance(value, tuple) else (value,)
    if len(ders) > limits.CERTIFICATES_IN_CHAIN or not ders:
        raise MalformedEvidence(
            _WHAT, f"x5chain of {len(ders)} certificates, 1 to {limits.CERTIFICATES_IN_CHAIN} expected"
        )
    chain = []
    for der in ders:
        if not isinstance(der, bytes):
            raise MalformedEvidence(_WHAT, "x5chain that is no list of byte strings")
        chain.append(parse_certificate(der))
    return tuple(chain)


def _read_svn(payload: Mapping[str, JsonValue]) -> int:
    """The security version as text; its twin, a number in newer ones, must be the same."""
    text = payload.get(_GUEST_SVN)
    if not isinstance(text, str) or not _SVN.match(text):
        raise MalformedEvidence(_WHAT, f"{_GUEST_SVN} is not a number as text")
    twin = payload.get(_GUEST_SVN_INTEGER, int(text))
    if isinstance(twin, bool) or twin != int(text):
        raise MalformedEvidence(_WHAT, f"{_GUEST_SVN_INTEGER} differs from {_GUEST_SVN}")
    return int(text)


def _read_hex(payload: Mapping[str, JsonValue]) -> bytes:
    text = payload.get(_MEASUREMENT)
    if not isinstance(text, str) or not _HEX_MEASUREMENT.match(text):
        raise MalformedEvidence(_WHAT, f"{_MEASUREMENT} is not 96 hexadecimal digits")
    return bytes.fromhex(text)


def _read_hash_envelope(message: CoseSign1, claims: Headers) -> Release:
    """The hash envelope: AMD's launch digest is a SHA-384, and is what the payload holds (ADR 0031)."""
    if message.protected.get(PAYLOAD_HASH_ALGORITHM) != _SHA384 or len(message.payload) != _MEASUREMENT_SIZE:
        raise MalformedEvidence(_WHAT, "a payload that is not a SHA-384 in a hash envelope")
    svn = claims.get("svn")
    if not isinstance(svn, int) or isinstance(svn, bool) or svn < 0:
        raise MalformedEvidence(_WHAT, "CWT claims without the number svn")
    return Release(message.payload, svn)


def _read_time(value: CborValue) -> datetime:
    """A time as tag 1 (seconds), tag 0 (RFC 3339 text) or bare seconds (RFC 8392, 2: NumericDate)."""
    inner = value.value if isinstance(value, Tagged) and value.tag in (0, 1) else value
    is_text = isinstance(value, Tagged) and value.tag == 0
    try:
        if is_text and isinstance(inner, str):
            return datetime.fromisoformat(inner).astimezone(UTC)
        if not is_text and isinstance(inner, int) and not isinstance(inner, bool) and 0 <= inner < _LATEST:
            return datetime.fromtimestamp(inner, UTC)
    except (ValueError, OverflowError) as error:
        raise MalformedEvidence(_WHAT, f"signing time: {error}") from error
    raise MalformedEvidence(_WHAT, "no signing time")


@lru_cache(maxsize=limits.DOCUMENTS)
def chain_problem(chain: tuple[Certificate, ...]) -> str | None:
    """Why the chain does not hold by names, profiles and signatures, or None; the last signs itself."""
    authorities = chain[1:]
    for below, authority in enumerate(authorities):
        problem = authority_problem(authority, below)
        if problem is not None:
            return problem
    unknown = [each for each in chain if set(each.extensions.critical) - _UNDERSTOOD]
    if unknown:
        return critical_problem(unknown)
    for child, issuer in zip(chain, (*authorities, chain[-1]), strict=True):
        try:
            verify_issued(child, issuer, MICROSOFT)
        except SignatureError as error:
            return str(error)
    return None


def thumbprint_problem(endorsement: UvmEndorsement) -> str | None:
    """Why `x5t`, where there is one, is not the SHA-256 of the leaf, or None."""
    found = endorsement.message.protected.get(X5T)
    if found is None or found == (_SHA256, hashlib.sha256(endorsement.chain[0].der).digest()):
        return None
    return "x5t is the thumbprint of another certificate than the leaf"

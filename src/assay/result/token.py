"""The token: header, payload and signature (rest-api 6.1), and the signer's side of it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, Protocol

from assay.formats import base64url, strict_json
from assay.formats.strict_json import JsonValue

# Own: keys of all providers of a process, twice (drafts have a header of their own).
_HEADERS: Final = 1024


class Signer(Protocol):
    """Signs tokens; `certificates` is a list, since some profiles have a chain (design, section 8)."""

    @property
    def key_id(self) -> str: ...

    @property
    def algorithm(self) -> str:
        """The JOSE name: `RS256` or `ES256`."""
        ...

    @property
    def certificates(self) -> tuple[bytes, ...]:
        """The chain in DER, leaf first."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The JOSE signature over the octets given."""
        ...


def sign_token(payload: Mapping[str, JsonValue], signer: Signer, issuer: str) -> str:
    """A signed token: sorted compact JSON, base64url without padding."""
    signed = _signing_input(_encode_header(signer.algorithm, issuer, signer.key_id), payload)
    return f"{signed}.{base64url.encode(signer.sign(signed.encode('ascii')))}"


def sign_report(payload: Mapping[str, JsonValue], signer: Signer, *, omit_chain: bool) -> str:
    """A signed report: its header carries the signer's certificates, or their first one's thumbprint (claims 1)."""
    signed = _signing_input(_encode_report_header(signer.algorithm, signer.certificates, omit_chain), payload)
    return f"{signed}.{base64url.encode(signer.sign(signed.encode('ascii')))}"


@lru_cache(maxsize=_HEADERS)
def _encode_report_header(algorithm: str, certificates: tuple[bytes, ...], omit_chain: bool) -> str:
    """The key's identifier is the SHA-1 of its certificate, and so is `x5t` (RFC 7515, 4.1.7; rest-api 5.1)."""
    thumbprint = base64url.encode(hashlib.sha1(certificates[0], usedforsecurity=False).digest())
    header: dict[str, JsonValue] = {"alg": algorithm, "kid": thumbprint, "typ": "JWT"}
    if omit_chain:
        header["x5t"] = thumbprint
    else:
        header["x5c"] = [base64.b64encode(der).decode("ascii") for der in certificates]
    return base64url.encode(strict_json.encode_compact(header))


def unsecured_token(payload: Mapping[str, JsonValue], issuer: str, key_id: str) -> str:
    """The answer to a draft policy: the same header but for `alg` none, an empty signature, a final dot (6.1)."""
    return _signing_input(_encode_header("none", issuer, key_id), payload) + "."


@lru_cache(maxsize=_HEADERS)
def _encode_header(algorithm: str, issuer: str, key_id: str) -> str:
    """The same for every token of a key, and so remembered."""
    header = {"alg": algorithm, "jku": f"{issuer}/certs", "kid": key_id, "typ": "JWT"}
    return base64url.encode(strict_json.encode_compact(header))


def _signing_input(encoded_header: str, payload: Mapping[str, JsonValue]) -> str:
    return f"{encoded_header}.{base64url.encode(strict_json.encode_compact(payload))}"

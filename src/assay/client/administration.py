"""What administrators say to a provider and how they read its answers (rest-api 8, 9, 14); no I/O."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from assay import limits
from assay.client.protocol import API_VERSION, Call, ConnectionFailed, Reply, read_answer, read_object, require_status
from assay.client.relying_party import verify_result
from assay.errors import ConfigurationError
from assay.formats import base64url, strict_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from assay.formats.key_set import KeySet
    from assay.formats.strict_json import JsonObject, JsonValue

_JSON: Final = "application/json"
# The version of the resource provider that knows all of a provider's properties.
CONTROL_API_VERSION: Final = "2021-06-01"
# Whole policies and chains come back, twice encoded.
_ANSWER: Final = 8 * limits.POLICY_TEXT
UNSECURED: Final = "eyJhbGciOiJub25lIn0"


@dataclass(frozen=True, slots=True)
class PolicyAuthor:
    """A key that signs policies, with its certificate chain as `x5c` has it, the signer's own first."""

    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    chain: tuple[str, ...]

    def sign(self, payload: bytes) -> str:
        """A JWS over a payload, RS256 or ES256 by the kind of the key (rest-api 8.2)."""
        algorithm = "RS256" if isinstance(self.key, rsa.RSAPrivateKey) else "ES256"
        header = strict_json.encode_compact({"alg": algorithm, "x5c": list(self.chain)})
        signed = f"{base64url.encode(header)}.{base64url.encode(payload)}"
        return f"{signed}.{base64url.encode(self._signature(signed.encode('ascii')))}"

    def _signature(self, signed: bytes) -> bytes:
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(signed, padding.PKCS1v15(), SHA256())
        r, s = decode_dss_signature(self.key.sign(signed, ec.ECDSA(SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def read_author(key: bytes, certificates: bytes) -> PolicyAuthor:
    """A signer out of PEM files; raises `ConfigurationError` for what is not a P-256 or RSA key and its certificate."""
    try:
        private = load_pem_private_key(key, None)
    except (ValueError, TypeError) as error:
        raise ConfigurationError(f"the signer's key is not an unencrypted PEM key: {error}") from error
    chain = read_chain(certificates)
    if isinstance(private, ec.EllipticCurvePrivateKey) and not isinstance(private.curve, ec.SECP256R1):
        raise ConfigurationError(f"the signer's key is on {private.curve.name}, not P-256")
    if not isinstance(private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise ConfigurationError("the signer's key is neither an RSA nor a P-256 key")
    certified = x509.load_der_x509_certificate(base64.b64decode(chain[0])).public_key()
    if certified != private.public_key():
        raise ConfigurationError("the signer's certificate is not of the signer's key")
    return PolicyAuthor(private, chain)


def read_chain(certificates: bytes) -> tuple[str, ...]:
    """`x5c` of PEM certificates in their order; raises `ConfigurationError`."""
    try:
        parsed = x509.load_pem_x509_certificates(certificates)
    except ValueError as error:
        raise ConfigurationError(f"not PEM certificates: {error}") from error
    return tuple(base64.b64encode(each.public_bytes(Encoding.DER)).decode("ascii") for each in parsed)


def encode_policy(text: str, author: PolicyAuthor | None) -> str:
    """The JWS that sets a policy, signed if there is an author (rest-api 8.2)."""
    payload = strict_json.encode_compact({"AttestationPolicy": base64url.encode(text.encode("utf-8"))})
    return author.sign(payload) if author is not None else f"{UNSECURED}.{base64url.encode(payload)}."


def encode_reset(author: PolicyAuthor | None) -> str:
    """The JWS that resets a policy: an empty payload."""
    return author.sign(b"") if author is not None else f"{UNSECURED}.."


def encode_signer_change(chain: tuple[str, ...], author: PolicyAuthor) -> str:
    """The JWS that adds or removes a policy management certificate, signed by a present one (rest-api 9)."""
    leaf = x509.load_der_x509_certificate(base64.b64decode(chain[0])).public_key()
    kind = "EC" if isinstance(leaf, ec.EllipticCurvePublicKey) else "RSA"
    return author.sign(strict_json.encode_compact({"policyCertificate": {"kty": kind, "x5c": list(chain)}}))


def policy_call(base: str, policy_type: str) -> Call:
    """GET /policies/{type}."""
    return _call("GET", f"{base}/policies/{_segment(policy_type)}?api-version={API_VERSION}")


def set_policy_call(base: str, policy_type: str, jws: str, **flags: bool) -> Call:
    """PUT /policies/{type}; flags are our own: `import_`, `allow_replay`."""
    more = "".join(f"&{name.strip('_').replace('_', '-')}=true" for name, on in flags.items() if on)
    url = f"{base}/policies/{_segment(policy_type)}?api-version={API_VERSION}{more}"
    return _call("PUT", url, jws.encode("ascii"), "text/plain")


def reset_policy_call(base: str, policy_type: str, jws: str) -> Call:
    """POST /policies/{type}:reset."""
    url = f"{base}/policies/{_segment(policy_type)}:reset?api-version={API_VERSION}"
    return _call("POST", url, jws.encode("ascii"), "text/plain")


def history_call(base: str, policy_type: str) -> Call:
    """GET /policies/{type}:history, our own."""
    return _call("GET", f"{base}/policies/{_segment(policy_type)}:history?api-version={API_VERSION}")


def roll_back_call(base: str, policy_type: str, number: int) -> Call:
    """POST /policies/{type}:rollback, our own."""
    url = f"{base}/policies/{_segment(policy_type)}:rollback?api-version={API_VERSION}"
    return _call("POST", url, strict_json.encode_compact({"number": number}), _JSON)


def signers_call(base: str) -> Call:
    """GET /certificates."""
    return _call("GET", f"{base}/certificates?api-version={API_VERSION}")


def change_signers_call(base: str, verb: str, jws: str) -> Call:
    """POST /certificates:add or :remove."""
    url = f"{base}/certificates:{verb}?api-version={API_VERSION}"
    return _call("POST", url, strict_json.encode_compact(jws), _JSON)


@dataclass(frozen=True, slots=True)
class ResourceGroup:
    """Where a provider stands on the control plane."""

    subscription: str = "local"
    group: str = "local"

    def provider_call(self, base: str, method: str, name: str = "", body: JsonObject | None = None) -> Call:
        """One call about a provider, or about all of the group when no name is given (rest-api 14)."""
        scope = f"/subscriptions/{_segment(self.subscription)}/resourceGroups/{_segment(self.group)}"
        path = f"{scope}/providers/Microsoft.Attestation/attestationProviders{'/' * bool(name)}{_segment(name)}"
        content = b"" if body is None else strict_json.encode_compact(body)
        return _call(method, f"{base}{path}?api-version={CONTROL_API_VERSION}", content, _JSON)


def read_resource(reply: Reply) -> JsonObject:
    """A resource or list; raises `ServiceRefused` and `ConnectionFailed`."""
    return read_object(reply, (200, 201))


def read_deletion(reply: Reply) -> bool:
    """Whether there was something to delete."""
    require_status(reply, (200, 204))
    return reply.status == 200


def read_plain(reply: Reply) -> JsonObject:
    """The object in an answer that is not a token."""
    return read_object(reply, (200,))


def result_reader(issuer: str, keys: KeySet, at: datetime) -> Callable[[Reply], JsonObject]:
    """Reads result tokens, each verified; raises `TokenRejected` beside what `read_answer` raises."""
    return lambda reply: verify_result(read_answer(reply).token, issuer=issuer, keys=keys, at=at)


def read_stored_policy(result: Mapping[str, JsonValue]) -> str:
    """`x-ms-policy` of GET /policies: the JWS as it was set; raises `ConnectionFailed`."""
    jws = result.get("x-ms-policy")
    if not isinstance(jws, str) or jws.count(".") != 2:
        raise ConnectionFailed("the answer has no policy in x-ms-policy: is this an attestation service?")
    return jws


def read_signers(result: Mapping[str, JsonValue]) -> tuple[tuple[str, ...], ...]:
    """`x5c` of each policy management certificate; raises `ConnectionFailed`."""
    key_set = result.get("x-ms-policy-certificates")
    keys = key_set.get("keys") if isinstance(key_set, dict) else None
    if not isinstance(keys, list):
        raise ConnectionFailed("the answer has no keys in x-ms-policy-certificates")
    return tuple(_x5c(key) for key in keys)


def _x5c(key: JsonValue) -> tuple[str, ...]:
    found = key.get("x5c") if isinstance(key, dict) else None
    if not isinstance(found, list) or not found or not all(isinstance(text, str) for text in found):
        raise ConnectionFailed("a policy management certificate without x5c")
    return tuple(map(str, found))


def _call(method: str, url: str, body: bytes = b"", content_type: str = "") -> Call:
    headers = {"accept": _JSON, **({"content-type": content_type} if body else {})}
    return Call(method, url, headers, body, _ANSWER)


def _segment(text: str) -> str:
    return quote(text, safe="")

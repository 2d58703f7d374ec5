"""COSE_Sign1 messages for people: headers by their names, what is inside, whether the key inside signed them.

Among them the endorsements of utility machines, and statements that carry the report which attests their key
(quote-verification 11.3 and 11.5).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric import ec

from assay import limits
from assay.cli.described import describe
from assay.errors import AssayError
from assay.formats import strict_json
from assay.formats.cbor import CborKey, CborValue, Tagged, encode_cbor
from assay.formats.cose import X5CHAIN, CoseError, CoseSign1, PublicKey, decode_cose_sign1, verify_cose_sign1
from assay.formats.strict_json import JsonError
from assay.pki.certificate import parse_certificate

if TYPE_CHECKING:
    from assay.formats.strict_json import JsonObject, JsonValue

# IANA: COSE header parameters, and the claims of a CWT.
_LABELS: Final = {
    1: "alg",
    2: "crit",
    3: "content type",
    4: "kid",
    15: "CWT claims",
    33: "x5chain",
    34: "x5t",
    258: "payload hash alg",
    259: "preimage content type",
    260: "payload location",
    394: "receipts",
}
_CLAIMS: Final = {1: "iss", 2: "sub", 3: "aud", 4: "exp", 5: "nbf", 6: "iat", 7: "cti"}
_CURVES: Final[Mapping[CborValue, type[ec.EllipticCurve]]] = {1: ec.SECP256R1, 2: ec.SECP384R1, 3: ec.SECP521R1}
_KEY, _REPORT = "cose_key", "attestation"
_REPORT_DATA: Final = slice(0x50, 0x90)  # of an SNP report (quote-verification 8)


def view_cose(content: bytes, decode_inner: Callable[[bytes], JsonValue]) -> JsonObject | None:
    """The fields of a message, None for what is none; `decode_inner` says what octets inside it are."""
    if content[:1] not in (b"\xd2", b"\x84"):
        return None
    try:
        message = decode_cose_sign1(content, "COSE message", limits.UVM_ENDORSEMENT)
    except AssayError:
        return None
    fields: dict[str, JsonValue] = {
        "protected": _headers(message.protected, decode_inner),
        "unprotected": _headers(message.unprotected, decode_inner),
        "payload": _payload(message.payload),
        "signature": _signature(message),
    }
    return fields


def _headers(headers: Mapping[CborKey, CborValue], decode_inner: Callable[[bytes], JsonValue]) -> JsonValue:
    shown: dict[str, JsonValue] = {}
    for label, value in headers.items():
        name = _named(_LABELS, label)
        match value:
            case Mapping() if label == 15:
                shown[name] = {_named(_CLAIMS, key): _value(each) for key, each in value.items()}
            case Mapping():
                shown[name] = _attested(value, decode_inner)
            case tuple() if label == X5CHAIN:
                shown[name] = [decode_inner(each) if isinstance(each, bytes) else _value(each) for each in value]
            case _:
                shown[name] = _value(value)
    return shown


def _named(names: Mapping[int, str], label: CborKey) -> str:
    return names.get(label, str(label)) if isinstance(label, int) else str(label)


def _attested(members: Mapping[CborKey, CborValue], decode_inner: Callable[[bytes], JsonValue]) -> JsonValue:
    """A map that may hold a report and the key that it attests (quote-verification 11.5)."""
    shown: dict[str, JsonValue] = {
        str(name): decode_inner(value) if isinstance(value, bytes) else _value(value) for name, value in members.items()
    }
    key, report = members.get(_KEY), members.get(_REPORT)
    if isinstance(key, Mapping) and isinstance(report, bytes):
        digest = hashlib.sha256(encode_cbor(key)).digest()
        bound = report[_REPORT_DATA] == digest + bytes(32)
        shown["key binding"] = (
            "the report data is the SHA-256 of the key" if bound else f"NOT BOUND: the key's SHA-256 is {digest.hex()}"
        )
    return shown


def _value(value: CborValue) -> JsonValue:
    match value:
        case Tagged(tag, inner):
            return {"tag": tag, "value": _value(inner)}
        case tuple():
            return [_value(each) for each in value]
        case Mapping():
            return {str(name): _value(each) for name, each in value.items()}
        case _:
            return describe(value)


def _payload(content: bytes) -> JsonValue:
    try:
        return dict(strict_json.decode_object(content))
    except JsonError:
        return describe(content)


def _signature(message: CoseSign1) -> str:
    """Whether the message is signed by the key that it brings; that says nothing about whose key it is."""
    key = _key_inside(message)
    if key is None:
        return f"{len(message.signature)} octets; no key is inside"
    try:
        return f"{verify_cose_sign1(message, key)}, verifies with the key inside"
    except CoseError as error:
        return f"DOES NOT VERIFY with the key inside: {error}"


def _key_inside(message: CoseSign1) -> PublicKey | None:
    chain = message.protected.get(X5CHAIN)
    first = chain[0] if isinstance(chain, tuple) and chain else chain
    if isinstance(first, bytes):
        try:
            return parse_certificate(first).public_key
        except AssayError:
            return None
    for value in message.protected.values():
        if isinstance(value, Mapping) and isinstance(value.get(_KEY), Mapping):
            return _read_key(value[_KEY])
    return None


def _read_key(key: CborValue) -> ec.EllipticCurvePublicKey | None:
    """A COSE_Key on an elliptic curve (RFC 9053, 7.1.1), None for any other."""
    match key:
        case {1: 2, -1: int() as curve, -2: bytes() as x, -3: bytes() as y} if curve in _CURVES:
            numbers = int.from_bytes(x, "big"), int.from_bytes(y, "big")
            try:
                return ec.EllipticCurvePublicNumbers(*numbers, _CURVES[curve]()).public_key()
            except ValueError:
                return None
        case _:
            return None

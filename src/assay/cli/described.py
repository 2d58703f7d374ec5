"""Parsed values as JSON for people: fields by their names, octets as hex, long ones as size and digest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric import ec

from assay.cli.log_view import view_log
from assay.cli.octets import describe_octets
from assay.endorsements.amd.hierarchy import LEAF_NAMES
from assay.endorsements.amd.vek import parse_vek
from assay.endorsements.intel.pck import SGX_EXTENSION, parse_pck_extension
from assay.errors import MalformedEndorsement
from assay.evidence._tcg.event_log import EventLog
from assay.pki.certificate import Certificate
from assay.pki.names import read_name
from assay.pki.revocation import RevocationList

if TYPE_CHECKING:
    from assay.formats.strict_json import JsonValue

_SHOWN_SERIALS: Final = 20
# Copies of the whole beside its parts.
_LEFT_OUT: Final = frozenset({"evidence", "signed", "qe_report_body", "der", "parsed"})


def describe(value: object) -> JsonValue:
    """The value as JSON; records by their fields."""
    match value:
        case None | bool() | int() | float() | str():
            return value.value if isinstance(value, Enum) else value
        case bytes():
            return describe_octets(value)
        case datetime():
            return describe_time(value)
        case EventLog():
            return dict(view_log(value).fields)
        case Certificate():
            return describe_certificate(value)
        case RevocationList():
            return describe_revocation_list(value)
        case Mapping():
            return {str(name): describe(member) for name, member in value.items()}
        case tuple() if hasattr(value, "_asdict"):
            return describe(value._asdict())
        case tuple() | list():
            return [describe(member) for member in value]
        case _ if is_dataclass(value):
            shown = (field.name for field in fields(value) if field.name not in _LEFT_OUT)
            return {name: describe(getattr(value, name)) for name in shown}
        case _:
            return str(value)


def describe_time(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def describe_certificate(certificate: Certificate) -> dict[str, JsonValue]:
    """What a certificate says, Intel's SGX extension and AMD's extensions among it."""
    key = certificate.public_key
    described: dict[str, JsonValue] = {
        "subject": read_name(certificate.subject).text,
        "issuer": read_name(certificate.issuer).text,
        "serial": f"{certificate.serial:x}",
        "not_before": describe_time(certificate.not_before),
        "not_after": describe_time(certificate.not_after),
        "key": f"EC {key.curve.name}" if isinstance(key, ec.EllipticCurvePublicKey) else f"RSA {key.key_size}",
        "key_sha256": certificate.key_sha256,
        "is_ca": certificate.is_ca,
        "extensions": [extension.oid.dotted_string for extension in certificate.parsed.extensions],
    }
    extension = certificate.extensions.vendor.get(SGX_EXTENSION)
    if extension is not None:
        described["sgx_extension"] = _describe_sgx_extension(extension)
    if certificate.common_name in LEAF_NAMES:
        described["endorsement_key"] = _describe_vek(certificate)
    return described


def _describe_vek(certificate: Certificate) -> JsonValue:
    try:
        return describe({name: value for name, value in parse_vek(certificate)._asdict().items() if name != "key"})
    except MalformedEndorsement as error:
        return error.message


def _describe_sgx_extension(extension: bytes) -> JsonValue:
    try:
        return describe(parse_pck_extension(extension))
    except MalformedEndorsement as error:
        return error.message


def describe_revocation_list(revocation: RevocationList) -> dict[str, JsonValue]:
    """What a revocation list says, the first serial numbers among it."""
    serials = sorted(revocation.serials)
    return {
        "issuer": read_name(revocation.issuer).text,
        "this_update": describe_time(revocation.this_update),
        "next_update": describe_time(revocation.next_update),
        "revoked": len(serials),
        "serials": [f"{serial:x}" for serial in serials[:_SHOWN_SERIALS]],
    }

"""Endorsements of utility virtual machines under a synthetic issuer, in both generations, every field chosen."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import Enum
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID, ObjectIdentifier

from assay.formats.cbor import CborKey, CborValue, Tagged, encode_cbor
from assay.simulator.intel.certificates import ORGANISATION
from assay.simulator.keys import derive_key, sign_raw

FEED: Final = "ContainerPlat-AMD-UVM"
PURPOSE: Final = "1.3.6.1.4.1.311.76.59.1.2"
_ES256: Final = -7
_SHA384: Final = -43
_BEGIN: Final = datetime(2022, 2, 17, tzinfo=UTC)
_END: Final = datetime(2047, 2, 17, tzinfo=UTC)


class Generation(Enum):
    """How an endorsement says what it says (quote-verification 11.3)."""

    JSON = "JSON payload"
    HASH_ENVELOPE = "hash envelope"


@dataclass(frozen=True, slots=True)
class UvmCertificate:
    """A certificate of the chain: its name, the name of its key, and what may be wrong with it."""

    common_name: str
    key: str
    ca: bool = True
    purpose: str = PURPOSE
    not_before: datetime = _BEGIN
    not_after: datetime = _END
    signed_by: str | None = None


ROOT: Final = UvmCertificate("Assay Simulator Supply Chain Root CA", "uvm root")
AUTHORITY: Final = UvmCertificate("Assay Simulator SCD Products CA", "uvm ca")
LEAF: Final = UvmCertificate("ContainerPlat", "uvm signer", ca=False)


def mint_uvm_certificate(form: UvmCertificate, issuer: UvmCertificate) -> bytes:
    """A certificate in DER."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(form.common_name))
        .issuer_name(_name(issuer.common_name))
        .public_key(derive_key(form.key).public_key())
        .serial_number(int.from_bytes(hashlib.sha256(form.common_name.encode()).digest()[:15], "big") | 1)
        .not_valid_before(form.not_before)
        .not_valid_after(form.not_after)
        .add_extension(x509.BasicConstraints(form.ca, None), critical=True)
        .add_extension(_usage(is_ca=form.ca), critical=True)
    )
    if not form.ca:
        purposes = x509.ExtendedKeyUsage((ObjectIdentifier(form.purpose),))
        builder = builder.add_extension(purposes, critical=False)
    signed = builder.sign(derive_key(form.signed_by or issuer.key), hashes.SHA256(), ecdsa_deterministic=True)
    return signed.public_bytes(Encoding.DER)


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        (
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANISATION),
        )
    )


def _usage(*, is_ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_ca,
        crl_sign=is_ca,
        encipher_only=False,
        decipher_only=False,
    )


@dataclass(frozen=True, slots=True)
class UvmForm:
    """One endorsement to be made. `chain` is leaf first; `issuer` None is the identifier of the chain's root.

    `protected` and `unprotected` are headers to be added or, where the value is None, left out. `payload` replaces the
    payload after it was signed, `signed_by` the key.
    """

    launch_measurement: bytes
    svn: int = 104
    generation: Generation = Generation.JSON
    chain: tuple[UvmCertificate, ...] = (LEAF, AUTHORITY, ROOT)
    issuer: str | None = None
    feed: str = FEED
    signed_at: datetime = datetime(2025, 10, 1, tzinfo=UTC)
    svn_integer: int | None = None
    protected: Mapping[CborKey, CborValue] = field(default_factory=dict)
    unprotected: Mapping[CborKey, CborValue] = field(default_factory=dict)
    is_tagged: bool = True
    payload: bytes | None = None
    signed_by: str | None = None


def chain_of(form: UvmForm) -> tuple[bytes, ...]:
    """The certificates of a form in DER, leaf first."""
    issuers = (*form.chain[1:], form.chain[-1])
    return tuple(mint_uvm_certificate(each, issuer) for each, issuer in zip(form.chain, issuers, strict=True))


def did_of(authority: bytes, purpose: str = PURPOSE) -> str:
    """The identifier of an issuer under a certificate of an authority."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(authority).digest()).rstrip(b"=").decode("ascii")
    return f"did:x509:0:sha256:{digest}::eku:{purpose}"


ISSUER: Final = did_of(mint_uvm_certificate(ROOT, ROOT))


def mint_uvm_endorsement(form: UvmForm) -> bytes:
    """The endorsement of a form."""
    chain = chain_of(form)
    issuer = form.issuer or did_of(chain[-1])
    headers: dict[CborKey, CborValue] = {1: _ES256, 33: chain, 34: (-16, hashlib.sha256(chain[0]).digest())}
    signed_at = Tagged(1, int(form.signed_at.timestamp()))
    if form.generation is Generation.JSON:
        headers |= {3: "application/json", "iss": issuer, "feed": form.feed, "signingtime": signed_at}
        payload = _json_payload(form)
    else:
        claims: dict[CborKey, CborValue] = {1: issuer, 2: form.feed, 6: signed_at, "svn": form.svn}
        headers |= {15: claims, 258: _SHA384, 259: "application/octet-stream"}
        payload = form.launch_measurement
    protected = {label: value for label, value in {**headers, **form.protected}.items() if value is not None}
    return _sign(form, encode_cbor(protected), payload)


def _json_payload(form: UvmForm) -> bytes:
    members = {
        "x-ms-sevsnpvm-launchmeasurement": form.launch_measurement.hex(),
        "x-ms-sevsnpvm-guestsvn": str(form.svn),
        "x-ms-sevsnpvm-guestsvn-int": form.svn if form.svn_integer is None else form.svn_integer,
    }
    return json.dumps(members, indent=2).encode("ascii")


def _sign(form: UvmForm, protected: bytes, payload: bytes) -> bytes:
    signed = encode_cbor(("Signature1", protected, b"", payload))
    signature = sign_raw(form.signed_by or form.chain[0].key, signed)
    message = (protected, form.unprotected, payload if form.payload is None else form.payload, signature)
    return encode_cbor(Tagged(18, message) if form.is_tagged else message)


def forged(form: UvmForm) -> UvmForm:
    """The same names and issuer under keys of somebody else."""
    root = replace(ROOT, key="uvm forged root")
    authority = replace(AUTHORITY, key="uvm forged ca")
    return replace(form, chain=(replace(LEAF, key="uvm forged signer"), authority, root), issuer=ISSUER)

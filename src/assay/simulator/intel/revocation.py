"""Revocation lists of the synthetic Intel, encoded here so that no field is out of reach (RFC 5280, 5.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assay.simulator import der
from assay.simulator.intel.certificates import key_identifier, subject
from assay.simulator.intel.signed_json import WINDOW, Window
from assay.simulator.keys import sign_der

if TYPE_CHECKING:
    from datetime import datetime

    from assay.simulator.intel.certificates import CertificateForm
    from assay.simulator.intel.hierarchy import Hierarchy, PckCa

_ECDSA_WITH_SHA256: Final = der.sequence(der.oid("1.2.840.10045.4.3.2"))
_CRL_NUMBER, _AUTHORITY_KEY_ID, _REASON_CODE = "2.5.29.20", "2.5.29.35", "2.5.29.21"
_KEY_COMPROMISE: Final = 1
# Serial numbers that belong to nobody: genuine platform CA lists have tens of entries.
STRANGERS: Final = (0x6FC34E5023E728923435D61AA4B83C618166AD35, 0x2FAE6E9715FCA13B87E333E8261ED6D990A926AD)


@dataclass(frozen=True, slots=True)
class RevocationList:
    """A revocation list to be made; the defaults revoke nobody that exists.

    `issuer` None means the rightful authority; `signed_by` names another key than the issuer's; `authority_key_id`
    replaces the issuer's; `without_next_update` leaves that field out; `signature` replaces the DER signature;
    `critical_extension` adds an unknown critical extension; `keep` cuts the DER to its first bytes.
    """

    window: Window = WINDOW
    revoked: tuple[int, ...] = ()
    number: int = 1
    issuer: CertificateForm | None = None
    signed_by: str | None = None
    authority_key_id: bytes | None = None
    without_next_update: bool = False
    signature: bytes | None = None
    critical_extension: str | None = None
    keep: int | None = None


REVOCATION_LIST: Final = RevocationList()


def mint_pck_crl(form: RevocationList, at: datetime, ca: PckCa, hierarchy: Hierarchy) -> bytes:
    """The revocation list of a PCK authority, DER."""
    return _mint(form, at, hierarchy.pck_ca(ca))


def mint_root_crl(form: RevocationList, at: datetime, hierarchy: Hierarchy) -> bytes:
    """The revocation list of the root, DER."""
    return _mint(form, at, hierarchy.root)


def _mint(form: RevocationList, at: datetime, authority: CertificateForm) -> bytes:
    issuer = authority if form.issuer is None else form.issuer
    signed = _encode_list(form, at, issuer)
    signature = sign_der(form.signed_by or issuer.key, signed) if form.signature is None else form.signature
    encoded = der.sequence(signed, _ECDSA_WITH_SHA256, der.bit_string(signature))
    return encoded if form.keep is None else encoded[: form.keep]


def _encode_list(form: RevocationList, at: datetime, issuer: CertificateForm) -> bytes:
    issued = der.time(form.window.issued(at))
    entries = [der.sequence(der.integer(serial), issued, _reason()) for serial in form.revoked]
    return der.sequence(
        der.integer(1),
        _ECDSA_WITH_SHA256,
        subject(issuer).public_bytes(),
        issued,
        b"" if form.without_next_update else der.time(form.window.expires(at)),
        der.sequence(*entries) if entries else b"",
        der.explicit(0, _encode_extensions(form, issuer)),
    )


def _encode_extensions(form: RevocationList, issuer: CertificateForm) -> bytes:
    authority = key_identifier(issuer) if form.authority_key_id is None else form.authority_key_id
    extensions = [
        _extension(_CRL_NUMBER, der.integer(form.number)),
        _extension(_AUTHORITY_KEY_ID, der.sequence(der.encode(0x80, authority))),
    ]
    if form.critical_extension is not None:
        extensions.append(_extension(form.critical_extension, b"\x05\x00", der.boolean(value=True)))
    return der.sequence(*extensions)


def _reason() -> bytes:
    return der.sequence(_extension(_REASON_CODE, der.enumerated(_KEY_COMPROMISE)))


def _extension(dotted: str, value: bytes, critical: bytes = b"") -> bytes:
    return der.sequence(der.oid(dotted), critical, der.octet_string(value))

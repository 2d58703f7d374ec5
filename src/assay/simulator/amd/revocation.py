"""Revocation lists of the synthetic ARKs (RFC 5280, 5.1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from assay.simulator import der
from assay.simulator.amd.certificates import extension, key_identifier, subject
from assay.simulator.amd.signing import PSS, Scheme, sign_as_authority

if TYPE_CHECKING:
    from datetime import datetime

    from assay.simulator.amd.certificates import AmdCertificate

_CRL_NUMBER, _AUTHORITY_KEY_ID = "2.5.29.20", "2.5.29.35"


@dataclass(frozen=True, slots=True)
class AmdRevocationList:
    """A list to be made; the default revokes nobody. `before` and `after` are how far its window reaches from `at`."""

    revoked: tuple[int, ...] = ()
    before: timedelta = timedelta(days=30)
    after: timedelta = timedelta(days=335)
    issuer: AmdCertificate | None = None
    signed_by: str = ""
    scheme: Scheme = PSS
    authority_key_id: bytes | None = None
    keep: int | None = None


LIST: Final = AmdRevocationList()


def mint_amd_list(form: AmdRevocationList, at: datetime, ark: AmdCertificate) -> bytes:
    """The list in DER, issued by the ARK unless the form names another issuer."""
    issuer = form.issuer or ark
    issued = der.time(at - form.before)
    identifier = key_identifier(issuer) if form.authority_key_id is None else form.authority_key_id
    entries = [der.sequence(der.integer(serial), issued) for serial in form.revoked]
    signed = der.sequence(
        der.integer(1),
        form.scheme.identifier,
        subject(issuer),
        issued,
        der.time(at + form.after),
        der.sequence(*entries) if entries else b"",
        der.explicit(
            0,
            der.sequence(
                extension(_CRL_NUMBER, der.integer(1)),
                extension(_AUTHORITY_KEY_ID, der.sequence(der.encode(0x80, identifier))),
            ),
        ),
    )
    signature = sign_as_authority(form.signed_by or issuer.key, signed, form.scheme)
    encoded = der.sequence(signed, form.scheme.identifier, der.bit_string(signature))
    return encoded if form.keep is None else encoded[: form.keep]

"""A synthetic machine with a TPM: its boot, its attestation key with a certificate, and what the TPM says of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa

from assay.formats import base64url
from assay.formats.strict_json import JsonValue
from assay.simulator.rsa_keys import derive_rsa_key
from assay.simulator.tpm.boots import windows_boot
from assay.simulator.tpm.certificates import AIK_FORM, TpmCertificateForm, mint_tpm_ca, mint_tpm_certificate
from assay.simulator.tpm.event_log import FORM, LogForm, LoggedEvent, encode_log, pcr_values
from assay.simulator.tpm.structures import (
    ATTEST_FORM,
    RSASSA,
    SHA256,
    AttestForm,
    PublicForm,
    Selection,
    composite,
    encode_certification,
    encode_public,
    encode_quote,
    encode_signature,
    name_of,
    whole_selection,
)

_ALL_PCRS: Final = whole_selection(SHA256)
# userWithAuth, sensitiveDataOrigin, fixedParent, fixedTPM, sign: a signing key that is not restricted.
_SIGNING_KEY: Final = PublicForm(0x00040072)


@dataclass(frozen=True, slots=True)
class QuoteForm:
    """How the TPM quotes, and every odd thing about it; None means as it should be.

    `nonce` replaces the qualifying data that the protocol asks for; `signed_by` names another key; `values` replaces
    PCR values that are sent, and `left_out` PCRs of the selection that are not.
    """

    selection: Selection = _ALL_PCRS
    nonce: bytes | None = None
    attest: AttestForm = ATTEST_FORM
    scheme: int = RSASSA
    hash: int = SHA256
    signed_by: str | None = None
    pcr_digest: bytes | None = None
    values: Mapping[tuple[int, int], bytes] = field(default_factory=dict)
    left_out: frozenset[int] = frozenset()
    as_certification: bool = False


QUOTE: Final = QuoteForm()


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine that booted; `logged` replaces the events that its log tells, `raw_log` the log's octets.

    `authorities` are sent along with the certificate of the attestation key; without a `certificate` none is sent.
    """

    key: str = "tpm ak"
    certificate: TpmCertificateForm | None = AIK_FORM
    certified_key: str | None = None
    authorities: tuple[bytes, ...] = (mint_tpm_ca(),)
    events: tuple[LoggedEvent, ...] = windows_boot()
    logged: tuple[LoggedEvent, ...] | None = None
    raw_log: bytes | None = None
    ima: bytes | None = None
    log_form: LogForm = FORM
    quote: QuoteForm = QUOTE

    @property
    def private_key(self) -> rsa.RSAPrivateKey:
        return derive_rsa_key(self.key)

    @property
    def log(self) -> bytes:
        """The log as it is sent."""
        if self.raw_log is not None:
            return self.raw_log
        return encode_log(self.events if self.logged is None else self.logged, self.log_form)


MACHINE: Final = Machine()


def encode_jwk(key: rsa.RSAPublicKey) -> dict[str, JsonValue]:
    """A public key as JWK."""
    numbers = key.public_numbers()
    modulus = numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big")
    exponent = numbers.e.to_bytes((numbers.e.bit_length() + 7) // 8, "big")
    return {"kty": "RSA", "n": base64url.encode(modulus), "e": base64url.encode(exponent)}


def aik_certificate(machine: Machine) -> bytes:
    """The certificate of the attestation key, and the authorities that come along, one after the other."""
    if machine.certificate is None:
        return b""
    key = derive_rsa_key(machine.certified_key or machine.key).public_key()
    return mint_tpm_certificate(key, machine.certificate) + b"".join(machine.authorities)


def sign_quote(machine: Machine, nonce: bytes) -> tuple[bytes, bytes]:
    """TPMS_ATTEST and TPMT_SIGNATURE of a quote over the machine's PCRs."""
    form = machine.quote
    selection, banks = form.selection, pcr_values(machine.events, machine.log_form)
    pcr_digest = form.pcr_digest or composite(selection, banks, form.hash)
    attest = AttestForm(
        extra_data=nonce if form.nonce is None else form.nonce,
        signer=form.attest.signer,
        magic=form.attest.magic,
        clock=form.attest.clock,
        reset_count=form.attest.reset_count,
        restart_count=form.attest.restart_count,
        safe=form.attest.safe,
        firmware=form.attest.firmware,
        trailing=form.attest.trailing,
    )
    quote = (
        encode_certification(b"name", attest) if form.as_certification else encode_quote(selection, pcr_digest, attest)
    )
    signer = derive_rsa_key(form.signed_by or machine.key)
    return quote, encode_signature(signer, quote, form.scheme, form.hash)


def sent_values(machine: Machine) -> list[tuple[int, list[tuple[int, bytes]]]]:
    """The PCR values that are sent, bank by bank."""
    banks, form = pcr_values(machine.events, machine.log_form), machine.quote
    return [
        (
            bank,
            [
                (index, form.values.get((bank, index), banks[bank][index]))
                for index in indices
                if index not in form.left_out
            ],
        )
        for bank, indices in form.selection
    ]


@dataclass(frozen=True, slots=True)
class CertifiedKey:
    """How another key of the TPM is certified; None means as it should be."""

    public: PublicForm = _SIGNING_KEY
    nonce: bytes | None = None
    name: bytes | None = None
    signed_by: str | None = None
    public_of: str | None = None


CERTIFIED: Final = CertifiedKey()


def certify_key(machine: Machine, key: str, nonce: bytes, form: CertifiedKey = CERTIFIED) -> dict[str, JsonValue]:
    """`tpm_certify` of a key by the machine's attestation key."""
    public = encode_public(derive_rsa_key(form.public_of or key), form.public)
    attest = AttestForm(extra_data=nonce if form.nonce is None else form.nonce)
    certification = encode_certification(form.name or name_of(public), attest)
    signer = derive_rsa_key(form.signed_by or machine.key)
    return {
        "public": base64url.encode(public),
        "certification": base64url.encode(certification),
        "signature": base64url.encode(encode_signature(signer, certification)),
    }

"""Requests to attest a synthetic TPM, with any field chosen and every negative one change away."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from assay.formats import base64url
from assay.simulator.rsa_keys import derive_rsa_key
from assay.simulator.tpm.enclave import VBS_FORM, VbsForm, boot_with_enclaves, mint_vbs_report
from assay.simulator.tpm.machine import (
    CERTIFIED,
    MACHINE,
    CertifiedKey,
    Machine,
    aik_certificate,
    certify_key,
    encode_jwk,
    sent_values,
    sign_quote,
)
from assay.simulator.tpm.structures import SHA256, digest

CHALLENGE: Final = b"simulated nonce."
Members = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RequestForm:
    """A request; the default is a basic one of version 2 whose key is named in the quote.

    `binding` is `tpm_quote`, `tpm_certify` or empty. `change` edits the fields before they are signed, `header`
    replaces members of the JWS header, `signed_by` the key that signs. An `enclave` makes it an enclave's request.
    """

    version: int = 2
    machine: Machine = MACHINE
    boot: Machine | None = None
    request_key: str = "tpm request"
    binding: str = "tpm_quote"
    certified: CertifiedKey = CERTIFIED
    other_keys: tuple[tuple[str, CertifiedKey | None], ...] = ()
    rp_id: str | None = "https://relying.party.example"
    rp_data: str | None = "AQIDBA"
    challenge: bytes = CHALLENGE
    service_context: str = "offline"
    custom_claims: tuple[Mapping[str, object], ...] = ()
    enclave: VbsForm | None = None
    signed_by: str | None = None
    salt: int = 32
    header: Mapping[str, object] | None = None
    change: Callable[[Members], object] | None = None
    wrapped: bool = True


BASIC: Final = RequestForm()
ENCLAVE: Final = RequestForm(machine=replace(MACHINE, events=boot_with_enclaves()), enclave=VBS_FORM)


def mint_request(form: RequestForm = BASIC) -> bytes:
    """What stands, in base64url, under `data` of the second request."""
    inner = {"request": _sign(form, _payload(form))}
    return json.dumps({"payload": inner} if form.wrapped else inner, separators=(",", ":")).encode()


def _payload(form: RequestForm) -> str:
    fields = json.dumps(_fields(form), separators=(",", ":"))
    if form.enclave is None:
        return f'{{"att_type":"basic","att_data":{fields}}}'
    report = base64url.encode(mint_vbs_report(fields, form.enclave))
    vsm = json.dumps(report if form.version == 1 else {"enclave": {"report": report}})
    return f'{{"att_type":"vbs","att_data":{{"report_signed":{fields},"vsm_report":{vsm}}}}}'


def _sign(form: RequestForm, payload: str) -> str:
    header = {"alg": "PS256", "typ": "attReq" if form.version == 1 else "attReqV2", **(form.header or {})}
    signed = ".".join(base64url.encode(part.encode()) for part in (json.dumps(header), payload))
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), form.salt)
    key = derive_rsa_key(form.signed_by or form.request_key)
    return f"{signed}.{base64url.encode(key.sign(signed.encode(), pss, hashes.SHA256()))}"


def _fields(form: RequestForm) -> Members:
    fields: Members = {"challenge": base64url.encode(form.challenge), "service_context": form.service_context}
    fields.update({name: value for name, value in (("rp_id", form.rp_id), ("rp_data", form.rp_data)) if value})
    jwk = encode_jwk(derive_rsa_key(form.request_key).public_key())
    if form.version == 1:
        fields["tpm_att_data"] = _version_1(form)
        fields["attest_key"] = jwk
    else:
        key, nonce = _request_key(form, jwk)
        fields["tpm_att_data"] = {"current_attestation": _attestation(form.machine, nonce)}
        if form.boot is not None:
            fields["tpm_att_data"]["boot_attestation"] = _attestation(form.boot, b"")
        fields["request_key"] = key
        fields["other_keys"] = [_other_key(form, name, certified) for name, certified in form.other_keys]
    fields["custom_claims"] = [dict(claim) for claim in form.custom_claims]
    if form.change is not None:
        form.change(fields)
    return fields


def _request_key(form: RequestForm, jwk: Members) -> tuple[Members, bytes]:
    """The request's key with what binds it, and the qualifying data of the quote."""
    if form.binding == "tpm_quote":
        text = json.dumps(jwk, separators=(",", ":"))
        nonce = digest(SHA256, text.encode() + b"\0" + form.challenge)
        return {"jwk": jwk, "info": {"tpm_quote": {"hash_alg": "sha-256"}}}, nonce
    if form.binding == "tpm_certify":
        certified = certify_key(form.machine, form.request_key, form.challenge, form.certified)
        return {"jwk": jwk, "info": {"tpm_certify": certified}}, form.challenge
    return {"jwk": jwk}, form.challenge


def _other_key(form: RequestForm, name: str, certified: CertifiedKey | None) -> Members:
    jwk = encode_jwk(derive_rsa_key(name).public_key())
    if certified is None:
        return {"jwk": jwk}
    return {"jwk": jwk, "info": {"tpm_certify": certify_key(form.machine, name, form.challenge, certified)}}


def _attestation(machine: Machine, nonce: bytes) -> Members:
    quote, signature = sign_quote(machine, nonce)
    logs = [{"type": "TCG", "log": base64url.encode(machine.log)}]
    if machine.ima is not None:
        logs.append({"type": "IMA", "log": base64url.encode(machine.ima)})
    pcrs = [
        {"algorithm": bank, "values": [{"index": index, "digest": base64url.encode(value)} for index, value in values]}
        for bank, values in sent_values(machine)
    ]
    return {
        "logs": logs,
        **_key_members(machine),
        "pcrs": pcrs,
        "quote": base64url.encode(quote),
        "signature": base64url.encode(signature),
    }


def _key_members(machine: Machine) -> Members:
    members: Members = {"aik_pub": encode_jwk(machine.private_key.public_key())}
    if machine.certificate is not None:
        members["aik_cert"] = base64url.encode(aik_certificate(machine))
    return members


def _version_1(form: RequestForm) -> Members:
    """The boot log alone, or of a resumed machine the logs of the boot and of the resume."""
    moment = "boot" if form.boot is None else "resume"
    members = {
        **_key_members(form.machine),
        f"srtm_{moment}_log": base64url.encode(form.machine.log),
        "current_claim": base64url.encode(_platform_claim(form.machine, form.challenge)),
    }
    if form.boot is not None:
        members["srtm_boot_log"] = base64url.encode(form.boot.log)
        members["boot_claim"] = base64url.encode(_platform_claim(form.boot, b""))
    return members


def _platform_claim(machine: Machine, nonce: bytes) -> bytes:
    quote, signature = sign_quote(machine, nonce)
    ((bank, values),) = sent_values(machine)
    content = b"".join(value for _, value in values)
    return (
        struct.pack("<4sIIIII", b"TPLA", 0, bank, len(signature), len(quote), len(content))
        + signature
        + quote
        + content
    )

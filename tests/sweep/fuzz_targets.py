"""One fuzz target per parser: what it is given, what may come out, and where it starts from."""

from __future__ import annotations

import base64
import io
import json
import struct
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from assay.cli.log_view import view_event_log, view_ima
from assay.cli.pcr_values import parse_pcr_values
from assay.client.local.quote_generation import request_quote
from assay.client.protocol import Reply, read_answer, read_key_set
from assay.client.sealed_answer import open_answer
from assay.collateral.recognition import recognise
from assay.endorsements.amd.spellings import read_certificates
from assay.endorsements.amd.vek import parse_vek
from assay.endorsements.documents import Document, DocumentKind
from assay.endorsements.intel.enclave_identity import parse_enclave_identity
from assay.endorsements.intel.pck import SGX_EXTENSION, parse_pck_extension
from assay.endorsements.intel.signing_chain import parse_signing_chain
from assay.endorsements.intel.tcb_info import parse_tcb_info
from assay.endorsements.microsoft.uvm import parse_uvm_endorsement, read_release
from assay.errors import AssayError, MalformedEvidence
from assay.evidence._hcl.report import parse_hcl_report
from assay.evidence._hcl.runtime_claims import parse_runtime_claims
from assay.evidence._intel_quote.certification import parse_certification_block
from assay.evidence._snp.report import parse_snp_report
from assay.evidence._tcg.efi import parse_signature_lists, parse_variable
from assay.evidence._tcg.event_log import parse_cc_event_log
from assay.evidence._tcg.sipa import parse_tagged
from assay.evidence._tcg.tagged_json import describe_event
from assay.evidence.azure_guest.attestation_info import parse_attestation_info
from assay.evidence.azure_guest.sealing import seal_token
from assay.evidence.open_enclave.report import parse_open_enclave
from assay.evidence.sev_snp_vm.report import parse_sev_snp_vm
from assay.evidence.sev_snp_vm.uvm_checks import parse_endorsements
from assay.evidence.sgx_enclave import SGX_ENCLAVE
from assay.evidence.sgx_enclave.quote import parse_sgx_quote
from assay.evidence.tdx_vm.quote import parse_tdx_quote
from assay.formats import base64url, pem, strict_json
from assay.formats.base64url import Base64Error
from assay.formats.cbor import decode_cbor, encode_cbor
from assay.formats.cose import parse_cose_sign1
from assay.formats.jws import parse_jws
from assay.formats.strict_json import JsonError
from assay.pki.certificate import parse_certificate
from assay.pki.did_x509 import DidError, parse_did_x509
from assay.pki.revocation import parse_revocation_list
from assay.policy import compile_policy, draft_policy
from assay.simulator import SnpRecipe, TrustDomain, simulate_open_enclave, simulate_sgx, simulate_snp, simulate_tdx
from assay.simulator.azure_guest import simulate_guest
from assay.simulator.microsoft.uvm import ISSUER, Generation, UvmForm, mint_uvm_endorsement
from assay.simulator.tpm.boots import linux_boot, windows_boot
from assay.simulator.tpm.event_log import (
    CC,
    EVENT_TAG,
    FORM,
    LEGACY,
    SHA256_SIGNATURE,
    LogForm,
    encode_log,
    signature_list,
    variable_data,
)
from assay.simulator.tpm.ima import Measurement, encode_ascii, encode_binary
from tests.evidence.hcl.reports import CLAIMS, Report

if TYPE_CHECKING:
    from collections.abc import Callable

AT = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Target:
    """`run` takes any octets and raises nothing but `allowed`."""

    name: str
    run: Callable[[bytes], object]
    seeds: tuple[bytes, ...]
    allowed: tuple[type[Exception], ...] = (AssayError,)


def _document(kind: DocumentKind, body: bytes, chain: bytes = b"") -> Document:
    return Document(kind, body, chain)


def _decode_request(content: bytes) -> object:
    members = strict_json.decode_object(content)
    return SGX_ENCLAVE.decode({name.lower(): value for name, value in members.items()})


def _text(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape").encode("utf-8", "replace").decode("utf-8")


def _view_log(content: bytes) -> object:
    return view_event_log(content).fields


def _measured_boots() -> tuple[Target, ...]:
    """Event logs and what is read out of their events."""
    boot = windows_boot()
    logs = (
        encode_log(boot, FORM),
        encode_log(boot, LogForm(locality=3, padding=bytes(32))),
        encode_log(linux_boot(), LEGACY),
    )
    measured = [Measurement("/usr/bin/init", b"init"), Measurement("kernel_version", b"6.1", buffer=True)]
    content = signature_list(b"certificate") + signature_list(bytes(32), kind=SHA256_SIGNATURE)
    boundaries = tuple(event.data for event in boot if event.kind == EVENT_TAG)
    return (
        Target("event-log", _view_log, logs),
        Target("cc-event-log", parse_cc_event_log, (encode_log([replace(boot[0], pcr=1)], CC),)),
        Target("efi-variable", parse_variable, (variable_data("SecureBoot", b"\1"),)),
        Target("efi-signature-lists", parse_signature_lists, (content,)),
        Target("tagged-event", lambda c: describe_event(parse_tagged(c)), boundaries),
        Target("ima", view_ima, (encode_ascii(measured), encode_binary(measured))),
        Target("pcr-values", parse_pcr_values, (b'{"sha256":{"0":"00"}}', b"sha256:\n  0 : 0x00\n")),
    )


def _guest_targets() -> tuple[Target, ...]:
    """A guest's request as a text and member by member, the paravisor's report, the sealed answer."""
    guest = simulate_guest(AT, "Tdx")
    members = json.loads(guest.evidence)
    octets = tuple(
        base64.b64decode(members["TpmInfo"][name])
        for name in ("PcrQuote", "EncKeyCertifyInfo", "AikPub", "EncKeyPub", "AikCert")
    )
    sealed = seal_token("a.b.c", guest.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return (
        Target("attestation-info", parse_attestation_info, (guest.evidence,)),
        Target("attestation-info-members", lambda c: _parse_with(members, c), octets),
        Target("hcl-report", parse_hcl_report, (Report().encode(), Report(report_type=4, data_version=2).encode())),
        Target("runtime-claims", parse_runtime_claims, (CLAIMS,)),
        Target(
            "sealed-answer",
            lambda c: open_answer(base64url.encode(c), lambda inner: guest.key.decrypt(inner, PKCS1v15())),
            (base64url.decode_lenient(str(sealed["token"])),),
        ),
    )


def _parse_with(members: dict[str, Any], content: bytes) -> None:
    """The octets as each byte string of a request in turn; raises what the last of them that is refused raises."""
    refused: AssayError | None = None
    text = base64.b64encode(content).decode()
    for name in ("PcrQuote", "EncKeyCertifyInfo", "AikPub", "EncKeyPub", "AikCert"):
        changed = {**members, "TpmInfo": {**members["TpmInfo"], name: text}}
        try:
            parse_attestation_info(json.dumps(changed).encode())
        except AssayError as error:
            refused = error
    if refused is not None:
        raise refused


def _confidential_containers() -> tuple[Target, ...]:
    """CBOR, COSE, the names of issuers, endorsements of utility machines."""
    form = UvmForm(bytes(48))
    endorsements = tuple(mint_uvm_endorsement(replace(form, generation=each)) for each in Generation)
    member = json.dumps({"Uvm": [base64.urlsafe_b64encode(endorsements[0]).decode().rstrip("=")]}).encode()
    return (
        Target("cbor", lambda c: decode_cbor(c, "fuzz"), (encode_cbor({1: (b"a", "b", None, -5)}), *endorsements)),
        Target("cose", lambda c: parse_cose_sign1(c, "fuzz", 1 << 18), endorsements),
        Target("did-x509", lambda c: parse_did_x509(_text(c)), (ISSUER.encode(),), (DidError,)),
        Target("uvm-endorsement", lambda c: read_release(parse_uvm_endorsement(c).message), endorsements),
        Target("uvm-member", parse_endorsements, (member,)),
    )


class _Heard:
    """A stream on which a host says these octets."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)

    def sendall(self, _content: bytes, /) -> None:
        """Nobody listens."""

    def recv(self, size: int, /) -> bytes:
        return self._content.read(size)

    def close(self) -> None:
        """Nothing is open."""


def _quoting_service() -> Target:
    """What the host of a trust domain answers; it is not trusted."""
    answer = bytes.fromhex("010001000100000058000000000000000000000040000000") + bytes(64)
    frame = len(answer).to_bytes(4, "big") + answer
    return Target("quoting-service", lambda c: request_quote("host", _Heard(c), bytes(1024)), (frame,))


def _snp_targets() -> tuple[Target, ...]:
    """SEV-SNP reports in their spellings, AMD's certificates, and the files that hold them."""
    made = simulate_snp(SnpRecipe(AT, b"held data"))
    leaf, authority, root = made.chain
    head = struct.pack("<16sII", bytes.fromhex("63da758de6644564adc5f4b93be8accd"), 48, len(leaf))
    table = head + bytes(24) + leaf
    text = b"".join(pem.encode(one, "CERTIFICATE") for one in made.chain)
    cache = json.dumps({"vcekCert": text.decode(), "tcbm": "00", "certificateChain": text.decode()}).encode()
    return (
        Target("snp-report", parse_snp_report, (made.report,)),
        Target("snp-evidence", parse_sev_snp_vm, (made.evidence, made.report + table)),
        Target("vek", lambda c: parse_vek(parse_certificate(c)), (leaf, authority)),
        Target(
            "amd-certificates", lambda c: read_certificates(c, "fuzz", MalformedEvidence), (text, cache, table, root)
        ),
        Target("amd-file", lambda c: recognise("thim.json", c), (text, cache, leaf, made.crl or b"")),
    )


def targets() -> tuple[Target, ...]:
    """Every parser of untrusted input."""
    sgx, enclave = simulate_sgx(AT, runtime_data=b"held"), simulate_open_enclave(AT)
    quote, collateral = sgx.quote, sgx.collateral
    chain = pem.decode_certificates(collateral.tcb_signing_chain, "chain", MalformedEvidence)
    domain, domain_1_5 = simulate_tdx(AT), simulate_tdx(AT, domain=TrustDomain(body=3))
    pck = parse_sgx_quote(quote).block.certificates[0]
    encoded = base64.urlsafe_b64encode(quote).rstrip(b"=").decode()
    held = {"data": "aGVsZA", "dataType": "Binary"}
    body = json.dumps({"quote": encoded, "runtimeData": held, "nonce": 18446744073709551615}).encode()
    policy = (SGX_ENCLAVE.default_policy or "").encode()
    tcb_info, identity = DocumentKind.INTEL_TCB_INFO, DocumentKind.INTEL_QE_IDENTITY
    return (
        Target("quote", parse_sgx_quote, (quote,)),
        Target("td-quote", parse_tdx_quote, (domain.quote, domain_1_5.quote)),
        Target("open-enclave", parse_open_enclave, (enclave.evidence, quote)),
        Target("certification-block", parse_certification_block, (quote[436 + 64 :],)),
        Target("pck-extension", parse_pck_extension, (pck.extensions.vendor.get(SGX_EXTENSION) or b"",)),
        Target("certificate", parse_certificate, (*chain, pck.der)),
        Target(
            "pem", lambda c: pem.decode_certificates(c, "chain", MalformedEvidence), (collateral.tcb_signing_chain,)
        ),
        Target(
            "revocation-list",
            lambda c: parse_revocation_list(c, "list"),
            (collateral.pck_crl, collateral.root_ca_crl, pem.encode(collateral.pck_crl, "X509 CRL")),
        ),
        Target(
            "tcb-info",
            lambda c: parse_tcb_info(_document(tcb_info, c)),
            (collateral.tcb_info, domain.collateral.tcb_info),
        ),
        Target("qe-identity", lambda c: parse_enclave_identity(_document(identity, c)), (collateral.qe_identity,)),
        Target(
            "signing-chain",
            lambda c: parse_signing_chain(_document(tcb_info, b"", c)),
            (collateral.tcb_signing_chain,),
        ),
        *_guest_targets(),
        _quoting_service(),
        Target("json", strict_json.decode, (body, collateral.tcb_info), (JsonError,)),
        Target("base64", lambda c: base64url.decode_lenient(_text(c)), (encoded.encode(),), (Base64Error,)),
        Target("request", _decode_request, (body,), (AssayError, JsonError)),
        Target("policy", lambda c: compile_policy(_text(c)), (policy,)),
        Target("draft-policy", lambda c: draft_policy(_text(c)), (policy, b"eyJhbGciOiJub25lIn0.e30.")),
        Target("jws", lambda c: parse_jws(_text(c)), (b"eyJhbGciOiJSUzI1NiJ9.e30.c2ln",)),
        Target("answer", lambda c: read_answer(Reply(200, {}, c)), (b'{"token":"a.b.c"}',)),
        Target(
            "refusal", lambda c: read_answer(Reply(400, {}, c)), (b'{"error":{"code":"x","details":[{"target":"y"}]}}',)
        ),
        Target(
            "key-set",
            lambda c: read_key_set(Reply(200, {}, c)),
            (b'{"keys":[{"kid":"a","kty":"RSA","x5c":["AA=="]}]}',),
        ),
        *_measured_boots(),
        *_confidential_containers(),
        *_snp_targets(),
    )

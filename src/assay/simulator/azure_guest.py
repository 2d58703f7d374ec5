"""Synthetic guests of Azure: a virtual TPM, a boot, an encryption key and, of a confidential VM, a hardware report."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from assay.simulator.amd.recipe import SnpRecipe, simulate_snp
from assay.simulator.amd.report import REPORT, SnpReport
from assay.simulator.intel.trust_domain import TrustDomain
from assay.simulator.recipe import simulate, tdx_recipe
from assay.simulator.rsa_keys import derive_rsa_key
from assay.simulator.tpm import structures
from assay.simulator.tpm.boots import FIRMWARE, FirmwareForm, LinuxForm, WindowsForm, linux_boot, windows_boot
from assay.simulator.tpm.certificates import TpmCertificateForm, mint_tpm_certificate
from assay.simulator.tpm.event_log import LogForm, LoggedEvent, encode_log, pcr_values
from assay.simulator.tpm.structures import ATTEST_FORM, ATTESTATION_FORM, SHA256, AttestForm, PublicForm

IsolationType = Literal["TrustedLaunch", "SevSnp", "Tdx"]
ISOLATIONS: Final[tuple[IsolationType, ...]] = ("TrustedLaunch", "SevSnp", "Tdx")

LINUX_PCRS: Final = tuple(range(8))
WINDOWS_PCRS: Final = (*range(8), 11, 12, 13, 14)
VM_ID: Final = "6F9619FF-8B86-4011-B42D-00C04FC964FF"
_CERTIFICATE: Final = TpmCertificateForm(
    "5ca1ab1e0000.TrustedVM.Assay.Simulator", ("2.23.133.8.3", "1.3.6.1.4.1.311.10.3.12")
)


WriteCollateral = Callable[[Path], None]
# Makes the proof over 64 octets of report data.
MintProof = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Guest:
    """A guest; a base guest is good, a negative is one with something replaced.

    `ak`, `signer`, `certified` and `certifier` are names of RSA keys: the attestation key that is sent, who signs the
    quote, the key of the certificate, who signs the certification. `pcrs` are quoted, `sent_pcrs` replace the values
    that are sent, `pcr_set` the indices that are listed, `log_events` the events that are shown. `runtime_claims`
    replace the claims that the paravisor states, `sent_runtime_claims` those that are sent. `members` replace members
    of the request, `tpm_members` those of TpmInfo.
    """

    at: datetime
    isolation: IsolationType = "TrustedLaunch"
    windows: bool = False
    version: str = "2.0"
    firmware: FirmwareForm = FIRMWARE
    events: tuple[LoggedEvent, ...] | None = None
    log_events: tuple[LoggedEvent, ...] | None = None
    pcrs: tuple[int, ...] | None = None
    bank: int = SHA256
    sent_pcrs: Mapping[int, bytes] | None = None
    pcr_set: tuple[int, ...] | None = None
    ak: str = "tpm ak"
    ak_form: PublicForm = ATTESTATION_FORM
    signer: str | None = None
    certified: str | None = None
    certificate: TpmCertificateForm = _CERTIFICATE
    quote: AttestForm = ATTEST_FORM
    certifier: str | None = None
    certification: AttestForm = ATTEST_FORM
    encryption_key: str = "tpm ephemeral"
    encryption_attributes: int = structures.ENCRYPTION_KEY
    encryption_scheme: int = structures.RSAES
    encryption_policy: bytes | None = None
    certified_key: str | None = None
    hash_name: str = "sha256"
    runtime_claims: bytes | None = None
    sent_runtime_claims: bytes | None = None
    mint_proof: MintProof | None = None
    payload: Mapping[str, Any] | None = field(default_factory=lambda: {"nonce": "YXNzYXkgZGVtbyBub25jZQ=="})
    members: Mapping[str, Any] = field(default_factory=dict)
    tpm_members: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def booted(self) -> tuple[LoggedEvent, ...]:
        """What really happened."""
        if self.events is not None:
            return self.events
        return (
            windows_boot(WindowsForm(firmware=self.firmware))
            if self.windows
            else linux_boot(LinuxForm(firmware=self.firmware))
        )

    @property
    def quoted(self) -> tuple[int, ...]:
        if self.pcrs is not None:
            return self.pcrs
        return WINDOWS_PCRS if self.windows else LINUX_PCRS

    @property
    def selection(self) -> tuple[tuple[int, tuple[int, ...]], ...]:
        return ((self.bank, self.quoted),)

    @cached_property
    def values(self) -> Mapping[int, bytes]:
        """The quoted PCRs."""
        values = pcr_values(self.booted, LogForm((self.bank,)))[self.bank]
        return {index: values[index] for index in self.quoted}

    @cached_property
    def stated_claims(self) -> bytes:
        """The runtime claims of the paravisor, which the hardware report binds."""
        return self.runtime_claims or encode_runtime_claims(derive_rsa_key(self.ak).public_key())

    def encryption_public(self, key: str) -> bytes:
        policy = self.encryption_policy
        if policy is None:
            policy = structures.pcr_policy(self.selection, {self.bank: self.values})
        form = PublicForm(self.encryption_attributes, policy=policy, scheme=self.encryption_scheme)
        return structures.encode_public(derive_rsa_key(key), form)


def encode_runtime_claims(attestation_key: rsa.RSAPublicKey) -> bytes:
    """The claims of a paravisor about the keys of its virtual TPM and its configuration."""
    ek = derive_rsa_key("tpm ek").public_key()
    members = {
        "keys": [_jwk("HCLAkPub", "sign", attestation_key), _jwk("HCLEkPub", "encrypt", ek)],
        "vm-configuration": {
            "console-enabled": True,
            "root-cert-thumbprint": "",
            "secure-boot": True,
            "tpm-enabled": True,
            "tpm-persisted": True,
            "vmUniqueId": VM_ID,
        },
        "user-data": "00" * 64,
    }
    return json.dumps(members, separators=(",", ":")).encode()


def _jwk(name: str, use: str, key: rsa.RSAPublicKey) -> dict[str, Any]:
    numbers = key.public_numbers()
    return {"kid": name, "key_ops": [use], "kty": "RSA", "e": _number(numbers.e), "n": _number(numbers.n)}


def _number(value: int) -> str:
    octets = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def bound_report_data(claims: bytes, hash_name: str = "sha256") -> bytes:
    """The 64 octets that hardware is asked to report: the hash of the claims, then zeros."""
    return hashlib.new(hash_name, claims).digest().ljust(64, b"\x00")


def mint_attestation_info(guest: Guest) -> bytes:
    """The JSON that the guest sends."""
    members: dict[str, Any] = {
        "AttestationProtocolVersion": guest.version,
        "ClientPayload": guest.payload,
        "OSBuild": _text("NotApplicable" if guest.windows else "NotApplication"),
        "OSDistro": _text("Microsoft" if guest.windows else "Ubuntu"),
        "OSType": _text("Windows" if guest.windows else "Linux"),
        "OSVersionMajor": 10 if guest.windows else 24,
        "OSVersionMinor": 0 if guest.windows else 4,
        "TcgLogs": _octets(encode_log(guest.booted if guest.log_events is None else guest.log_events)),
        "TpmInfo": {**_tpm_info(guest), **guest.tpm_members},
    }
    if guest.version != "1.0":
        members["IsolationInfo"] = _isolation_info(guest)
    return json.dumps({**members, **guest.members}).encode()


def _tpm_info(guest: Guest) -> dict[str, Any]:
    key = derive_rsa_key(guest.ak)
    public = structures.encode_public(key, guest.ak_form)
    certificate = mint_tpm_certificate(derive_rsa_key(guest.certified or guest.ak).public_key(), guest.certificate)
    form = guest.quote if guest.quote.signer else replace(guest.quote, signer=structures.qualified_name(public))
    composite = structures.composite(guest.selection, {guest.bank: guest.values})
    quote = structures.encode_quote(guest.selection, composite, form)
    encryption = guest.encryption_public(guest.encryption_key)
    name = structures.name_of(guest.encryption_public(guest.certified_key or guest.encryption_key))
    certification = structures.encode_certification(name, guest.certification)
    sent = guest.values if guest.sent_pcrs is None else guest.sent_pcrs
    return {
        "AikCert": _octets(certificate.ljust(4096, b"\x00")),
        "AikPub": _octets(structures.sized(public)),
        "PCRs": [{"Index": index, "Digest": _octets(value)} for index, value in sent.items()],
        "PcrSet": list(guest.quoted if guest.pcr_set is None else guest.pcr_set),
        "PcrQuote": _octets(quote),
        "PcrSignature": _octets(structures.raw_signature(derive_rsa_key(guest.signer or guest.ak), quote)),
        "EncKeyPub": _octets(structures.sized(encryption)),
        "EncKeyCertifyInfo": _octets(certification),
        "EncKeyCertifyInfoSignature": _octets(
            structures.raw_signature(derive_rsa_key(guest.certifier or guest.ak), certification)
        ),
    }


def _isolation_info(guest: Guest) -> dict[str, Any]:
    if guest.mint_proof is None:
        return {"Type": guest.isolation}
    proof = guest.mint_proof(bound_report_data(guest.stated_claims, guest.hash_name))
    claims = guest.stated_claims if guest.sent_runtime_claims is None else guest.sent_runtime_claims
    return {"Type": guest.isolation, "Evidence": {"Proof": _octets(proof), "RunTimeData": _octets(claims)}}


def _octets(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _text(text: str) -> str:
    return _octets(text.encode())


@dataclass(frozen=True, slots=True)
class SimulatedGuest:
    """A guest's request, the key that opens the answer (a real one never leaves its TPM), the hardware's collateral.

    `collateral` writes what a verifier needs for the hardware into a directory; None for Trusted Launch.
    """

    at: datetime
    evidence: bytes
    key: rsa.RSAPrivateKey
    collateral: WriteCollateral | None
    file_name: str = "attestation_info.json"
    key_name: str = "guest_key.pem"

    def write(self, directory: Path) -> None:
        """Writes the request, the key in PEM, and `collateral` where there is hardware."""
        (directory / self.file_name).write_bytes(self.evidence)
        encoded = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (directory / self.key_name).write_bytes(encoded)
        if self.collateral is not None:
            self.collateral(directory / "collateral")


def mint_tdx_proof(report_data: bytes, at: datetime) -> bytes:
    """The quote of a trust domain over the report data."""
    return simulate(tdx_recipe(at, domain=replace(TrustDomain(), report_data=report_data))).evidence


def mint_snp_proof(report_data: bytes, at: datetime, report: SnpReport = REPORT) -> bytes:
    """An SNP report over the report data, requested at VMPL 0, with the certificates of its chip."""
    return simulate_snp(SnpRecipe(at, report=replace(report, report_data=report_data))).evidence


def good_guest(at: datetime, isolation: IsolationType = "TrustedLaunch", *, windows: bool = False) -> Guest:
    """A guest of this isolation that every check accepts."""
    guest = Guest(at, isolation, windows)
    match isolation:
        case "TrustedLaunch":
            return guest
        case "SevSnp":
            return replace(guest, mint_proof=lambda data: mint_snp_proof(data, at))
        case "Tdx":
            return replace(guest, mint_proof=lambda data: mint_tdx_proof(data, at))


def simulate_guest(
    at: datetime, isolation: IsolationType = "TrustedLaunch", *, windows: bool = False
) -> SimulatedGuest:
    """A good guest with what its hardware needs."""
    guest = good_guest(at, isolation, windows=windows)
    key = derive_rsa_key(guest.encryption_key)
    return SimulatedGuest(at, mint_attestation_info(guest), key, _write_collateral(at, isolation))


def _write_collateral(at: datetime, isolation: IsolationType) -> WriteCollateral | None:
    match isolation:
        case "TrustedLaunch":
            return None
        case "SevSnp":
            return lambda directory: simulate_snp(SnpRecipe(at)).write_endorsements(directory)
        case "Tdx":
            return simulate(tdx_recipe(at)).collateral.write

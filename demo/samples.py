"""What is attested: for each supported type of evidence, pieces made by the simulator, each with a tampered copy."""

from __future__ import annotations

import base64
import json
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

from assay.client.shells import submission
from assay.evidence import EVIDENCE_TYPES
from assay.formats import base64url
from assay.simulator import (
    Chip,
    Enclave,
    EvidenceForm,
    Machine,
    Platform,
    ReportForm,
    SnpRecipe,
    SnpReport,
    TrustDomain,
    simulate_open_enclave,
    simulate_sgx,
    simulate_snp,
    simulate_tdx,
)
from assay.simulator.azure_guest import VM_ID, SimulatedGuest, good_guest, simulate_guest
from assay.simulator.intel.trust_domain import TD_1_5
from assay.simulator.tpm.event_log import encode_log
from demo.measured_boots import NAMES, measured_steps
from demo.steps import Accepted, Refused, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from assay.client.sealed_answer import DecryptKey
    from assay.evidence.base import Submission
    from assay.formats.strict_json import JsonValue
    from assay.simulator import Simulated, SimulatedSnp

# Offsets in a quote (quote-verification 1.1 to 1.4): header, report body, length, signature, key, QE report.
MR_ENCLAVE: Final = 48 + 64
REPORT_DATA: Final = 48 + 320
SIGNATURE: Final = 48 + 384 + 4
ATTESTATION_KEY: Final = SIGNATURE + 64
QE_REPORT: Final = ATTESTATION_KEY + 64
# In a trust domain's: MRTD and RTMR0 behind the header, in version 5 also behind the body's descriptor.
MR_TD: Final = 48 + 136
RTMR_0: Final = 48 + 328
DESCRIPTOR: Final = 6
# In a SEV-SNP report (quote-verification 8).
KEY_INFORMATION: Final = 0x48
MEASUREMENT: Final = 0x90
REPORTED_TCB: Final = 0x180

PLATFORM_CA: Final = Machine(Platform("demo, platform CA", ca="platform", fmspc="5ca1ab1e0002"))
UNKNOWN_MODEL: Final = Machine(Platform("demo, unknown model", fmspc="5ca1ab1e00ff"))
_BINARY: Final = b"the public key of an enclave, say"
_JSON: Final = b'{"role":"demo","keys":[{"kid":"enclave-key-1"}]}'


@dataclass(frozen=True, slots=True)
class Sample:
    """One piece of evidence: what it is, and a copy that is damaged as `tampering` says and refused by `check`."""

    what: str
    made: Simulated | SimulatedSnp | SimulatedGuest
    tampering: str
    tampered: bytes
    check: str
    data_type: str = "Binary"
    members: Mapping[str, JsonValue] = field(default_factory=dict)

    def submission(self, evidence: bytes) -> Submission:
        held = None if isinstance(self.made, SimulatedGuest) else self.made.runtime_data
        return submission(evidence, runtime_data=held, runtime_data_type=self.data_type)

    @property
    def opening(self) -> DecryptKey | None:
        """What opens an answer that is sealed to the attester: of a guest, the key that a real TPM would hold."""
        made = self.made
        return (lambda sealed: made.key.decrypt(sealed, PKCS1v15())) if isinstance(made, SimulatedGuest) else None


def flip(evidence: bytes, offset: int) -> bytes:
    """The evidence with one bit turned over."""
    return evidence[:offset] + bytes([evidence[offset] ^ 1]) + evidence[offset + 1 :]


def _sgx(at: datetime) -> tuple[Sample, ...]:
    plain = simulate_sgx(at)
    binary = simulate_sgx(at, machine=PLATFORM_CA, runtime_data=_BINARY)
    json = simulate_sgx(at, runtime_data=_JSON)
    return (
        Sample(
            "quote, Processor CA",
            plain,
            "a bit of MRENCLAVE flipped",
            flip(plain.evidence, MR_ENCLAVE),
            "quote.signature",
            members=_report(plain),
        ),
        Sample(
            "quote, Platform CA, Binary runtime data",
            binary,
            "a bit of the QE report flipped",
            flip(binary.evidence, QE_REPORT),
            "qe_report.signature",
            members={**_report(binary), "x-ms-sgx-ehd": base64url.encode(_BINARY)},
        ),
        Sample(
            "quote, Processor CA, JSON runtime data",
            json,
            "a bit of the signature flipped",
            flip(json.evidence, SIGNATURE),
            "quote.signature",
            "JSON",
            {**_report(json), "x-ms-runtime": {"role": "demo", "keys": [{"kid": "enclave-key-1"}]}},
        ),
    )


def _open_enclave(at: datetime) -> tuple[Sample, ...]:
    report = simulate_open_enclave(at, runtime_data=_BINARY, envelope=ReportForm())
    claims = (("greeting", b"hello"),)
    evidence = simulate_open_enclave(at, envelope=EvidenceForm(claims=claims))
    head = struct.calcsize("<IIQ")
    return (
        Sample(
            "report, Binary runtime data",
            report,
            "a bit of the report data flipped",
            flip(report.evidence, head + REPORT_DATA),
            "quote.signature",
            members={**_report(report), "x-ms-sgx-ehd": base64url.encode(_BINARY)},
        ),
        Sample(
            "evidence with custom claims",
            evidence,
            "a bit of a custom claim flipped",
            flip(evidence.evidence, len(evidence.evidence) - 1),
            "custom_claims.binding",
            members=_report(evidence),
        ),
    )


def _tdx(at: datetime) -> tuple[Sample, ...]:
    plain = simulate_tdx(at, runtime_data=_BINARY)
    later = simulate_tdx(at, runtime_data=_JSON, domain=TrustDomain(body=TD_1_5))
    return (
        Sample(
            "quote version 4, TD 1.0, Binary runtime data",
            plain,
            "a bit of MRTD flipped",
            flip(plain.evidence, MR_TD),
            "quote.signature",
            members=_domain(plain, MR_TD),
        ),
        Sample(
            "quote version 5, TD 1.5, JSON runtime data",
            later,
            "a bit of RTMR0 flipped",
            flip(later.evidence, DESCRIPTOR + RTMR_0),
            "quote.signature",
            "JSON",
            {
                **_domain(later, DESCRIPTOR + MR_TD),
                "x-ms-runtime": {"role": "demo", "keys": [{"kid": "enclave-key-1"}]},
            },
        ),
    )


def _sev_snp(at: datetime) -> tuple[Sample, ...]:
    milan = simulate_snp(SnpRecipe(at, _BINARY))
    turin = simulate_snp(SnpRecipe(at, _JSON, chip=Chip("Turin"), report=SnpReport(version=5)))
    vlek = simulate_snp(SnpRecipe(at, chip=Chip("Genoa", vlek=True), report=SnpReport(chip_id=bytes(64))))
    return (
        Sample(
            "Milan, VCEK, Binary runtime data",
            milan,
            "a bit of the measurement flipped",
            _with_flipped_report(milan.evidence, MEASUREMENT),
            "report.signature",
            members=_guest(milan),
        ),
        Sample(
            "Turin, VCEK, report version 5, JSON runtime data",
            turin,
            "a bit of the reported TCB flipped",
            _with_flipped_report(turin.evidence, REPORTED_TCB),
            "report.signature",
            "JSON",
            {**_guest(turin), "x-ms-runtime": {"role": "demo", "keys": [{"kid": "enclave-key-1"}]}},
        ),
        Sample(
            "Genoa, VLEK, chip masked",
            vlek,
            "the key called a VCEK",
            _with_flipped_report(vlek.evidence, KEY_INFORMATION, 4),
            "vek_certificate.kind",
            members=_guest(vlek),
        ),
    )


def _with_flipped_report(evidence: bytes, offset: int, bits: int = 1) -> bytes:
    members = json.loads(evidence)
    report = bytearray(base64url.decode_lenient(members["SnpReport"]))
    report[offset] ^= bits
    members["SnpReport"] = base64url.encode(bytes(report))
    return json.dumps(members).encode()


def _guest(made: SimulatedSnp) -> Mapping[str, JsonValue]:
    """What the token must say of the guest, read from the report here and not by the verifier."""
    return {
        "x-ms-attestation-type": "sevsnpvm",
        "x-ms-sevsnpvm-launchmeasurement": made.report[MEASUREMENT : MEASUREMENT + 48].hex(),
    }


def _domain(made: Simulated, offset: int) -> Mapping[str, JsonValue]:
    """What the token must say of the domain, read from the quote here and not by the verifier."""
    return {
        "x-ms-attestation-type": "tdxvm",
        "attester_tcb_status": "UpToDate",
        "tdx_mrtd": made.quote[offset : offset + 48].hex(),
    }


def _azure_guest(at: datetime) -> tuple[Sample, ...]:
    launch = simulate_guest(at, windows=True)
    confidential, domain = simulate_guest(at, "SevSnp"), simulate_guest(at, "Tdx")
    members: Mapping[str, JsonValue] = {"x-ms-attestation-type": "azurevm", "secureboot": True}
    return (
        Sample(
            "Trusted Launch, Windows",
            launch,
            "another value for PCR 7",
            _with_other_pcr(launch.evidence, 7),
            "tpm_quote.composite",
            members={**members, "x-ms-azurevm-is-windows": True},
        ),
        Sample(
            "confidential VM on SEV-SNP, Linux",
            confidential,
            "the event log cut",
            _with_other_log(confidential.evidence),
            "log.replay",
            members={**members, "x-ms-azurevm-vmid": VM_ID},
        ),
        Sample(
            "confidential VM on TDX, Linux",
            domain,
            "a runtime claim changed",
            _with_other_claims(domain.evidence),
            "isolation.runtime_claims",
            members={**members, "x-ms-azurevm-vmid": VM_ID},
        ),
    )


def _with_other_pcr(evidence: bytes, index: int) -> bytes:
    members = json.loads(evidence)
    members["TpmInfo"]["PCRs"][index]["Digest"] = base64.b64encode(bytes(32)).decode()
    return json.dumps(members).encode()


def _with_other_log(evidence: bytes) -> bytes:
    """The log as it stood before firmware ended its part: whole records, and fewer of them."""
    guest = good_guest(datetime.min.replace(tzinfo=UTC), "SevSnp")
    members = json.loads(evidence)
    members["TcgLogs"] = base64.b64encode(encode_log(guest.booted[:6])).decode()
    return json.dumps(members).encode()


def _with_other_claims(evidence: bytes) -> bytes:
    members = json.loads(evidence)
    proof = members["IsolationInfo"]["Evidence"]
    claims = base64.b64decode(proof["RunTimeData"]).replace(b'"secure-boot":true', b'"secure-boot":null')
    proof["RunTimeData"] = base64.b64encode(claims).decode()
    return json.dumps(members).encode()


def _report(made: Simulated) -> Mapping[str, JsonValue]:
    """What the token must say of the enclave, read from the quote here and not by the verifier."""
    return {
        "x-ms-attestation-type": "sgx",
        "x-ms-sgx-mrenclave": made.quote[MR_ENCLAVE : MR_ENCLAVE + 32].hex(),
        "x-ms-sgx-report-data": made.quote[REPORT_DATA : REPORT_DATA + 64].hex(),
    }


# How the simulator makes evidence, by wire name; a supported type that is not here is a row that fails.
_MAKERS: Final[Mapping[str, Callable[[datetime], tuple[Sample, ...]]]] = {
    "SgxEnclave": _sgx,
    "OpenEnclave": _open_enclave,
    "SevSnpVm": _sev_snp,
    "TdxVm": _tdx,
    "AzureGuest": _azure_guest,
}


def types_without_samples() -> tuple[str, ...]:
    return tuple(kind.name for kind in EVIDENCE_TYPES if kind.name not in (*_MAKERS, *NAMES))


def samples(at: datetime) -> tuple[tuple[str, Sample], ...]:
    """Every sample of every supported type, with the type's wire name."""
    names = [kind.name for kind in EVIDENCE_TYPES if kind.name in _MAKERS]
    return tuple((name, sample) for name in names for sample in _MAKERS[name](at))


def write_collateral(at: datetime, directory: Path) -> None:
    """The endorsements of the machines that the samples come from; those of `UNKNOWN_MODEL` are left out."""
    simulate_sgx(at).collateral.write(directory / "processor")
    simulate_sgx(at, machine=PLATFORM_CA).collateral.write(directory / "platform")
    simulate_tdx(at).collateral.write(directory / "trust domain")
    for product in ("Milan", "Genoa", "Turin"):
        simulate_snp(SnpRecipe(at, chip=Chip(product))).write(directory / product)
    for name, guest in (("domain", simulate_guest(at, "Tdx")), ("guest", simulate_guest(at, "SevSnp"))):
        if guest.collateral is not None:
            guest.collateral(directory / name)


def simulated_steps(at: datetime) -> tuple[Step, ...]:
    """Each sample as made, then tampered with; then held data exchanged, a policy that denies, a document missing."""
    steps: list[Step] = []
    for name, sample in samples(at):
        accepted = Accepted(("simulator",), sample.members)
        good = sample.submission(sample.made.evidence)
        steps.append(Step(name, sample.what, "as made", good, accepted, sample.opening))
        refused = Refused(400, sample.check)
        steps.append(Step(name, sample.what, sample.tampering, sample.submission(sample.tampered), refused))
    return (*steps, *measured_steps(), *_other_refusals(at))


_RELEASE_ONLY: Final = """version= 1.0;
authorizationrules {
    [type=="x-ms-sgx-is-debuggable", value==false] => permit();
};
issuancerules {};"""


def _other_refusals(at: datetime) -> tuple[Step, ...]:
    bound = simulate_sgx(at, runtime_data=_BINARY)
    debug = simulate_sgx(at, enclave=Enclave(flags=Enclave().flags | 1 << 1))
    unknown = simulate_sgx(at, machine=UNKNOWN_MODEL)
    missing = f"SGX TCB info of FMSPC {UNKNOWN_MODEL.platform.fmspc}"
    return (
        Step(
            "SgxEnclave",
            "quote, Processor CA",
            "with other runtime data",
            submission(bound.evidence, runtime_data=b"the key of somebody else"),
            Refused(400, "runtime_data.binding"),
        ),
        Step(
            "SgxEnclave",
            "quote of a debug enclave",
            "with a policy for release enclaves",
            submission(debug.evidence, draft_policy=_RELEASE_ONLY),
            Refused(400, "policy.authorization"),
        ),
        Step(
            "SgxEnclave",
            "quote of a model without TCB info",
            "as made",
            submission(unknown.evidence),
            Refused(503, "endorsements.available", missing),
        ),
    )

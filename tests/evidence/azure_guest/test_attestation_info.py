"""The JSON of a guest's request: spellings of real clients, and what is refused."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest

from assay.errors import LimitExceeded, Malformed
from assay.evidence.azure_guest.attestation_info import parse_attestation_info
from assay.evidence.azure_guest.isolation import IsolationType
from assay.simulator.azure_guest import mint_attestation_info
from tests.guests import LINUX, TDX, WINDOWS, members_of
from tests.shared_vectors import shared_path

REAL = {
    "azureguest-trustedlaunch-linux-v1": ("1.0", "Linux", tuple(range(8))),
    "azureguest-trustedlaunch-windows-v2": ("2.0", "Windows", (*range(8), 11, 12, 13, 14)),
}


@pytest.mark.parametrize("name", REAL)
def test_real_requests_are_read(name):
    info = parse_attestation_info(shared_path(f"evidence/azureguest/{name}/attestation_info.json").read_bytes())
    assert (info.version, info.system.type, info.tpm.pcr_set) == REAL[name]
    assert info.isolation.type is IsolationType.TRUSTED_LAUNCH


def parse(members):
    return parse_attestation_info(json.dumps(members).encode())


def test_a_synthetic_request_is_read():
    info = parse_attestation_info(mint_attestation_info(WINDOWS))
    assert info.system == ("Windows", "Microsoft", "NotApplicable", 10, 0)
    assert info.client_payload == {"nonce": "YXNzYXkgZGVtbyBub25jZQ=="}
    assert info.tpm.certificate.common_name == "5ca1ab1e0000.TrustedVM.Assay.Simulator"


def test_version_1_means_trusted_launch():
    info = parse_attestation_info(mint_attestation_info(replace(LINUX, version="1.0")))
    assert (info.version, info.isolation.type) == ("1.0", IsolationType.TRUSTED_LAUNCH)


@pytest.mark.parametrize("spelling", ["Tdx", "TDX", "tdx"])
def test_the_isolation_type_compares_without_regard_to_case(spelling):
    members = members_of(TDX)
    members["IsolationInfo"]["Type"] = spelling
    assert parse(members).isolation.type is IsolationType.TDX


def test_byte_strings_are_read_in_both_alphabets_with_and_without_padding():
    members = members_of(TDX)
    tpm = members["TpmInfo"]
    for name in ("PcrQuote", "AikPub", "EncKeyPub"):
        tpm[name] = tpm[name].replace("+", "-").replace("/", "_").rstrip("=")
    assert parse(members).tpm == parse(members_of(TDX)).tpm


def test_the_python_clients_spellings_are_read():
    """Decimal strings for versions, names after the public area, raw JSON in the payload."""
    members = members_of(LINUX)
    members["OSVersionMajor"], members["OSVersionMinor"] = "24", "04"
    public = base64.b64decode(members["TpmInfo"]["AikPub"])
    members["TpmInfo"]["AikPub"] = base64.b64encode(public + 2 * (b"\x00\x22" + bytes(34))).decode()
    members["ClientPayload"] = {"a": {"deep": [1, True, None]}}
    info = parse(members)
    assert (info.system.major, info.system.minor) == (24, 4)
    assert info.client_payload == {"a": {"deep": [1, True, None]}}


def test_names_compare_without_regard_to_case_and_unknown_ones_are_ignored():
    members = {name.lower(): value for name, value in members_of(LINUX).items()}
    assert parse({**members, "ImaLogs": "anything"}).version == "2.0"


@pytest.mark.parametrize("payload", [None, {}])
def test_a_request_without_payload_is_read(payload):
    assert parse({**members_of(LINUX), "ClientPayload": payload}).client_payload == {}


def test_optional_statements_about_the_system_may_be_absent():
    members = members_of(LINUX)
    for name in ("OSDistro", "OSBuild", "OSVersionMajor", "OSVersionMinor"):
        del members[name]
    assert parse(members).system == ("Linux", None, None, None, None)


def test_a_trusted_launch_request_may_carry_empty_evidence():
    isolation = {"Type": "TrustedLaunch", "Evidence": {"Proof": "", "RunTimeData": ""}}
    assert parse({**members_of(LINUX), "IsolationInfo": isolation}).isolation.proof is None


def with_tpm(**members):
    base = members_of(LINUX)
    return {**base, "TpmInfo": {**base["TpmInfo"], **members}}


def b64(content):
    return base64.b64encode(content).decode()


LINUX_MEMBERS = members_of(LINUX)
TDX_ISOLATION = members_of(TDX)["IsolationInfo"]
TPM = LINUX_MEMBERS["TpmInfo"]
REFUSED = {
    "version 3.0": {**LINUX_MEMBERS, "AttestationProtocolVersion": "3.0"},
    "a version as a number": {**LINUX_MEMBERS, "AttestationProtocolVersion": 2.0},
    "no version": {**LINUX_MEMBERS, "AttestationProtocolVersion": None},
    "version 2.0 without isolation": {**LINUX_MEMBERS, "IsolationInfo": None},
    "version 1.0 with a hardware proof": {
        **members_of(TDX),
        "AttestationProtocolVersion": "1.0",
        "IsolationInfo": TDX_ISOLATION,
    },
    "an unknown isolation": {**LINUX_MEMBERS, "IsolationInfo": {"Type": "Cca"}},
    "an isolation without type": {**LINUX_MEMBERS, "IsolationInfo": {}},
    "a hardware isolation without evidence": {**LINUX_MEMBERS, "IsolationInfo": {"Type": "Tdx"}},
    "trusted launch with a hardware proof": {
        **LINUX_MEMBERS,
        "IsolationInfo": {**TDX_ISOLATION, "Type": "TrustedLaunch"},
    },
    "a TDX proof called SNP": {**LINUX_MEMBERS, "IsolationInfo": {**TDX_ISOLATION, "Type": "SevSnp"}},
    "no operating system": {**LINUX_MEMBERS, "OSType": None},
    "an operating system that is not base64": {**LINUX_MEMBERS, "OSType": "Linux!"},
    "a negative version of the system": {**LINUX_MEMBERS, "OSVersionMajor": -1},
    "a fractional version of the system": {**LINUX_MEMBERS, "OSVersionMajor": 1.5},
    "a boolean version of the system": {**LINUX_MEMBERS, "OSVersionMajor": True},
    "no log": {**LINUX_MEMBERS, "TcgLogs": None},
    "an empty log": {**LINUX_MEMBERS, "TcgLogs": ""},
    "a payload that is a list": {**LINUX_MEMBERS, "ClientPayload": []},
    "a payload of many names": {**LINUX_MEMBERS, "ClientPayload": {str(n): "" for n in range(33)}},
    "a payload of many octets": {**LINUX_MEMBERS, "ClientPayload": {"a": "x" * 9000}},
    "no TPM": {**LINUX_MEMBERS, "TpmInfo": None},
    "no certificate": with_tpm(AikCert=None),
    "a certificate with octets after it": with_tpm(AikCert=b64(base64.b64decode(TPM["AikCert"]) + b"\x01")),
    "something else as certificate": with_tpm(AikCert=b64(b"\x30\x03\x02\x01\x01")),
    "an attestation key cut short": with_tpm(AikPub=b64(base64.b64decode(TPM["AikPub"])[:-1])),
    "an attestation key with much after it": with_tpm(AikPub=b64(base64.b64decode(TPM["AikPub"]) + bytes(200))),
    "an encryption key with octets after it": with_tpm(EncKeyPub=b64(base64.b64decode(TPM["EncKeyPub"]) + b"\x00")),
    "a quote with octets after it": with_tpm(PcrQuote=b64(base64.b64decode(TPM["PcrQuote"]) + b"\x00")),
    "a certification in place of the quote": with_tpm(PcrQuote=TPM["EncKeyCertifyInfo"]),
    "a quote in place of the certification": with_tpm(EncKeyCertifyInfo=TPM["PcrQuote"]),
    "white space in base64": with_tpm(PcrQuote=TPM["PcrQuote"][:8] + "\n" + TPM["PcrQuote"][8:]),
    "a PCR twice": with_tpm(PCRs=[*TPM["PCRs"], TPM["PCRs"][0]]),
    "a PCR without index": with_tpm(PCRs=[{"Digest": TPM["PCRs"][0]["Digest"]}]),
    "a PCR with a boolean index": with_tpm(PCRs=[{"Index": True, "Digest": TPM["PCRs"][0]["Digest"]}]),
    "a PCR of SHA-1": with_tpm(PCRs=[{"Index": 0, "Digest": b64(bytes(20))}]),
    "PCR 24": with_tpm(PCRs=[{"Index": 24, "Digest": b64(bytes(32))}]),
    "25 PCRs": with_tpm(PCRs=[TPM["PCRs"][0]] * 25),
    "PCRs as an object": with_tpm(PCRs={}),
    "an index twice in the set": with_tpm(PcrSet=[0, 0]),
    "index 24 in the set": with_tpm(PcrSet=[24]),
    "an index as text in the set": with_tpm(PcrSet=["0"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_client_sends_is_refused(name):
    with pytest.raises((Malformed, LimitExceeded)):
        parse(REFUSED[name])


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"\xff", b'{"a":1,"A":2}', b"{" * 100, mint_attestation_info(LINUX)[:-1], b"\xef\xbb\xbf{}"],
)
def test_what_is_no_object_is_refused(content):
    with pytest.raises(Malformed):
        parse_attestation_info(content)


def test_duplicate_names_are_refused_at_every_level():
    content = mint_attestation_info(LINUX)
    for name in (b'"OSType"', b'"PcrQuote"', b'"Type"'):
        with pytest.raises(Malformed):
            parse_attestation_info(content.replace(name, name[:-1].lower() + b'": null, ' + name, 1))


def test_requests_and_logs_of_absurd_size_are_refused():
    with pytest.raises(LimitExceeded):
        parse_attestation_info(mint_attestation_info(LINUX) + b" " * (5 << 20))
    with pytest.raises(LimitExceeded):
        parse({**LINUX_MEMBERS, "TcgLogs": b64(bytes(2 << 20))})

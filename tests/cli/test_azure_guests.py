"""Guests of Azure on the command line: simulated, inspected, verified, attested through a service, the answer opened."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from assay.simulator.rsa_keys import derive_rsa_key
from tests.cli.command_line import write
from tests.service.running import running
from tests.shared_vectors import shared_path

WHEN = "2025-06-01T12:00:00Z"
REAL = {
    "azureguest-trustedlaunch-linux-v1": "2021-10-05T07:50:37Z",
    "azureguest-trustedlaunch-windows-v2": "2023-09-05T21:45:43Z",
}


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


@pytest.fixture
def guest(assay, tmp_path):
    assert assay("simulate", "AzureGuest", "--out", tmp_path / "guest", "--windows").code == 0
    return tmp_path / "guest"


def test_a_sealed_answer_is_opened_with_the_guests_key(assay, guest, tmp_path):
    evidence, key = guest / "attestation_info.json", guest / "guest_key.pem"
    with running(tmp_path / "state", "--dev", "--port", "0") as service:
        call = ("attest", "AzureGuest", evidence, "--url", service.url, "--ca", service.ca)
        sealed = assay(*call)
        assert (sealed.code, "." in sealed.out) == (0, False)
        assert "--guest-key" in sealed.err
        assert list(assay(*call, "--json").json) == ["sealed", "verdict"]
        opened = assay(*call, "--guest-key", key, "--verify", "--allow-unsafe", "simulator", "--json")
        assert opened.code == 0
        assert opened.json["payload"]["x-ms-attestation-type"] == "azurevm"
        assert opened.json["payload"]["x-assay-unsafe"] == ["simulator"]
        other = derive_rsa_key("tpm other ak").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        refused = assay(*call, "--guest-key", write(tmp_path / "stranger.pem", other))
        assert (refused.code, refused.out) == (1, "")
        assert "cannot be opened" in refused.err


def test_a_key_that_is_none_is_wrong_usage(assay, guest, tmp_path):
    call = ("attest", "AzureGuest", guest / "attestation_info.json", "--url", "https://localhost:1", "--guest-key")
    for content in (b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"):
        assert assay(*call, write(tmp_path / "key.pem", content)).code == 2


def test_a_request_is_decoded_with_its_system_log_and_keys(assay, guest, tmp_path):
    found = assay("inspect", guest / "attestation_info.json", "--json").json
    assert found["verified"] is False
    assert found["fields"]["system"]["type"] == "Windows"
    assert found["fields"]["tpm"]["pcr_set"] == [*range(8), 11, 12, 13, 14]
    body = json.dumps({"AttestationInfo": encoded((guest / "attestation_info.json").read_bytes())})
    inside = assay("inspect", write(tmp_path / "body.json", body), "--json").json["fields"]["evidence"]
    assert inside["system"] == found["fields"]["system"]


def test_a_body_and_the_evidence_in_it_are_judged_alike(assay, guest, tmp_path):
    body = json.dumps({"AttestationInfo": encoded((guest / "attestation_info.json").read_bytes())})
    options = ("--type", "AzureGuest", "--unsafe-simulator")
    for file in (guest / "attestation_info.json", write(tmp_path / "body.json", body)):
        code, found = assay.judge(file, *options)
        assert (code, found["token_payload"]["x-ms-attestation-type"]) == (0, "azurevm")


def test_evidence_that_does_not_parse_is_rejected_by_its_form(assay, tmp_path):
    code, found = assay.judge(write(tmp_path / "x.json", "{}"), "--type", "AzureGuest")
    assert (code, found["checks"][0]["name"], found["checks"][0]["outcome"]) == (1, "evidence.form", "failed")


@pytest.mark.parametrize("name", REAL)
def test_real_requests_are_accepted_with_their_key_as_anchor_and_refused_without(assay, name):
    folder = shared_path(f"evidence/azureguest/{name}")
    call = (folder / "attestation_info.json", "--type", "AzureGuest", "--at", REAL[name])
    code, found = assay.judge(*call, "--trust", folder / "aik_certificate.der")
    assert (code, found["token_payload"]["secureboot"]) == (0, True)
    code, found = assay.judge(*call)
    assert (code, found["code"]) == (1, "AikCertificateUntrusted")
    # The certificate has ended at another time, and is then no anchor either.
    later = (folder / "attestation_info.json", "--type", "AzureGuest", "--at", "2025-01-01T00:00:00Z")
    assert assay.judge(*later, "--trust", folder / "aik_certificate.der")[1]["code"] == "AikCertificateOutsideValidity"


def test_a_tree_counts_the_checks_of_hardware_that_is_not_there(assay, guest):
    ended = assay("verify", guest / "attestation_info.json", "--type", "AzureGuest", "--unsafe-simulator")
    assert ended.code == 0
    assert "isolation.snp: " in ended.out
    assert " checks" in ended.out

"""`assay inspect`: anything decoded, nothing believed."""

from __future__ import annotations

import base64
import json

import pytest

from tests.cli.command_line import write
from tests.client.issuer import KEY_SET, token
from tests.evidence.hcl.reports import Report
from tests.shared_vectors import shared_path

KINDS = {
    "quote.bin": "quote",
    "collateral/tcb_info.json": "TCB info",
    "collateral/qe_identity.json": "enclave identity",
    "collateral/pck_crl.der": "certificate revocation list (DER)",
    "collateral/root_ca_crl.der": "certificate revocation list (DER)",
    "collateral/tcb_signing_chain.pem": "chain of 2 certificates (PEM)",
}


@pytest.mark.parametrize("name", KINDS)
def test_simulated_files_are_decoded(assay, sgx, name):
    ended = assay("inspect", sgx / name, "--json")
    assert ended.code == 0
    assert KINDS[name] in ended.json["kind"]
    assert ended.json["verified"] is False


def test_people_are_told_that_nothing_was_verified(assay, sgx):
    ended = assay("inspect", sgx / "quote.bin")
    assert ended.code == 0
    assert "nothing here was verified" in ended.err
    assert "fmspc: " in ended.out


def test_a_quote_is_decoded_with_its_certificates_in_any_spelling(assay, sgx, tmp_path):
    quote = (sgx / "quote.bin").read_bytes()
    for content in (quote, quote.hex(), base64.b64encode(quote)):
        fields = assay("inspect", write(tmp_path / "file", content), "--json").json["fields"]
        assert fields["report"]["mr_enclave"] == quote[112:144].hex()
        assert fields["block"]["certificates"][0]["sgx_extension"]["fmspc"] == "5ca1ab1e0001"


def test_an_open_enclave_report_is_told_from_a_quote(assay, open_enclave):
    assert "Open Enclave" in assay("inspect", open_enclave / "oe_report.bin", "--json").json["kind"]


def test_tokens_signed_or_not_are_decoded(assay, tmp_path):
    fields = assay("inspect", write(tmp_path / "t", token() + "\n"), "--json").json["fields"]
    assert (fields["header"]["alg"], fields["payload"]["x-ms-ver"]) == ("RS256", "1.0")
    unsigned = write(tmp_path / "u", token(header={"alg": "none"}, sign=lambda _: b""))
    assert "anybody" in assay("inspect", unsigned, "--json").json["fields"]["signature"]


def test_key_sets_and_requests_are_decoded(assay, sgx, tmp_path):
    keys = assay("inspect", write(tmp_path / "k", KEY_SET), "--json").json
    assert [key["kid"] for key in keys["fields"]["keys"]] == ["rsa", "ec", "small"]
    body = {"quote": base64.b64encode((sgx / "quote.bin").read_bytes()).decode(), "nonce": "n"}
    request = assay("inspect", write(tmp_path / "r", json.dumps(body)), "--json").json
    assert request["fields"]["nonce"] == "n"
    assert request["fields"]["evidence"]["header"]["version"] == 3


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello world",
        b"\x00" * 64,
        b'{"a":1}',
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        b"\x30\x82\x00",
        b"[]",
        b"\x01\x00\x00\x00\x02\x00\x00\x00" + b"\xff" * 40,
        b"a.b.c",
    ],
)
def test_what_is_not_known_is_said_so(assay, tmp_path, content):
    ended = assay("inspect", write(tmp_path / "f", content))
    assert (ended.code, ended.out) == (2, "")
    assert "not known here" in ended.err


def test_every_cut_of_a_quote_is_an_answer_and_never_a_bug(assay, sgx, tmp_path):
    quote = (sgx / "quote.bin").read_bytes()
    for size in range(0, len(quote), 97):
        assert assay("inspect", write(tmp_path / "f", quote[:size])).code == 2


def test_real_endorsements_and_certificates_are_decoded(assay):
    found = assay("inspect", shared_path("evidence/oe-sgx/oe-evidence-plugin-2022/endorsements.bin"), "--json").json
    assert found["kind"] == "Open Enclave endorsements"
    assert found["fields"]["tcb_info"]["fmspc"] == "00906ed50000"
    assert found["fields"]["pck_crl"]["issuer"].startswith("CN=Intel SGX PCK Processor CA")
    chain = shared_path("evidence/sgx-quote/sgx-cfl-azure-intelsdk-debug/pck_chain.pem")
    assert (
        assay("inspect", chain, "--json").json["fields"]["certificates"][0]["sgx_extension"]["fmspc"] == "00906ed50000"
    )


def test_a_real_quote_of_an_unsupported_kind_says_why(assay):
    ended = assay("inspect", shared_path("evidence/sgx-quote/sgx-type3-encrypted-ppid-fortanix/quote.bin"))
    assert (ended.code, "type 3" in ended.err) == (2, True)


@pytest.mark.parametrize("report_type", [2, 4])
def test_hcl_reports_say_whether_they_bind_their_claims(assay, tmp_path, report_type):
    good = assay("inspect", write(tmp_path / "good", Report(report_type=report_type).encode()), "--json").json
    assert good["kind"] == "HCL report of a confidential VM"
    assert good["fields"]["binding"] == "SHA256 of the runtime claims, then zeros"
    assert good["fields"]["runtime_claims"]["vm-configuration"]["secure-boot"] is True
    stranger = Report(report_type=report_type, report_data=bytes(64)).encode()
    fields = assay("inspect", write(tmp_path / "bad", stranger), "--json").json["fields"]
    assert fields["binding"].startswith("NOT BOUND")

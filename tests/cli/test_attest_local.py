"""`assay attest --local`, on a machine whose files are below a directory."""

from __future__ import annotations

import hashlib
import json
import sys

import pytest

from assay.simulator import simulate_sgx
from tests.cli.command_line import write
from tests.cli.conftest import AT

HELD = b'{"key":"value"}'


@pytest.fixture(scope="module")
def enclave(tmp_path_factory):
    """A root with the files of Gramine, whose quote binds HELD, and the collateral for it."""
    root = tmp_path_factory.mktemp("machine")
    simulate_sgx(AT, runtime_data=HELD).write(root / "made")
    directory = root / "dev" / "attestation"
    directory.mkdir(parents=True)
    write(directory / "attestation_type", "dcap")
    write(directory / "user_report_data", bytes(64))
    write(directory / "quote", (root / "made" / "quote.bin").read_bytes())
    write(root / "held.json", HELD)
    return root


def test_without_a_url_it_tells_what_the_machine_has(assay, enclave):
    ended = assay("attest", "--local", "--root", enclave)
    assert ended.code == 0
    assert ended.out.splitlines()[1].split() == ["gramine", "usable", "SgxEnclave", "attestation", "type", "dcap"]
    assert "configfs-tsm: mount it" in ended.out


def test_a_machine_with_nothing_is_undecided_and_every_source_has_a_remedy(assay, tmp_path):
    ended = assay("attest", "--local", "--root", tmp_path, "--json")
    assert ended.code == 2
    assert [one["source"] for one in ended.json["sources"]] == [
        *("gramine", "configfs-tsm", "sev-guest", "tdx-guest", "tpm")
    ]
    assert all(one["remedy"] and one["state"] == "absent" for one in ended.json["sources"])


def test_fresh_evidence_is_written_and_verified_offline(assay, enclave, tmp_path):
    body = tmp_path / "body.json"
    held = ("--runtime-data", enclave / "held.json", "--runtime-data-type", "JSON")
    ended = assay("attest", "--local", "--root", enclave, *held, "--nonce", "n", "--out", body)
    assert ended.code == 0, ended.err
    assert "local evidence: SgxEnclave from gramine" in ended.err
    assert (enclave / "dev/attestation/user_report_data").read_bytes() == hashlib.sha256(HELD).digest() + bytes(32)
    assert set(json.loads(body.read_bytes())) == {"quote", "runtimeData", "nonce"}
    collateral = enclave / "made" / "collateral"
    code, found = assay.judge(
        *(body, "--type", "SgxEnclave", "--endorsements", collateral, "--at", "2025-06-01T12:00:00Z"),
        "--unsafe-simulator",
    )
    assert (code, found["token_payload"]["x-ms-runtime"]) == (0, {"key": "value"})


def test_evidence_that_is_bound_to_nothing_says_so(assay, enclave, tmp_path):
    """And a quote of other report data than asked for is refused: this one binds HELD."""
    ended = assay("attest", "--local", "--root", enclave, "--out", tmp_path / "body.json", "--source", "gramine")
    assert ended.code == 2
    assert "report data of another caller" in ended.err
    assert not (tmp_path / "body.json").exists()


def test_no_source_is_undecided_in_words(assay, tmp_path):
    ended = assay("attest", "--local", "--root", tmp_path, "--url", "https://localhost:1")
    assert ended.code == 2
    assert "no local source of evidence" in ended.err


def test_a_type_that_the_machine_does_not_make_is_undecided(assay, enclave, tmp_path):
    ended = assay("attest", "OpenEnclave", "--local", "--root", enclave, "--out", tmp_path / "body.json")
    assert ended.code == 2
    assert "no local source of evidence of type OpenEnclave" in ended.err


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((), "TYPE and FILE are needed, or --local"),
        (("SgxEnclave",), "TYPE and FILE are needed, or --local"),
        (("SgxEnclave", "quote.bin"), "--url is needed"),
        (("SgxEnclave", "quote.bin", "--url", "https://a", "--source", "gramine"), "go with --local"),
        (("SgxEnclave", "quote.bin", "--url", "https://a", "--privilege-level", "0"), "go with --local"),
        (("SgxEnclave", "quote.bin", "--local"), "name no FILE"),
        (("--local", "--url", "https://a", "--out", "f"), "name no --url"),
        (("--local", "--source", "magic"), "is not one of"),
    ],
)
def test_options_that_exclude_or_need_each_other_are_wrong_usage(assay, arguments, problem):
    ended = assay("attest", *arguments)
    assert (ended.code, problem in ended.err) == (2, True), ended.err


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the devices are Linux's")
def test_a_body_that_cannot_be_written_is_wrong_usage(assay, enclave, tmp_path):
    held = ("--runtime-data", enclave / "held.json")
    ended = assay("attest", "--local", "--root", enclave, *held, "--out", tmp_path / "absent" / "body.json")
    assert ended.code == 2
    assert "No such file" in ended.err

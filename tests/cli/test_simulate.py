"""`assay simulate`: what it writes is what `assay verify` accepts, and refuses with a knob turned."""

from __future__ import annotations

import pytest

from assay.evidence import EVIDENCE_TYPES
from tests.cli.command_line import write

WHEN = "2025-06-01T12:00:00Z"


# An option that chooses a field of the evidence, and the claim that shows it.
CHOSEN = {
    "SgxEnclave": (("--svn", 7), "x-ms-sgx-svn"),
    "OpenEnclave": (("--svn", 7), "x-ms-sgx-svn"),
    "SevSnpVm": (("--measurement", "ab" * 48), "x-ms-sevsnpvm-launchmeasurement"),
    "TdxVm": (("--mr-td", "ab" * 48), "tdx_mrtd"),
}


def test_a_field_that_the_evidence_does_not_have_is_wrong_usage(assay, tmp_path):
    assert assay("simulate", "TdxVm", "--out", tmp_path, "--svn", 7).code == 2
    assert assay("simulate", "SgxEnclave", "--out", tmp_path, "--mr-td", "ab" * 48).code == 2
    assert assay("simulate", "SgxEnclave", "--out", tmp_path, "--knob", "td-debug").code == 2
    assert assay("simulate", "SgxEnclave", "--out", tmp_path, "--measurement", "ab" * 48).code == 2
    assert assay("simulate", "SevSnpVm", "--out", tmp_path, "--svn", 7).code == 2
    assert assay("simulate", "SevSnpVm", "--out", tmp_path, "--knob", "pck-revoked").code == 2


@pytest.mark.parametrize("isolation", ["TrustedLaunch", "SevSnp", "Tdx"])
@pytest.mark.parametrize("system", [[], ["--windows"]], ids=["linux", "windows"])
def test_a_simulated_guest_is_accepted_by_the_default_policy(assay, tmp_path, isolation, system):
    made = assay("simulate", "AzureGuest", "--out", tmp_path, "--isolation", isolation, "--at", WHEN, *system)
    assert made.code == 0
    code, found = assay.judge(
        made.out.strip(), "--type", "AzureGuest", "--endorsements", tmp_path, "--at", WHEN, "--unsafe-simulator"
    )
    assert (code, found["claims"]["x-ms-azurevm-dbxvalidated"]) == (0, True)
    assert ("x-ms-isolation-tee" in found["token_payload"]) == (isolation != "TrustedLaunch")
    assert assay.judge(made.out.strip(), "--type", "AzureGuest", "--at", WHEN)[0] == 1


def test_what_a_guest_has_not_is_wrong_usage(assay, tmp_path):
    assert assay("simulate", "AzureGuest", "--out", tmp_path, "--svn", 7).code == 2
    assert assay("simulate", "AzureGuest", "--out", tmp_path, "--knob", "pck-revoked").code == 2
    assert assay("simulate", "SgxEnclave", "--out", tmp_path, "--windows").code == 2


@pytest.mark.parametrize("kind", [kind for kind in EVIDENCE_TYPES if kind.name in CHOSEN], ids=lambda kind: kind.name)
def test_simulated_evidence_of_every_type_is_accepted(assay, tmp_path, kind):
    data = write(tmp_path / "held", b"held data")
    measured, claim = CHOSEN[kind.name]
    made = assay("simulate", kind.name, "--out", tmp_path / "out", "--runtime-data", data, "--at", WHEN, *measured)
    assert made.code == 0
    evidence = made.out.strip()
    code, found = assay.judge(
        evidence, "--type", kind.name, "--endorsements", tmp_path / "out" / "collateral", "--at", WHEN,
        "--unsafe-simulator", "--runtime-data", tmp_path / "out" / "runtime_data.bin",
    )  # fmt: skip
    assert (code, found["claims"][claim]) == (0, measured[1])
    assert "--unsafe-simulator" in made.err


def test_without_a_time_it_is_made_for_now(assay, tmp_path):
    assert assay("simulate", "SgxEnclave", "--out", tmp_path).code == 0
    code, _ = assay.judge(
        tmp_path / "quote.bin", "--type", "SgxEnclave", "--endorsements", tmp_path, "--unsafe-simulator"
    )
    assert code == 0


def test_fields_are_chosen(assay, tmp_path):
    made = (
        "simulate",
        "SgxEnclave",
        "--out",
        tmp_path,
        "--at",
        WHEN,
        "--mr-enclave",
        "ab" * 32,
        "--mr-signer",
        "cd" * 32,
        "--product-id",
        9,
        "--report-data",
        "ef" * 64,
    )
    assert assay(*made).code == 0
    report = assay("inspect", tmp_path / "quote.bin", "--json").json["fields"]["report"]
    assert (report["mr_enclave"], report["mr_signer"], report["isv_prod_id"]) == ("ab" * 32, "cd" * 32, 9)
    assert report["report_data"] == "ef" * 64


def test_a_knob_makes_a_negative(assay, tmp_path):
    assert assay("simulate", "SgxEnclave", "--out", tmp_path, "--at", WHEN, "--knob", "pck-revoked").code == 0
    code, found = assay.judge(
        tmp_path / "quote.bin", "--type", "SgxEnclave", "--endorsements", tmp_path, "--at", WHEN, "--unsafe-simulator"
    )
    assert (code, found["code"]) == (1, "PckRevoked")


def test_knobs_are_listed_and_unknown_ones_are_wrong_usage(assay, tmp_path):
    listed = assay("simulate", "SgxEnclave", "--list-knobs")
    assert (listed.code, "pck-revoked" in listed.out) == (0, True)
    assert assay("simulate", "SgxEnclave", "--out", tmp_path, "--knob", "no-such").code == 2
    assert assay("simulate", "SgxEnclave").code == 2
    assert assay("simulate", "SgxEnclave", "--out", tmp_path, "--mr-enclave", "ab").code == 2


def test_a_place_that_cannot_be_written_is_told(assay, tmp_path):
    file = write(tmp_path / "file", b"")
    ended = assay("simulate", "SgxEnclave", "--out", file / "below")
    assert (ended.code, ended.err.startswith("error:")) == (2, True)

"""Evidence that sources make of simulated hardware, judged as a service judges it."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace

import pytest

from assay.client.local import Asked, LocalEvidence, Machine, collect_local, report_data_of
from assay.client.local.machine import SystemFiles
from assay.evidence.base import Submission
from assay.simulator import SnpRecipe, SnpReport, TrustDomain, simulate, simulate_sgx, simulate_snp, tdx_recipe
from assay.simulator.microsoft.uvm import UvmForm, mint_uvm_endorsement
from tests.appraisals import AT, Case, binary, claim_values, failing_check, judge, simulated_case
from tests.client.local.fake_configfs import FakeConfigfs
from tests.client.local.fake_guest_device import FakeSevGuest
from tests.client.local.reports import ARK, ASK, VCEK, certificate_table
from tests.snp_cases import snp_case

HELD = b'{"keys":[]}'
POLICY = b"package policy\nallow := true\n"
ASKED = Asked(report_data_of(HELD))


def submitted(made: LocalEvidence) -> Submission:
    return Submission(made.evidence, binary(HELD), binary(made.init_time_data))


def chip(inblob: bytes, vmpl: int = 0) -> bytes:
    """The report that a simulated chip signs for a guest with the policy of a container."""
    report = SnpReport(report_data=inblob, vmpl=vmpl, host_data=hashlib.sha256(POLICY).digest())
    return simulate_snp(SnpRecipe(AT, report=report)).report


def table() -> bytes:
    leaf, authority, root = SnpRecipe(AT).chain()
    return certificate_table({VCEK: leaf, ASK: authority, ARK: root})


def snp(made: LocalEvidence) -> Case:
    return replace(snp_case(simulate_snp(SnpRecipe(AT))), submission=submitted(made))


def container(root, *, policy: bytes = POLICY, measurement: bytes = SnpReport().measurement) -> None:
    """The directory of a container's security context."""
    directory = root / "security-context-1"
    directory.mkdir()
    endorsement = mint_uvm_endorsement(UvmForm(measurement))
    for name, content in (("security-policy-base64", policy), ("reference-info-base64", endorsement)):
        (directory / name).write_bytes(base64.b64encode(content))


def guest(tmp_path) -> Machine:
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "sev-guest").touch()
    return Machine(SystemFiles(tmp_path), FakeSevGuest(table(), make_report=chip), pause=lambda _: None)


def test_a_report_of_configfs_is_accepted_and_claims_what_it_binds():
    made = collect_local(Machine(FakeConfigfs(chip, table=table())), ASKED)
    result = judge(snp(made))
    assert claim_values(result, "x-ms-attestation-type") == ["sevsnpvm"]
    assert claim_values(result, "x-ms-sevsnpvm-reportdata") == [ASKED.report_data.hex()]


def test_a_report_for_other_data_than_what_is_sent_is_refused():
    made = collect_local(Machine(FakeConfigfs(chip, table=table())), Asked(report_data_of(b"other")))
    assert "runtime" in failing_check(snp(made))


def test_a_container_sends_its_policy_and_the_endorsement_of_its_utility_machine(tmp_path):
    container(tmp_path)
    made = collect_local(guest(tmp_path), ASKED)
    assert (made.source, made.init_time_data) == ("sev-guest", POLICY)
    result = judge(snp(made))
    assert claim_values(result, "x-ms-sevsnpvm-hostdata") == [hashlib.sha256(POLICY).hexdigest()]
    assert claim_values(result, "x-ms-compliance-status") == ["azure-compliant-uvm"]


def test_a_container_whose_policy_was_edited_is_refused(tmp_path):
    container(tmp_path, policy=POLICY + b"# edited")
    assert "init" in failing_check(snp(collect_local(guest(tmp_path), ASKED)))


def test_an_endorsement_of_another_machine_is_refused(tmp_path):
    container(tmp_path, measurement=bytes(48))
    assert "uvm" in failing_check(snp(collect_local(guest(tmp_path), ASKED)))


@pytest.mark.parametrize("version", [4, 5])
def test_a_quote_of_configfs_is_accepted(version):
    def quote(inblob: bytes, _level: int) -> bytes:
        return simulate(tdx_recipe(AT, domain=TrustDomain(report_data=inblob), version=version)).quote

    made = collect_local(Machine(FakeConfigfs(quote, provider="tdx_guest", table=None)), ASKED)
    case = replace(simulated_case(simulate(tdx_recipe(AT, HELD, version=version))), submission=submitted(made))
    assert claim_values(judge(case), "x-ms-attestation-type") == ["tdxvm"]


def test_a_quote_of_gramine_is_accepted(tmp_path):
    good = simulate_sgx(AT, runtime_data=HELD)
    directory = tmp_path / "dev" / "attestation"
    directory.mkdir(parents=True)
    for name, content in (("attestation_type", b"dcap"), ("user_report_data", bytes(64)), ("quote", good.quote)):
        (directory / name).write_bytes(content)
    made = collect_local(Machine(SystemFiles(tmp_path)), ASKED)
    assert claim_values(judge(replace(simulated_case(good), submission=submitted(made))), "x-ms-attestation-type") == [
        "sgx"
    ]

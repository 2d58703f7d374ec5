"""What verified guests say: names and shapes of recorded tokens, values of the log, and what is not claimed."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from assay.errors import PolicyError
from assay.evidence.azure_guest import AZURE_GUEST
from assay.evidence.claim_names import INCOMING_CLAIMS
from assay.policy import stored_policy
from assay.simulator.azure_guest import VM_ID
from assay.simulator.tpm.boots import FIRMWARE, WindowsForm, windows_boot
from assay.simulator.tpm.event_log import LoggedEvent, boundary, separator, signature_list, tagged, with_data
from assay.simulator.tpm.structures import SHA256
from tests.appraisals import judge
from tests.guests import LINUX, PERMIT, SNP, TDX, WINDOWS, guest_case, judge_guest
from tests.shared_vectors import shared_path

PREFIX = "x-ms-azurevm-"


def said(guest):
    return judge_guest(guest).statement.members


def boot(guest, name):
    return said(guest)[PREFIX + name]


def booted(**settings):
    return replace(WINDOWS, events=windows_boot(WindowsForm(**settings)))


def test_a_trusted_launch_tokens_claims_are_those_of_a_recorded_one():
    """claims 12.6: every name, and each value's type."""
    recorded = json.loads(shared_path("vectors/tpm/tokens/azurevm-sample-claims-2022.json").read_bytes())
    found = said(WINDOWS)
    expected = {name: value for name, value in recorded.items() if name.startswith(PREFIX) or name == "secureboot"}
    expected.pop(f"{PREFIX}vmid")  # a Trusted Launch certificate names no GUID (tpm-and-guest 9, row 19)
    assert {name: type(found[name]) for name in expected} == {name: type(value) for name, value in expected.items()}
    assert "x-ms-isolation-tee" not in found


def test_a_confidential_vms_claims_nest_those_of_its_hardware():
    found = said(TDX)
    assert found[f"{PREFIX}vmid"] == VM_ID
    isolation = found["x-ms-isolation-tee"]
    assert isinstance(isolation, dict)
    assert isolation["x-ms-attestation-type"] == "tdxvm"
    assert isolation["x-ms-runtime"] == json.loads(TDX.stated_claims)
    assert len(str(isolation["tdx_report_data"])) == 128


def test_a_confidential_vms_claims_on_snp_are_those_of_a_recorded_one():
    """claims 12.5: every name of the nested object, but for the compliance status, which is never ours to say."""
    recorded = json.loads(shared_path("vectors/azure-sdk/tokens/azurevm.sampleAttestationToken.json").read_bytes())
    isolation = said(SNP)["x-ms-isolation-tee"]
    assert isinstance(isolation, dict)
    expected = set(recorded["x-ms-isolation-tee"]) - {"x-ms-compliance-status"}
    assert expected <= set(isolation)
    assert {type(isolation[name]) for name in expected if name.endswith("-svn")} == {int}
    assert isolation["x-ms-runtime"] == json.loads(SNP.stated_claims)


def test_the_identifier_of_the_vm_is_in_upper_case():
    guest = replace(TDX, runtime_claims=TDX.stated_claims.replace(VM_ID.encode(), VM_ID.lower().encode()))
    assert said(guest)[f"{PREFIX}vmid"] == VM_ID
    nameless = replace(TDX, runtime_claims=TDX.stated_claims.replace(b"vmUniqueId", b"vmOtherId"))
    assert f"{PREFIX}vmid" not in said(nameless)


def test_a_guid_in_the_certificate_identifies_a_trusted_launch_vm():
    named = replace(LINUX, certificate=replace(LINUX.certificate, common_name=VM_ID.lower()))
    assert said(named)[f"{PREFIX}vmid"] == VM_ID
    assert f"{PREFIX}vmid" not in said(LINUX)


def test_the_payload_is_copied_as_it_was_sent_and_left_out_when_there_is_none():
    payload = {"nonce": "QURFMDEwMQ==", "raw": {"of": ["the", "python", "client", 1, None]}}
    runtime = said(replace(LINUX, payload=payload))["x-ms-runtime"]
    assert isinstance(runtime, dict)
    assert runtime["client-payload"] == payload
    (key,) = runtime["keys"]
    assert {name: key[name] for name in ("kid", "kty", "key_ops", "e")} == {
        "kid": "TpmEphemeralEncryptionKey",
        "kty": "RSA",
        "key_ops": ["encrypt"],
        "e": "AQAB",
    }
    bare = said(replace(LINUX, payload=None))["x-ms-runtime"]
    assert isinstance(bare, dict)
    assert sorted(bare) == ["keys"]


def test_a_policy_reads_each_quoted_pcr_and_every_scalar():
    incoming = judge_guest(WINDOWS).statement.incoming
    assert [claim.value for claim in incoming if claim.type == f"{PREFIX}attested-pcrs"] == [*range(8), 11, 12, 13, 14]
    known = INCOMING_CLAIMS["AzureGuest"]
    assert all(claim.type in known and claim.value_type is known[claim.type].value_type for claim in incoming)


READS_HARDWARE = """version=1.2;
authorizationrules{
    c:[type=="x-ms-isolation-tee"] => add(type="kind", value=JmesPath(c.value, "\\"x-ms-attestation-type\\""));
    [type=="kind", value=="\\"%s\\""] => permit();
};
issuancerules{};"""


@pytest.mark.parametrize(("guest", "kind"), [(SNP, "sevsnpvm"), (TDX, "tdxvm")])
def test_policies_of_version_1_2_read_the_objects_as_json_and_older_ones_do_not(guest, kind):
    statement = judge_guest(guest).statement
    offered = {claim.type: claim.value for claim in statement.offered("1.2")}
    assert json.loads(str(offered["x-ms-isolation-tee"])) == statement.members["x-ms-isolation-tee"]
    assert json.loads(str(offered["x-ms-runtime"])) == statement.members["x-ms-runtime"]
    older = {claim.type for claim in statement.offered("1.1")}
    assert not {"x-ms-isolation-tee", "x-ms-runtime"} & older
    assert judge(guest_case(guest), policy=stored_policy(READS_HARDWARE % kind)).verdict.decisive is None
    with pytest.raises(PolicyError):
        judge(guest_case(guest), policy=stored_policy(READS_HARDWARE % "another"))


def test_secure_boot_is_what_one_measured_variable_says():
    assert said(LINUX)["secureboot"] is True
    for state in (b"\x00", b"\x02", b"", None):
        assert said(replace(LINUX, firmware=replace(FIRMWARE, secure_boot=state)))["secureboot"] is False


FLAGS = {
    "boot_debugging": ("bootdebug-enabled", "debuggersdisabled"),
    "kernel_debugging": ("kerneldebug-enabled", "debuggersdisabled"),
    "hypervisor_debugging": ("hypervisordebug-enabled", "debuggersdisabled"),
    "test_signing": ("testsigning-enabled", "signingdisabled"),
    "flight_signing": ("flightsigning-enabled", "signingdisabled"),
}


@pytest.mark.parametrize("setting", FLAGS)
def test_a_setting_that_was_measured_is_claimed(setting):
    enabled, disabled = FLAGS[setting]
    for value in (True, False, None):
        guest = booted(**{setting: value})
        assert (boot(guest, enabled), boot(guest, disabled)) == (bool(value), not value)


@pytest.mark.parametrize(("policy", "claimed"), [(1, 1), (2, 2), (0, 0), (None, 0)])
def test_the_policy_of_code_integrity_in_the_hypervisor_is_a_number(policy, claimed):
    assert boot(booted(hvci_policy=policy), "hvci-policy") == claimed


def test_windows_is_what_measures_as_windows_and_says_so():
    assert boot(WINDOWS, "is-windows") is True
    assert boot(LINUX, "is-windows") is False
    says_linux = replace(WINDOWS, members={"OSType": "TGludXg="})
    assert boot(says_linux, "is-windows") is False
    says_windows = replace(LINUX, members={"OSType": "V2luZG93cw=="}, pcrs=(*range(8), 11, 12, 13))
    assert boot(says_windows, "is-windows") is False


def hidden(event):
    return with_data(event, bytes(len(event.data)))


@pytest.mark.parametrize("pcr", [12, 13])
def test_what_a_windows_log_hides_is_not_taken_as_off(pcr):
    """tpm-and-guest 6: the digest replays, the data is blank; a debugger could be in it."""
    shown = tuple(hidden(event) if event.pcr == pcr and event.kind == 6 else event for event in WINDOWS.booted)
    guest = replace(WINDOWS, log_events=shown)
    assert (boot(guest, "debuggersdisabled"), boot(guest, "signingdisabled")) == (False, False)


def test_another_system_may_extend_those_pcrs_as_it_likes():
    stub = LoggedEvent(12, 0xD, b"text of a stub", b"what it measured")
    guest = replace(LINUX, events=(*LINUX.booted, stub), pcrs=(*range(8), 11, 12, 13))
    assert (boot(guest, "debuggersdisabled"), boot(guest, "is-windows")) == (True, False)


def test_settings_after_the_separator_are_nobodys_word():
    late = (*WINDOWS.booted, boundary(12, tagged(0x00040001, b"\x01"), banks=(SHA256,)))
    assert boot(replace(WINDOWS, events=late), "bootdebug-enabled") is False
    no_firmware_end = tuple(event for event in LINUX.booted if (event.pcr, event.kind) != (7, 4))
    assert said(replace(LINUX, events=(*no_firmware_end, separator(7, b"\xff" * 4))))["secureboot"] is False


STRANGE = signature_list(b"the certificate of a stranger")
VARIABLES = {
    "pk": ("default-securebootkeysvalidated",),
    "kek": ("default-securebootkeysvalidated",),
    "db": ("default-securebootkeysvalidated", "dbvalidated"),
    "dbx": ("dbxvalidated",),
}
KEY_CLAIMS = ("default-securebootkeysvalidated", "dbvalidated", "dbxvalidated")


@pytest.mark.parametrize("variable", VARIABLES)
def test_keys_that_no_machine_comes_with_are_claimed_and_named(variable):
    firmware = replace(FIRMWARE, **{variable: STRANGE})
    result = judge_guest(replace(LINUX, firmware=firmware))
    members = result.statement.members
    assert [name for name in KEY_CLAIMS if members[PREFIX + name] is False] == list(VARIABLES[variable])
    (entry,) = [one for one in result.verdict if one.check.name == "secure_boot.keys"]
    assert entry.seen is not None
    assert str(entry.seen.observed[0]).lower().startswith(f"{variable}: ")  # type: ignore[index]


def test_the_default_policy_admits_good_guests_and_denies_each_of_its_six():
    assert AZURE_GUEST.default_policy is not None
    default = stored_policy(AZURE_GUEST.default_policy)
    assert default.identity.hash == "wm9mHlvTU82e8UqoOy1Yj1FBRSNkfe99-69IYDq9eWs"
    for good in (LINUX, WINDOWS, SNP, TDX):
        assert judge(guest_case(good), policy=default).verdict.decisive is None
    for bad in (
        replace(LINUX, firmware=replace(FIRMWARE, secure_boot=b"\x00")),
        replace(LINUX, firmware=replace(FIRMWARE, pk=STRANGE)),
        replace(LINUX, firmware=replace(FIRMWARE, db=STRANGE)),
        replace(LINUX, firmware=replace(FIRMWARE, dbx=STRANGE)),
        booted(kernel_debugging=True),
        booted(test_signing=True),
    ):
        assert judge(guest_case(bad), policy=PERMIT).verdict.decisive is None
        with pytest.raises(Exception, match="deny"):
            judge(guest_case(bad), policy=default)

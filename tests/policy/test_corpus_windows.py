"""The large Windows health policy gives the claims of the published sample token, and of three real machines' logs."""

from __future__ import annotations

import json

import pytest

from assay.claims import Claim, ClaimSet
from assay.policy import compile_policy, issued_members
from tests.shared_vectors import SHARED, shared_path

from .windows_log import boundary, events_of, events_of_log, variable

POLICY = "spec/policies/tpm-csp-12-windows-health.policy"
SAMPLE = "vectors/tpm/tokens/tpm-docs-sample-claims.json"
LOGS = "vectors/tpm/eventlogs"
EXPECTED = SHARED / LOGS / "expected-windows-claims.json"
MACHINES = json.loads(EXPECTED.read_text("utf-8")) if EXPECTED.exists() else {}
# Members of the sample token that no policy issues.
ENVELOPE = {
    "_note",
    "nbf",
    "exp",
    "iat",
    "iss",
    "jti",
    "ver",
    "x-ms-ver",
    "rp_data",
    "nonce",
    "cnf",
    "x-ms-policy-hash",
}
# Of claims that the fixture names otherwise: a plain test, which the policy's own rule is not (reading Q23).
PLAIN_TEST = "wdbootLoaded"
HVCI = {"Value": 1, "String": "HypervisorEnforcedCodeIntegrityEnable"}
WDBOOT = r"\Windows\System32\drivers\wd\WdBoot.sys"


def issued(events):
    text = shared_path(POLICY).read_bytes().decode()
    claims = () if events is None else (Claim("events", events),)
    return issued_members(compile_policy(text).evaluate(ClaimSet(claims)).issued)


def sample():
    claims = json.loads(shared_path(SAMPLE).read_text("utf-8"))
    return {name: value for name, value in claims.items() if name not in ENVELOPE}


def healthy(token):
    """A log of a machine like the one of the sample token, whose opaque values it takes."""
    policies = [{"RawData": raw} for raw in token["codeIntegrityPolicy"]]
    return (
        (0, "EV_NO_ACTION", {}),
        variable("SecureBoot", "AQ"),
        variable("PK", "AAAA"),
        variable("SecureBoot", "AA", guid="D719B2CB-3D3A-4596-A3BC-DAD00E67656F"),
        boundary(12, APPLICATION_SVN=1, BOOTDEBUGGING=False, BITLOCKER_UNLOCK={"Value": 0, "String": ""}),
        boundary(12, TRANSFER_CONTROL={"Value": 5, "String": "hypervisor"}),
        boundary(12, TRANSFER_CONTROL={"Value": 1, "String": "loader"}, BITLOCKER_UNLOCK={"Value": 4, "String": "TPM"}),
        boundary(13, LOADEDMODULE_AGGREGATION=[{"EVENT_FILEPATH": WDBOOT, "EVENT_IMAGEVALIDATED": True, "EVENT_MODULE_SVN": 1}]),
        boundary(13, BOOT_REVOCATION_LIST={"RawData": token["bootRevListInfo"]}, SI_POLICY=policies[:1]),
        boundary(13, OS_REVOCATION_LIST={"RawData": token["osRevListInfo"]}, SI_POLICY=policies[1:]),
        boundary(12, APPLICATION_SVN=1, BOOTDEBUGGING=False, OSKERNELDEBUG=False, CODEINTEGRITY=True, TESTSIGNING=False),
        boundary(12, VBS_VSM_REQUIRED=True, VBS_MANDATORY_ENFORCEMENT=True, VBS_IOMMU_REQUIRED=True, VBS_HVCI_POLICY=HVCI),
        boundary(12, DATAEXECUTIONPREVENTION={"Value": 0, "String": "?"}, SAFEMODE=False, WINPE=False),
        (12, "EV_SEPARATOR", {}),
        (13, "EV_SEPARATOR", {}),
        (12, "EV_EVENT_TAG", {}),
    )  # fmt: skip


def test_a_log_like_that_of_the_sample_token_gives_its_claims():
    assert issued(events_of(*healthy(sample()))) == sample()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (boundary(12, BOOTDEBUGGING=True), {"bootDebuggingDisabled": False}),
        (boundary(20, OSKERNELDEBUG=True), {"osKernelDebuggingDisabled": False}),
        (boundary(13, CODEINTEGRITY=False), {"codeIntegrityEnabled": False}),
        (boundary(19, TESTSIGNING=True), {"testSigningDisabled": False}),
        (boundary(12, FLIGHTSIGNING=False), {"flightSigningNotEnabled": True}),
        (boundary(12, SAFEMODE=True), {"notSafeMode": False}),
        (boundary(12, WINPE=True), {"notWinPE": False}),
        (boundary(12, VBS_VSM_REQUIRED=False), {"vbsEnabled": False}),
        (boundary(12, VBS_MANDATORY_ENFORCEMENT=False), {"vbsEnabled": False}),
        (boundary(12, VBS_IOMMU_REQUIRED=False), {"iommuEnabled": False}),
        (boundary(12, VBS_HVCI_POLICY={"Value": 0, "String": "Disable"}), {}),
        (boundary(12, DATAEXECUTIONPREVENTION={"Value": 3, "String": "?"}), {"depPolicy": 3}),
        (boundary(11, BOOTDEBUGGING=True), {}),
        (variable("SecureBoot", "AQ"), {"secureBootEnabled": False}),
        (variable("CurrentPolicy", "BBBB", guid="77FA9ABD-0359-4D32-BD60-28F4E78F784B"), {"secureBootCustomPolicy": "BBBB"}),
        (boundary(13, SI_POLICY=[{"RawData": "CCCC"}]), {"codeIntegrityPolicy": [*sample()["codeIntegrityPolicy"], "CCCC"] if EXPECTED.exists() else []}),
    ],
)  # fmt: skip
def test_one_more_event_changes_the_claim_that_depends_on_it(change, expected):
    assert issued(events_of(*healthy(sample()), change)) == {**sample(), **expected}


def test_without_events_each_claim_has_its_default():
    false = {name: False for name, value in sample().items() if isinstance(value, bool)}
    assert issued(None) == {**false, "notSafeMode": True, "notWinPE": True, "depPolicy": 0}


def test_an_empty_log_issues_no_information_and_the_elam_claim_is_true_nevertheless():
    """Reading Q23: standard JMESPath makes the sample's last test true although no driver was found."""
    false = {name: False for name, value in sample().items() if isinstance(value, bool)}
    defaults = {**false, "notSafeMode": True, "notWinPE": True, "depPolicy": 0}
    assert issued(events_of()) == {**defaults, "WindowsDefenderElamDriverLoaded": True}


def test_without_separators_the_versions_are_found_in_the_whole_log():
    token = sample()
    log = [one for one in healthy(token) if one[1] != "EV_SEPARATOR"]
    assert issued(events_of(*log)) == token
    early = [one for one in healthy(token) if one[0] != 13]
    assert {name for name in token if name not in issued(events_of(*early))} == {
        *("bootAppSvn", "bootRevListInfo", "osRevListInfo", "codeIntegrityPolicy")
    }


@pytest.mark.parametrize("machine", MACHINES)
def test_a_real_log_gives_the_claims_of_the_fixture(machine):
    found = issued(events_of_log(shared_path(f"{LOGS}/windows/{machine}").read_bytes()))
    wanted = {
        name: value for name, value in MACHINES[machine].items() if value not in (None, []) and name != PLAIN_TEST
    }
    wanted["bitlockerEnabled"] = "bitlockerEnabledValue" in wanted
    wanted["WindowsDefenderElamDriverLoaded"] = True
    found.pop("secureBootCustomPolicy", None)  # the fixture does not name it
    assert found == wanted

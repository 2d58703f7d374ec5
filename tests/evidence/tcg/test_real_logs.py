"""Real logs of machines: each replays to its PCRs or is refused, and Windows' give the claims of the documentation."""

from __future__ import annotations

import base64
import json

import pytest

from assay.claims import Claim, ClaimSet
from assay.errors import LimitExceeded, MalformedEvidence, UnsupportedEvidence
from assay.evidence._tcg.algorithms import HashAlgorithm
from assay.evidence._tcg.boot_claims import boot_claims, secure_boot_of_td
from assay.evidence._tcg.event_log import EventLog, LogForm, parse_cc_event_log, parse_event_log
from assay.evidence._tcg.evidence_claims import events_claim
from assay.evidence._tcg.measured import MeasuredLog, Standing, measure, measure_cc
from assay.evidence._tcg.pcrs import PcrBank, pcr_bank
from assay.evidence._tcg.replay import replay, replay_rtmrs, seen_replay
from assay.policy import compile_policy, issued_members
from assay.simulator.tpm.event_log import encode_log, separator, variable
from assay.verdict import Mismatch
from tests.shared_vectors import SHARED, shared_path

LOGS = "vectors/tpm/eventlogs"


def expected(name: str) -> dict[str, dict[str, object]]:
    path = SHARED / LOGS / name
    read: dict[str, dict[str, object]] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return read


PCRS = expected("expected-pcrs.json")
WINDOWS = expected("expected-windows-claims.json")
PARSED = sorted(name for name, one in PCRS.items() if "banks" in one)
REFUSED = sorted(name for name, one in PCRS.items() if "reject" in one)


def content(name: str) -> bytes:
    return shared_path(f"{LOGS}/{name}").read_bytes()


def parse(name: str) -> EventLog:
    octets = content(name)
    return parse_cc_event_log(octets) if name.startswith("ccel/") else parse_event_log(octets)


def measured(name: str) -> MeasuredLog:
    """The log under all of its own banks, as a machine would have quoted them."""
    log = parse(name)
    return measure(log, [replay(log, HashAlgorithm(algorithm)) for algorithm in log.algorithms])


def windows(name: str) -> MeasuredLog:
    return measured(f"windows/{name}")


@pytest.mark.parametrize("name", PARSED)
def test_a_real_log_replays_to_the_pcrs_of_its_machine(name: str) -> None:
    log = parse(name)
    one = PCRS[name]
    banks = one["banks"]
    assert isinstance(banks, dict)
    headers = 0 if log.form is LogForm.LEGACY else 1
    assert len(log.events) - headers == one["events"]
    assert log.startup_locality == one.get("startupLocality", 0)
    for bank, values in banks.items():
        if log.form is LogForm.CC:
            replayed = dict(enumerate(replay_rtmrs(log), start=1))
        else:
            replayed = dict(replay(log, HashAlgorithm[bank.upper()]).values)
        assert {index: replayed[int(index)].hex() for index in values} == values


@pytest.mark.parametrize("name", REFUSED)
def test_a_malformed_log_is_refused(name: str) -> None:
    with pytest.raises(MalformedEvidence):
        parse(name)


@pytest.mark.parametrize("name", ["CCEL_unpadded.data.bin", "cos-113-intel-tdx-dupe-separator-unpadded.bin"])
def test_a_cc_event_log_is_no_log_of_a_tpm(name: str) -> None:
    with pytest.raises(UnsupportedEvidence) as refused:
        parse_event_log(content(f"ccel/{name}"))
    assert refused.value.code == "NoTpmEventLog"


def test_a_log_of_a_tpm_is_no_cc_event_log() -> None:
    with pytest.raises(MalformedEvidence):
        parse_cc_event_log(content("linux/gotpmtools-rhel8-uefi.bin"))
    with pytest.raises(UnsupportedEvidence):
        replay_rtmrs(parse("linux/gotpmtools-rhel8-uefi.bin"))


def test_secure_boot_of_a_real_trust_domain_is_read_from_its_first_rtmr() -> None:
    log = parse("ccel/cos-113-intel-tdx-dupe-separator-unpadded.bin")
    assert not secure_boot_of_td(measure_cc(log, replay_rtmrs(log)))
    covered = [one for one in measure_cc(log, replay_rtmrs(log)).events if one.variable is not None]
    assert "SecureBoot" in {one.variable.name for one in covered if one.variable is not None}


@pytest.mark.parametrize("name", sorted(WINDOWS))
def test_the_documented_windows_policy_gives_the_expected_claims_of_a_real_machine(name: str) -> None:
    text = shared_path("spec/policies/tpm-csp-12-windows-health.policy").read_bytes().decode()
    incoming = ClaimSet((Claim("events", events_claim(windows(name))),))
    issued = issued_members(compile_policy(text).evaluate(incoming).issued)
    # The fixture's plain test of a driver is not the rule of the policy (reading Q23); an empty array issues nothing.
    wanted = {
        claim: value for claim, value in WINDOWS[name].items() if value not in (None, []) and claim != "wdbootLoaded"
    }
    assert {claim: issued.get(claim) for claim in wanted} == wanted
    assert ("bitlockerEnabledValue" in issued) == ("bitlockerEnabledValue" in wanted)
    assert "codeIntegrityPolicy" not in issued


@pytest.mark.parametrize("name", sorted(WINDOWS))
def test_the_claims_of_policies_1_0_agree_with_the_documented_policy_on_a_real_machine(name: str) -> None:
    claims = dict(boot_claims(windows(name)).members())
    assert claims == {claim: WINDOWS[name][claim] for claim in claims}


@pytest.mark.parametrize(
    ("name", "secure"),
    [
        ("gotpmtools-ubuntu-2104-no-secure-boot.bin", False),
        ("gotpmtools-rhel8-uefi.bin", True),
        ("keylime-binary_bios_measurements-secureboot.bin", True),
    ],
)
def test_secure_boot_is_read_from_a_real_log_as_its_name_says(name: str, secure: bool) -> None:
    assert dict(boot_claims(measured(f"linux/{name}")).members())["secureBootEnabled"] is secure


@pytest.mark.parametrize("name", sorted(WINDOWS))
def test_every_tagged_event_of_real_windows_is_covered_by_its_digest(name: str) -> None:
    tagged = [one for one in windows(name).events if one.event.kind == 6 and one.event.pcr in (11, 12, 13, 14)]
    assert {one.standing for one in tagged} <= {Standing.COVERED, Standing.AFTER_SEPARATOR}
    assert all(one.tagged for one in tagged if one.standing is Standing.COVERED)


def test_the_log_of_a_real_shielded_windows_gives_the_pcrs_of_its_own_tpm() -> None:
    """The one real pair of a Windows log and all 24 PCRs; of SHA-1 only, which no claim rests on by default."""
    recorded = json.loads(shared_path("vectors/tpm/tpm_rest/gcp-windows-shielded-vm.json").read_text("utf-8"))["Log"]
    values = [(one["Index"], base64.b64decode(one["Digest"])) for one in recorded["PCRs"]]
    log = parse_event_log(base64.b64decode(recorded["Raw"]))
    bank = pcr_bank(HashAlgorithm.SHA1, values)
    assert len(bank.values) == 24
    assert seen_replay(log, [bank]).observed == ("24 PCRs of SHA1",)
    changed = PcrBank(HashAlgorithm.SHA1, {**bank.values, 23: b"\1" * 20})
    with pytest.raises(Mismatch):
        seen_replay(log, [changed])


def test_events_whose_claim_would_be_too_long_are_refused() -> None:
    events = [variable("x", bytes(9000)) for _ in range(90)] + [separator(7)]
    log = parse_event_log(encode_log(events))
    measured = measure(log, [replay(log, HashAlgorithm.SHA256)])
    with pytest.raises(LimitExceeded):
        events_claim(measured)

"""Documents of platform rules: what each member sets, and what is none."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from assay.endorsements.anchors import UvmIssuer
from assay.endorsements.intel.tcb import TcbStatus
from assay.errors import ConfigurationError
from assay.evidence.platform_rules import GracePeriod, GraceStart, Listing, MinimumTcb, PlatformRules
from assay.evidence.rule_document import RULE_NAMES, decode_rules

if TYPE_CHECKING:
    from assay.formats.strict_json import JsonObject, JsonValue

PPID, CHIP = "00" * 15 + "ff", "ab" * 64
MARCH = datetime(2024, 3, 13, tzinfo=UTC)

UVM = "did:x509:0:sha256:I__iuL25oXEVFdTP_aBLx_eT1RPHbCQ_ECBQfYZpt9s::eku:1.3.6.1.4.1.311.76.59.1.2"
UVM_TABLE: JsonValue = {"issuer": UVM, "feed": "F", "minimumSvn": 7, "complianceStatus": "mine"}

READ: list[tuple[JsonObject, PlatformRules]] = [
    ({}, PlatformRules()),
    ({"ppids": None}, PlatformRules()),
    (
        {"uvmIssuers": [UVM_TABLE]},
        PlatformRules(uvm_issuers=(UvmIssuer(UVM, "F", "the operator's platform rules", 7, "mine"),)),
    ),
    ({"uvmIssuers": []}, PlatformRules(uvm_issuers=())),
    ({"PPIDs": {"Allow": [PPID.upper()]}}, PlatformRules(ppids=Listing(frozenset({bytes.fromhex(PPID)})))),
    ({"ppids": {"allow": []}}, PlatformRules(ppids=Listing(frozenset()))),
    (
        {"platformInstances": {"deny": [PPID]}},
        PlatformRules(platform_instances=Listing(denied=frozenset({bytes.fromhex(PPID)}))),
    ),
    (
        {"chipIds": {"deny": [CHIP, "cd" * 8]}},
        PlatformRules(chip_ids=Listing(denied=frozenset({bytes.fromhex(CHIP), bytes.fromhex("cd" * 8) + bytes(56)}))),
    ),
    (
        {"generations": {"allow": ["Sapphire Rapids", "Milan", "00806F050000"]}},
        PlatformRules(generations=Listing(frozenset({"sapphirerapids", "milan", "00806f050000"}))),
    ),
    (
        {"advisories": {"deny": ["INTEL-SA-00960"]}},
        PlatformRules(advisories=Listing(denied=frozenset({"INTEL-SA-00960"}))),
    ),
    (
        {"minimumTcb": {"Milan": {"snp": 8, "Microcode": 115}, "EmeraldRapids": {"tcbDate": "2024-03-13"}}},
        PlatformRules(
            minimum_tcb=(
                MinimumTcb("milan", (("snp", 8), ("microcode", 115))),
                MinimumTcb("emeraldrapids", tcb_date=MARCH),
            )
        ),
    ),
    (
        {"minimumTcb": {"00806F050000": {"pce": 11, "evaluationNumber": 17}}},
        PlatformRules(minimum_tcb=(MinimumTcb("00806f050000", (("pce", 11),), evaluation_number=17),)),
    ),
    (
        {"graceDays": {"OutOfDate": 90, "tdrelaunchadvised": {"days": 7, "since": "recoveryEvent"}}},
        PlatformRules(
            grace=(
                GracePeriod(TcbStatus.OUT_OF_DATE, 90),
                GracePeriod(TcbStatus.TD_RELAUNCH_ADVISED, 7, GraceStart.RECOVERY_EVENT),
            )
        ),
    ),
    ({"tcbBaseline": "2024-03-13T01:00:00+01:00"}, PlatformRules(tcb_baseline=MARCH)),
    ({"highestVmpl": 0}, PlatformRules(highest_vmpl=0)),
    ({"allowMigration": False}, PlatformRules(allow_migration=False)),
    ({"allowServiceTd": False}, PlatformRules(allow_service_td=False)),
    ({"requireSeptVeDisable": True}, PlatformRules(require_sept_ve_disable=True)),
    ({"requireEventLog": True}, PlatformRules(require_event_log=True)),
    ({"requireRuntimeData": True}, PlatformRules(require_runtime_data=True)),
    ({"requireAliasCheck": True}, PlatformRules(require_alias_check=True)),
    ({"recordedClaimsOnly": True}, PlatformRules(recorded_claims_only=True)),
]


@pytest.mark.parametrize(("document", "rules"), READ)
def test_a_member_sets_its_rule(document: JsonObject, rules: PlatformRules) -> None:
    assert decode_rules(document, PlatformRules()) == rules


def test_every_rule_is_read_in_some_test() -> None:
    named = {name.lower() for document, _ in READ for name in document}
    assert named == {name.lower() for name in RULE_NAMES}


def test_what_a_document_does_not_name_stays() -> None:
    operator = PlatformRules(highest_vmpl=1, allow_migration=False)
    assert decode_rules({"highestVmpl": 0}, operator) == PlatformRules(highest_vmpl=0, allow_migration=False)


WRONG: list[JsonObject] = [
    {"ppid": {"allow": []}},
    {"ppids": [PPID]},
    {"ppids": {"only": [PPID]}},
    {"ppids": {"allow": PPID}},
    {"ppids": {"allow": [PPID[2:]]}},
    {"ppids": {"allow": ["zz" * 16]}},
    {"chipIds": {"allow": ["ab" * 63]}},
    {"generations": {"allow": [""]}},
    {"generations": {"allow": [7]}},
    {"advisories": {"deny": ["INTEL SA"]}},
    {"minimumTcb": {"Milan": {"speed": 1}}},
    {"minimumTcb": {"Milan": {"snp": 256}}},
    {"minimumTcb": {"Milan": {"snp": True}}},
    {"minimumTcb": {"Milan": 8}},
    {"minimumTcb": {"SapphireRapids": {"tcbDate": "soon"}}},
    {"graceDays": {"Revoked": 1}},
    {"graceDays": {"Sometimes": 1}},
    {"graceDays": {"OutOfDate": -1}},
    {"graceDays": {"OutOfDate": {"since": "tcbDate"}}},
    {"graceDays": {"OutOfDate": {"days": 1, "since": "yesterday"}}},
    {"graceDays": {"OutOfDate": {"days": 1, "until": "2025"}}},
    {"tcbBaseline": 1691539200},
    {"highestVmpl": 4},
    {"highestVmpl": False},
    {"allowMigration": 0},
    {"requireRuntimeData": "yes"},
]


@pytest.mark.parametrize("document", WRONG, ids=str)
def test_anything_else_is_refused(document: JsonObject) -> None:
    """A rule that is not understood may have been a restriction."""
    with pytest.raises(ConfigurationError, match="platform rule"):
        decode_rules(document, PlatformRules())


@pytest.mark.parametrize(
    "value",
    [
        {},
        ["x"],
        [{"issuer": UVM}],
        [{"feed": "F"}],
        [{"issuer": "did:web:example.org", "feed": "F"}],
        [{"issuer": UVM, "feed": "F", "other": 1}],
        [{"issuer": UVM, "feed": "F", "minimumSvn": -1}],
        [{"issuer": UVM, "feed": 1}],
        [{"issuer": UVM, "feed": "F", "complianceStatus": 1}],
    ],
)
def test_other_issuers_of_utility_machines_are_refused(value: JsonValue) -> None:
    with pytest.raises(ConfigurationError, match="uvmIssuers"):
        decode_rules({"uvmIssuers": value}, PlatformRules())
